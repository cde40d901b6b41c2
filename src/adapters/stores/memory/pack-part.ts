import type { Pace } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import { type FrequentWords, frequentKey, type KeywordPart, type ReadPiece, type WordCursor } from './keyword-part.js';
import type { PackedShape } from './packed-part.js';
import { boundsOf, FREQUENT } from './posting-list.js';

/** Numbers of four bytes that end a piece once they are reached. */
const PIECE_WORDS = 8192;

/**
 * Packs neighbouring parts into one, and leaves out what is dead. Holds the event loop for one piece at a time; the parts may be searched
 * meanwhile.
 * @param alive those alive when it began; not changed meanwhile
 */
export async function packParts(
  parts: readonly KeywordPart[],
  alive: Bitset,
  lengths: Uint32Array,
  read: ReadPiece,
  pace: Pace,
): Promise<PackedShape> {
  const from = parts[0]?.from ?? 0;
  const to = parts.at(-1)?.to ?? from;
  const pieces = createPieces();
  const frequent: FrequentWords = new Map();
  let sources = parts.map((part) => ({ part, cursor: part.cursor(read) })).filter(({ cursor }) => cursor.next());
  let list = new Uint32Array(1024);

  while (sources.length > 0) {
    const { low, high } = least(sources);
    let count = 0;
    const ended = new Set<WordCursor>();
    for (const { part, cursor } of sources) {
      if (cursor.low !== low || cursor.high !== high) continue;
      const { postings } = cursor;
      if (count + postings.length > list.length) list = grown(list, count + postings.length);
      for (let at = 0; at < postings.length; at++) {
        const posting = postings[at] ?? 0;
        const ordinal = part.from + (posting >>> 8);
        if (!alive.has(ordinal)) continue;
        list[count++] = posting + 256 * (part.from - from);
        if ((posting & 255) === FREQUENT) {
          frequent.set(frequentKey(low, high, ordinal), part.frequencyOf(low, high, ordinal));
        }
      }
      if (!cursor.next()) ended.add(cursor);
    }
    if (ended.size > 0) sources = sources.filter(({ cursor }) => !ended.has(cursor));
    const postings = list.subarray(0, count);
    if (count > 0 && pieces.add(low, high, postings, boundsOf(postings, from, lengths))) await pace();
  }
  let live = 0;
  let words = 0;
  for (let ordinal = from; ordinal < to; ordinal++) {
    if (!alive.has(ordinal)) continue;
    live++;
    words += lengths[ordinal] ?? 0;
  }
  return { from, to, live, words, frequent, ...pieces.finish() };
}

function least(sources: readonly { readonly cursor: WordCursor }[]): { readonly low: number; readonly high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { cursor } of sources) {
    if (cursor.low < low || (cursor.low === low && cursor.high < high)) {
      low = cursor.low;
      high = cursor.high;
    }
  }
  return { low, high };
}

/** Gathers words until they fill a piece. */
function createPieces() {
  const pieces: Uint32Array[] = [];
  const firsts: number[] = [];
  let lists = new Uint32Array(2 * PIECE_WORDS);
  let used = 0;
  let lows: number[] = [];
  let highs: number[] = [];
  let ends: number[] = [];

  return {
    /** True when a piece was ended. */
    add(low: number, high: number, postings: Uint32Array, bounds: Uint32Array): boolean {
      // Words that share the lower half of their hash stay together.
      const isFull = used + 3 * lows.length >= PIECE_WORDS && lows.at(-1) !== low;
      if (isFull) flush();
      if (lows.length === 0) firsts.push(low);
      if (used + bounds.length + postings.length > lists.length) lists = grown(lists, used + bounds.length + postings.length);
      lists.set(bounds, used);
      lists.set(postings, used + bounds.length);
      used += bounds.length + postings.length;
      lows.push(low);
      highs.push(high);
      ends.push(used);
      return isFull;
    },
    finish() {
      if (lows.length > 0) flush();
      return { firsts: Uint32Array.from(firsts), pieces };
    },
  };

  function flush(): void {
    const count = lows.length;
    const piece = new Uint32Array(1 + 3 * count + used);
    piece[0] = count;
    piece.set(lows, 1);
    piece.set(highs, 1 + count);
    piece.set(ends, 1 + 2 * count);
    piece.set(lists.subarray(0, used), 1 + 3 * count);
    pieces.push(piece);
    lows = [];
    highs = [];
    ends = [];
    used = 0;
  }
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
