import { once } from '../../core/once.js';

/** Where a text may be cut. Every function looks at one window only, so that a whole text costs time in proportion to its length. */

/** How far beyond the window the white space of a break may reach, UTF-16 units. */
const LOOK_BEYOND = 64;
/** A break in the first part of the window would leave a chunk too short to mean much. */
const MIN_FILL = 0.4;

/** Blank lines before a line that isn't indented: between functions, between paragraphs. */
const BLOCK_END = /\n(?:[ \t]*\n)+(?=\S)/g;
const BLANK_LINE = /\n[ \t]*(?=\n)/g;
const SENTENCE_END = /(?<=[.!?]["'”’)\]]{0,3})\s|(?<=[。！？；…][”’」』）]?)(?![”’」』）])/g;
const SPACE = /\s/g;

/**
 * The best place to end a chunk that begins at `start` and holds at most `maxChars` UTF-16 units: the last end of a block of lines in
 * the window, else of a paragraph, a line, a sentence, a word, else of a character as a reader sees it.
 */
export function bestBreak(text: string, start: number, maxChars: number): number {
  const window = text.slice(start, start + maxChars + LOOK_BEYOND);
  const least = Math.floor(maxChars * MIN_FILL);
  for (const kind of [BLOCK_END, BLANK_LINE, /\n/g, SENTENCE_END, SPACE]) {
    const last = lastMatch(window, kind, maxChars);
    if (last > least) return start + last;
  }
  return characterBreak(text, start, start + maxChars);
}

/** The best place to begin a chunk that repeats some of the text from `from` to `end`: the first start of a line, else of a sentence, else of a word. */
export function bestOverlap(text: string, from: number, end: number): number {
  const window = text.slice(from, end);
  for (const kind of [/\n/g, SENTENCE_END, SPACE]) {
    kind.lastIndex = 0;
    const match = kind.exec(window);
    if (match !== null && match.index + 1 < window.length) return from + match.index + match[0].length;
  }
  return end;
}

/** The index of the last match at or before `limit`; -1 when there is none. */
function lastMatch(window: string, kind: RegExp, limit: number): number {
  let last = -1;
  for (const { index } of window.matchAll(kind)) {
    if (index > limit) break;
    last = index;
  }
  return last;
}

/** A character with more combining marks than this may be cut. UTF-16 units. */
const MAX_CHARACTER = 64;
const characters = once(() => new Intl.Segmenter(undefined, { granularity: 'grapheme' }));

/** The last boundary between characters at or before `limit`: never within a surrogate pair, a letter and its accents, an emoji. */
function characterBreak(text: string, start: number, limit: number): number {
  // From the start, because what a flag is depends on all the flags before it.
  const containing = characters()
    .segment(text.slice(start, limit + MAX_CHARACTER))
    .containing(limit - start);
  const boundary = start + (containing?.index ?? limit - start);
  if (boundary > start && limit - boundary <= MAX_CHARACTER) return boundary;
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(limit - 1, limit + 1)) ? limit - 1 : limit;
}
