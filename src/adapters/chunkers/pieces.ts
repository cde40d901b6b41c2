import { bestBreak, bestOverlap } from './breaks.js';

/** A stretch of text, UTF-16 offsets. */
export type Span = readonly [start: number, end: number];

/** Sizes in UTF-16 units. */
export interface PieceOptions {
  readonly maxChars: number;
  /** About how much of a piece the next one repeats; less where a line, sentence or word begins later. */
  readonly overlap: number;
}

/**
 * Cuts a stretch of text into spans of at most `maxChars`, lazily. White space between them belongs to none; the indentation of a span's
 * first line does. Stretches that are `kept` (ascending: tables, fenced code) are not cut where they fit into a span.
 */
export function* piecesOf(
  text: string,
  [from, to]: Span,
  { maxChars, overlap }: PieceOptions,
  kept: readonly Span[] = [],
): Iterable<Span> {
  let keptIndex = 0;
  let covered = from;
  for (let start = textStart(text, from, to, maxChars); start < to; ) {
    let end = to;
    if (to - start > maxChars) {
      end = bestBreak(text, start, maxChars);
      while ((kept[keptIndex]?.[1] ?? Number.POSITIVE_INFINITY) <= end) keptIndex++;
      const keptStart = kept[keptIndex]?.[0] ?? end;
      if (keptStart > Math.max(start, covered) && keptStart < end) end = keptStart;
    }
    const last = textEnd(text, end);
    // Nothing new when only white space follows what it repeats: the next one begins after that.
    const isNew = last > covered;
    if (isNew) yield [start, last];
    covered = Math.max(covered, last);
    const next = textStart(text, end, to, maxChars);
    const repeated = isNew && overlap > 0 ? bestOverlap(text, Math.max(start + 1, end - overlap), end) : next;
    start = Math.min(next, textStart(text, repeated, to, maxChars));
  }
}

/** The first character that isn't white space, or the start of its line when only indentation, and no excess of it, stands between. */
function textStart(text: string, from: number, to: number, maxChars: number): number {
  NOT_SPACE.lastIndex = from;
  NOT_SPACE.test(text);
  const first = NOT_SPACE.lastIndex === 0 ? to : Math.min(to, NOT_SPACE.lastIndex - 1);
  let lineStart = first;
  while (lineStart > from && INDENTATION.has(text.charAt(lineStart - 1))) lineStart--;
  const isLineStart = lineStart === 0 || text.charAt(lineStart - 1) === '\n';
  return first < to && isLineStart && first - lineStart <= maxChars / 2 ? lineStart : first;
}

/** Past the last character before `end` that isn't white space; there is one. */
function textEnd(text: string, end: number): number {
  let last = end;
  while (SPACE.test(text.charAt(last - 1))) last--;
  return last;
}

const NOT_SPACE = /\S/g;
const SPACE = /\s/;
const INDENTATION = new Set([' ', '\t', '\u3000']);
