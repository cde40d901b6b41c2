import type { Span } from './pieces.js';
import type { Unit } from './units.js';

/** No heading or table line that a person wrote is longer; what is longer isn't looked at. UTF-16 units. */
const MAX_LINE = 1000;
/** Longer sections are handed on in parts of about this size, so that one step never takes long. UTF-16 units. */
const MAX_SECTION = 100_000;

const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const SETEXT = /^ {0,3}(=+|-+)[ \t]*$/;
/** At any indentation, because of lists; with a backtick after it, it is code within a line. */
const FENCE = /^[ \t]*(`{3,}(?=[^`]*$)|~{3,})/;
const TABLE_RULE = /^[ \t|:-]*-[ \t|:-]*$/;
/** Lines that `---` under them makes no heading of: blank ones, and those that begin a list, quote, heading or indented code. */
const NO_HEADING = /^(?:\s*$|\s*[-*+>#|]| {4}|\t|\s*\d+[.)]\s)/;

interface Line {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What is open at a line. */
type Block =
  | { readonly kind: 'text' }
  | { readonly kind: 'fence'; readonly mark: string; readonly start: number }
  | { readonly kind: 'table'; readonly start: number };

const TEXT: Block = { kind: 'text' };

/**
 * The sections of a Markdown text, one a heading (`#` or underlined), with the headings they stand under, their own included.
 * A `#` in fenced code is no heading; fenced code and tables are kept.
 */
export function* sectionsOf(text: string): Iterable<Unit> {
  const path: { readonly level: number; readonly title: string }[] = [];
  let start = 0;
  let kept: Span[] = [];
  let block: Block = TEXT;
  let previous: Line | undefined;

  for (const line of linesOf(text)) {
    const size = line.start - start;
    if (size > MAX_SECTION && ((block.kind === 'text' && line.text.trim() === '') || size > 2 * MAX_SECTION)) {
      yield section(start, line.start);
      start = line.start;
      if (block.kind !== 'text') block = { ...block, start };
      previous = undefined; // a heading that began before this cut would overlap it
    }
    if (block.kind === 'fence') {
      if (closes(line.text, block.mark)) {
        kept.push([block.start, line.end]);
        block = TEXT;
      }
      previous = undefined;
      continue;
    }
    if (block.kind === 'table') {
      if (line.text.includes('|')) continue;
      kept.push([block.start, line.start]);
      block = TEXT;
    }
    const fence = FENCE.exec(line.text)?.[1];
    if (fence !== undefined) {
      block = { kind: 'fence', mark: fence, start: line.start };
    } else if (previous?.text.includes('|') && line.text.includes('|') && TABLE_RULE.test(line.text)) {
      block = { kind: 'table', start: previous.start };
    } else {
      const heading = headingOf(line, previous);
      if (heading !== undefined) {
        if (heading.start > start) yield section(start, heading.start);
        start = heading.start;
        while ((path.at(-1)?.level ?? 0) >= heading.level) path.pop();
        path.push(heading);
      }
    }
    previous = line;
  }
  if (block.kind !== 'text') kept.push([block.start, text.length]);
  if (start < text.length) yield section(start, text.length);

  function section(from: number, to: number): Unit {
    const unit = { span: [from, to] as const, headings: path.map(({ title }) => title).filter((title) => title !== ''), kept };
    kept = [];
    return unit;
  }
}

function headingOf(
  line: Line,
  previous: Line | undefined,
): { readonly level: number; readonly title: string; readonly start: number } | undefined {
  const atx = ATX.exec(line.text);
  if (atx !== null) return { level: (atx[1] ?? '').length, title: titleOf(atx[2] ?? ''), start: line.start };
  const rule = SETEXT.exec(line.text)?.[1];
  if (rule === undefined || previous === undefined || NO_HEADING.test(previous.text)) return undefined;
  return { level: rule.startsWith('=') ? 1 : 2, title: titleOf(previous.text), start: previous.start };
}

/** Without the closing `#`s, and with links and images as their words. */
function titleOf(source: string): string {
  return source
    .replace(/(?:^|[ \t])#+[ \t]*$/, '')
    .replace(/!?\[([^\][]*)\]\([^()]*\)/g, '$1')
    .trim();
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= mark.length && trimmed === mark.charAt(0).repeat(trimmed.length);
}

/** Lines with their offsets; `text` is '' for lines too long to be looked at. */
function* linesOf(text: string): Iterable<Line> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline + 1;
    const length = (newline === -1 ? end : newline) - start;
    yield { start, end, text: length > MAX_LINE ? '' : text.slice(start, start + length) };
    start = end;
  }
}
