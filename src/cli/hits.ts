import type { Explanation, Hit } from '../core/types.js';
import type { Screen } from './host.js';
import { type Style, table, wrap } from './terminal.js';

/** Lines of a passage that the list of hits shows. */
const SNIPPET_LINES = 3;

/** Numbered hits: score, place, headings and the beginning of the passage. */
export function renderHits(hits: readonly Hit[], screen: Screen, style: Style): string {
  if (hits.length === 0) return 'No hits.\n';
  return hits
    .map((hit, index) => {
      const headings = hit.location.headings?.join(' › ') ?? '';
      const place = style.foreign(`${placeOf(hit)}${headings === '' ? '' : `  ${headings}`}`);
      const [first = '', ...others] = wrap(`${index + 1}. ${place}`, screen.columns - 8, 2);
      const snippet = wrap(style.foreign(hit.text), screen.columns - 4, SNIPPET_LINES);
      const head = [
        `${style.bold(first)}  ${style.dim(hit.score.toFixed(3))}`,
        ...others.map((line) => `   ${style.bold(line)}`),
      ];
      return `${[...head, ...snippet.map((line) => `   ${line}`)].join('\n')}\n`;
    })
    .join('\n');
}

/** @example 'guide.md:12-18' */
export function placeOf({ uri, location: { lines, page } }: Hit): string {
  if (page !== undefined) return `${uri} p.${page}`;
  if (lines === undefined) return uri;
  return lines[0] === lines[1] ? `${uri}:${lines[0]}` : `${uri}:${lines[0]}-${lines[1]}`;
}

/** Where the time of a search went. */
export function renderExplanation({ stages, index, pushedDown, residual }: Explanation, screen: Screen, style: Style): string {
  const rows = stages.map(({ name, ms, detail }) => [name, ms.toFixed(2), style.foreign(detail)]);
  const filter = (name: string, part: unknown) => (part === null ? '' : `${name}: ${style.foreign(JSON.stringify(part))}\n`);
  return [
    `\n${table([['stage', 'ms', ''], ...rows], screen.columns, [1])}`,
    `index: ${index}\n`,
    filter('filtered by the store', pushedDown),
    filter('filtered afterwards', residual),
  ].join('');
}
