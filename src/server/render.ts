import type { Location, Metadata } from '../core/contracts.js';
import type { Hit } from '../core/types.js';

/** How results look in the text that a model reads. */

/** Numbered hits with where they stand; texts are fenced, so that a document's words can't pass for ours. */
export function renderHits(hits: readonly (Hit & { readonly cut?: boolean | undefined })[]): string {
  return hits
    .map((hit, index) => {
      const head = `[${index + 1}] ${[oneLine(hit.uri), ...place(hit.location), `score ${significant(hit.score)}`].join(' · ')}`;
      const fields = renderMetadata(hit.metadata);
      const cut =
        hit.cut === true ? `(cut to fit maxChars; read-document with id ${oneLine(hit.documentId)} has more)` : undefined;
      return [head, `id: ${oneLine(hit.id)}`, fields && `metadata: ${fields}`, fence(hit.text), cut]
        .filter((line) => line !== undefined && line !== '')
        .join('\n');
    })
    .join('\n\n');
}

/** @example renderMetadata({ year: 2020, tags: ['a'] }) // 'year=2020, tags=["a"]' */
export function renderMetadata(metadata: Metadata): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${oneLine(name)}=${JSON.stringify(value)}`)
    .join(', ');
}

/** Fences a text with more backticks than it holds in a row anywhere. */
export function fence(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`{3,}/g), ([run]) => run.length));
  const bar = '`'.repeat(longest + 1);
  return `${bar}\n${text}\n${bar}`;
}

/** A name on the line where it stands: a file's may hold line ends, and what follows them would pass for our own words. */
export function oneLine(name: string): string {
  return name.replace(/[\p{Cc}\u2028\u2029]/gu, '·');
}

/** @example count(1, 'document') // '1 document' */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** At most `most` lines, and how many there are besides. */
export function bounded(lines: readonly string[], most: number): string {
  const rest = lines.length - most;
  return [...lines.slice(0, most), ...(rest > 0 ? [`… and ${rest} more, in the structured result`] : [])].join('\n');
}

export function milliseconds(ms: number): string {
  return ms < 1000 ? `${significant(ms)} ms` : `${significant(ms / 1000)} s`;
}

/** Three significant digits, without exponent or padding. */
export function significant(value: number): string {
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function place({ lines, page, headings }: Location): readonly string[] {
  const parts: string[] = [];
  if (page !== undefined) parts.push(`page ${page}`);
  if (lines !== undefined) parts.push(lines[0] === lines[1] ? `line ${lines[0]}` : `lines ${lines[0]}–${lines[1]}`);
  if (headings !== undefined && headings.length > 0) parts.push(oneLine(headings.join(' > ')));
  return parts;
}
