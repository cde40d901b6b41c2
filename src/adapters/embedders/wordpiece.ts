import { once } from '../../core/once.js';

/** WordPiece for uncased BERT vocabularies, in one pass over the text and resumable, so that a text of megabytes can be read in slices. */

/** Words over this many code points are `[UNK]`, as in BERT. */
const MAX_WORD_POINTS = 100;
/** A word that is longer than this in UTF-16 units, marks included, is `[UNK]` unseen: normalising it could hold the event loop. */
const MAX_WORD_UNITS = 4096;
/** Words in the cache. English text of any size has few more that are worth it; on overflow it starts afresh. */
const MAX_CACHED_WORDS = 50_000;

export interface Wordpiece {
  /** Starts on a text. */
  read(text: string): WordpieceReader;
}

export interface WordpieceReader {
  /**
   * Reads on for about `units` UTF-16 units, calling `take` with the row of each token, repeats included. False when the text has ended.
   */
  advance(units: number, take: (row: number) => void): boolean;
}

/**
 * A tokenizer over a vocabulary: one token a row, `##` before continuations.
 * Text is cleaned, lower-cased, decomposed (NFD) and stripped of non-spacing marks; white space parts words; each CJK ideograph and
 * punctuation mark is a word; words are cut greedily, longest piece first; one with an unmatched part is the `unknown` row.
 * No special tokens, no truncation.
 */
export function createWordpiece(vocabulary: readonly string[], unknown: number): Wordpiece {
  const rows = new Map<string, number>();
  for (let row = 0; row < vocabulary.length; row++) rows.set(vocabulary[row] ?? '', row);
  const cache = new Map<string, readonly number[]>();

  return { read: (text) => createReader(text, takeWord) };

  function takeWord(word: string | undefined, take: (row: number) => void): void {
    if (word === undefined) {
      take(unknown);
      return;
    }
    const whole = rows.get(word);
    if (whole !== undefined) {
      take(whole);
      return;
    }
    let pieces = cache.get(word);
    if (pieces === undefined) {
      const points = Array.from(word);
      if (points.length > MAX_WORD_POINTS) {
        take(unknown);
        return;
      }
      pieces = cut(points);
      if (cache.size >= MAX_CACHED_WORDS) cache.clear();
      // Joined anew: a slice of a text would keep the whole text alive.
      cache.set(points.join(''), pieces);
    }
    for (const row of pieces) take(row);
  }

  function cut(points: readonly string[]): readonly number[] {
    const pieces: number[] = [];
    for (let start = 0; start < points.length; ) {
      let end = points.length;
      let row: number | undefined;
      for (; end > start; end--) {
        row = rows.get((start > 0 ? '##' : '') + points.slice(start, end).join(''));
        if (row !== undefined) break;
      }
      if (row === undefined) return [unknown];
      pieces.push(row);
      start = end;
    }
    return pieces;
  }
}

/** What a UTF-16 unit does to the word it meets. */
const LETTER = 0;
const SPACE = 1;
const MARK = 2; // a word of its own
const COMPLEX = 3; // not ASCII, or a control character: the word goes the long way

const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code === 32 || (code >= 9 && code <= 13 && code !== 11 && code !== 12)) return SPACE;
  if (code < 32 || code === 127) return COMPLEX;
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57) ? LETTER : MARK;
});

/** Takes a word; undefined stands for one too long to look at. */
type TakeWord = (word: string | undefined, take: (row: number) => void) => void;

/**
 * A word is everything up to ASCII white space or punctuation; only one that holds something else (accents, ideographs, control
 * characters) is normalised and parted further.
 */
function createReader(text: string, takeWord: TakeWord): WordpieceReader {
  let position = 0;
  let wordStart = 0;
  let complex = false;

  return {
    advance(units, take) {
      const stop = Math.min(text.length, position + units);
      while (position < stop) {
        const code = text.charCodeAt(position);
        const kind = code < 128 ? ASCII[code] : COMPLEX;
        if (kind === COMPLEX) {
          // Ideographs are words by themselves and stand in runs without spaces: uncut, a Chinese book would be one word.
          if (position - wordStart >= MAX_WORD_UNITS / 2 && startsWord(code)) endWord(take);
          complex = true;
        } else if (kind !== LETTER) {
          endWord(take);
          if (kind === MARK) takeWord(text.charAt(position), take);
          wordStart = position + 1;
        }
        position++;
      }
      if (position < text.length) return true;
      endWord(take);
      wordStart = position;
      return false;
    },
  };

  function endWord(take: (row: number) => void): void {
    if (position === wordStart) return;
    if (position - wordStart > MAX_WORD_UNITS) {
      takeWord(undefined, take);
    } else {
      const word = text.slice(wordStart, position).toLowerCase();
      if (complex) takeComplex(word, take);
      else takeWord(word, take);
    }
    complex = false;
    wordStart = position;
  }

  function takeComplex(word: string, take: (row: number) => void): void {
    const clean = word.replace(removed(), '').normalize('NFD').replace(nonSpacing(), '');
    for (const [part] of clean.matchAll(parts())) takeWord(part, take);
  }
}

/** Controls that aren't white space, the replacement character, format characters, unassigned ones and lone surrogates. */
const removed = once(() => /[\uFFFD\p{Cf}\p{Cn}\p{Co}\p{Cs}]|(?![\t\n\r])\p{Cc}/gu);
const nonSpacing = once(() => /\p{Mn}/gu);
const IDEOGRAPH =
  '\\u4E00-\\u9FFF\\u3400-\\u4DBF\\uF900-\\uFAFF\\u{20000}-\\u{2A6DF}\\u{2A700}-\\u{2B73F}\\u{2B740}-\\u{2B81F}\\u{2B820}-\\u{2CEAF}\\u{2F800}-\\u{2FA1F}';
/** Words of one character, and runs of anything else between white space. */
const parts = once(() => new RegExp(`[${IDEOGRAPH}\\p{P}$+<=>^\`|~]|[^${IDEOGRAPH}\\p{P}$+<=>^\`|~\\s]+`, 'gu'));

/** Whether a UTF-16 unit is surely a word by itself, whatever follows. */
function startsWord(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x3000 && code <= 0x3002) ||
    code === 0xff0c
  );
}
