import type { PostingList } from './posting-list.js';

/** Chunks that a part may span: what 24 of a posting's bits can count. */
export const LONGEST_PART = 2 ** 24;

/** Reads a saved piece, whole and undamaged. @throws PieceGone */
export type ReadPiece = (name: string) => Uint8Array;

/** A saved piece isn't there (another process has replaced it) or is damaged: what it was for must be loaded anew. */
export class PieceGone extends Error {
  readonly piece: string;
  constructor(piece: string) {
    super(`the saved piece ${piece} is gone or damaged`);
    this.piece = piece;
  }
}

/**
 * The words of a range of chunks. A keyword index is a row of such parts by ascending ordinal: packed ones that never change, and one at
 * the end that grows.
 */
export interface KeywordPart {
  /** The first ordinal, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Chunks whose postings are in it; the other ordinals were dead when it was made. */
  readonly live: number;
  /** Words of these, repeated ones too. */
  readonly words: number;
  /** The list of a word, known by the two halves of its hash. */
  find(low: number, high: number, read: ReadPiece): PostingList | undefined;
  /** The frequency behind a posting that says `FREQUENT`. */
  frequencyOf(low: number, high: number, ordinal: number): number;
  /** All words in ascending order of their hashes. */
  cursor(read: ReadPiece): WordCursor;
}

/** Stands at one word after the other. */
export interface WordCursor {
  readonly low: number;
  readonly high: number;
  readonly postings: Uint32Array;
  /** Goes on to the next word, the first one at first; false: there is none. */
  next(): boolean;
}

/** Frequencies that don't fit a byte, by word and ordinal; few chunks have any. */
export type FrequentWords = Map<string, number>;

export const frequentKey = (low: number, high: number, ordinal: number): string => `${low} ${high} ${ordinal}`;
