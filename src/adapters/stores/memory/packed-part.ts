import { type FrequentWords, frequentKey, type KeywordPart, type ReadPiece, type WordCursor } from './keyword-part.js';
import type { ListCache } from './list-cache.js';
import { BOUND_SPAN, FREQUENT, type PostingList } from './posting-list.js';
import { asWords } from './saved-bytes.js';

/** What tells a packed part's pieces apart, and where they lie. */
export interface PackedShape {
  readonly from: number;
  readonly to: number;
  readonly live: number;
  readonly words: number;
  readonly frequent: FrequentWords;
  /** The lower half of the hash of each piece's first word. */
  readonly firsts: Uint32Array;
  /** The pieces themselves, or the name that they are saved under. */
  readonly pieces: readonly Uint32Array[] | string;
}
export interface PackedPart extends KeywordPart, PackedShape {}

/**
 * A part that never changes. Its words stand in ascending order of their hashes, cut into pieces of about 32 KB, each of which is saved and
 * read by itself: a query reads the pieces of its words, and nothing is loaded before. A piece, in 32-bit numbers: how many words;
 * the lower halves of their hashes; the upper halves; where each one's list ends; the lists, each with its bounds before its postings.
 */
export function createPackedPart(shape: PackedShape, cache: ListCache): PackedPart {
  const { firsts, frequent, pieces } = shape;

  return {
    ...shape,
    find(low, high, read) {
      const index = pieceOf(low);
      if (index < 0) return undefined;
      if (typeof pieces !== 'string') return listIn(pieces[index], low, high);
      return cache.get(`${pieces} ${low} ${high}`, () => {
        const list = listIn(pieceAt(index, read), low, high);
        // Copied: a list must not hold on to its piece.
        return list && { postings: list.postings.slice(), bounds: list.bounds.slice() };
      });
    },
    frequencyOf: (low, high, ordinal) => frequent.get(frequentKey(low, high, ordinal)) ?? FREQUENT,
    cursor: (read) => cursor(read),
  };

  /** The piece that has the word if any has; -1: none can have it. */
  function pieceOf(low: number): number {
    let start = 0;
    let end = firsts.length;
    while (start < end) {
      const middle = (start + end) >> 1;
      if ((firsts[middle] ?? 0) <= low) start = middle + 1;
      else end = middle;
    }
    return start - 1;
  }

  function pieceAt(index: number, read: ReadPiece): Uint32Array | undefined {
    return typeof pieces === 'string' ? asWords(read(`${pieces}/${index}`)) : pieces[index];
  }

  function cursor(read: ReadPiece): WordCursor {
    let piece: Uint32Array = new Uint32Array(1);
    let index = -1;
    let word = 0;
    return {
      get low() {
        return piece[1 + word] ?? 0;
      },
      get high() {
        return piece[1 + (piece[0] ?? 0) + word] ?? 0;
      },
      get postings() {
        return listAt(piece, word).postings;
      },
      next() {
        word++;
        if (word < (piece[0] ?? 0)) return true;
        index++;
        word = 0;
        const next = index < firsts.length ? pieceAt(index, read) : undefined;
        piece = next ?? new Uint32Array(1);
        return next !== undefined;
      },
    };
  }
}

function listIn(piece: Uint32Array | undefined, low: number, high: number): PostingList | undefined {
  if (piece === undefined) return undefined;
  const count = piece[0] ?? 0;
  let start = 0;
  let end = count;
  while (start < end) {
    const middle = (start + end) >> 1;
    if ((piece[1 + middle] ?? 0) < low) start = middle + 1;
    else end = middle;
  }
  for (let word = start; word < count && piece[1 + word] === low; word++) {
    if (piece[1 + count + word] === high) return listAt(piece, word);
  }
  return undefined;
}

function listAt(piece: Uint32Array, word: number): PostingList {
  const count = piece[0] ?? 0;
  const lists = 1 + 3 * count;
  const start = lists + (word === 0 ? 0 : (piece[2 * count + word] ?? 0));
  const end = lists + (piece[1 + 2 * count + word] ?? 0);
  const bounds = Math.ceil((end - start) / (BOUND_SPAN + 1));
  return { bounds: piece.subarray(start, start + bounds), postings: piece.subarray(start + bounds, end) };
}
