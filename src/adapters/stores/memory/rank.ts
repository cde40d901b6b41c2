import type { Pace } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import { BOUND_SPAN, FREQUENT, type PostingList, seek } from './posting-list.js';
import type { Top } from './top.js';

/** The usual parameters of Okapi BM25: how fast repeated words saturate, and how much long chunks are held back. */
const K1 = 1.2;
const B = 0.75;

/** Ordinals that are looked at together: a fraction of a millisecond, and their sums stay in the processor's nearest cache. */
const WINDOW = 2048;
/** The first ones are smaller: the sooner there are enough good ones, the more of the rest is passed over. */
const FIRST_WINDOW = 256;
/** Chunks that are looked up one by one rather than by reading all of a term's postings in the window. */
const FEW = 16;
/** Lengths whose share of the formula is worked out once. */
const KNOWN_LENGTHS = 4096;
/** Sums in another order differ in their last bits: a bound must be below by more than that before anything is passed over. */
const LEEWAY = 1 - 1e-9;

/** A word of the query within one part. */
export interface RankTerm {
  readonly idf: number;
  readonly list: PostingList;
  /** The frequency behind a posting that says `FREQUENT`, by ordinal. */
  readonly frequencyOf: (ordinal: number) => number;
}

export interface RankRequest {
  /** The part's first ordinal, which postings count from, and the one behind its last. */
  readonly from: number;
  readonly to: number;
  /** In the order of the query: a score is summed in this order. */
  readonly terms: readonly RankTerm[];
  /** Words by ordinal. */
  readonly lengths: Uint32Array;
  readonly allowed: Bitset;
  readonly top: Top;
  readonly pace: Pace;
}

/** Some of a part's ordinals, counted from its first. */
interface Window extends Omit<RankRequest, 'to' | 'terms' | 'pace'> {
  readonly start: number;
  readonly end: number;
}

/** Offers `top` every chunk of a part that can be among the best. */
export type Rank = (request: RankRequest) => Promise<void>;

/** What is known of a term in the window that is looked at. */
interface Cursor {
  readonly term: RankTerm;
  /** Its first posting in the window or behind. */
  at: number;
  /** No chunk of the window gets more from this term; 0: none has it. */
  bound: number;
}

/**
 * Ranks by BM25, and passes over what can't be among the best (MaxScore over blocks with bounds: H. Turtle, J. Flood, "Query evaluation:
 * strategies and optimizations", 1995; S. Ding, T. Suel, "Faster top-k document retrieval using block-max indexes", 2011). In each window of ordinals the
 * terms that together can't lift a chunk over the worst one kept are looked up only for chunks that other terms have brought near it.
 * Scores and ties are those of adding up everything, to the last bit.
 * @param average words of a live chunk
 */
export function createRank(average: number): Rank {
  /** By length, 0: not worked out yet. */
  const norms = new Float64Array(KNOWN_LENGTHS);
  const sums = new Float64Array(WINDOW);
  const touched = new Uint16Array(WINDOW);

  return async ({ from, to, terms, lengths, allowed, top, pace }) => {
    const cursors = terms.map((term): Cursor => ({ term, at: 0, bound: 0 }));
    let size = FIRST_WINDOW;
    for (let start = 0; start < to - from; start += size, size = Math.min(2 * size, WINDOW)) {
      const end = Math.min(start + size, to - from);
      let total = 0;
      for (const cursor of cursors) total += enter(cursor, start, end);
      if (total > 0 && total >= leastOf(top) && allowed.hasAny(from + start, from + end)) {
        rankWindow(cursors, { from, start, end, lengths, allowed, top });
      }
      await pace();
    }
  };

  /** Moves on to a window; returns the bound there. */
  function enter(cursor: Cursor, start: number, end: number): number {
    const { idf, list } = cursor.term;
    const { postings, bounds } = list;
    cursor.at = seek(postings, cursor.at, start);
    cursor.bound = 0;
    if (cursor.at === postings.length || (postings[cursor.at] ?? 0) >= end * 256) return 0;
    for (let block = Math.floor(cursor.at / BOUND_SPAN); block < bounds.length; block++) {
      if ((postings[block * BOUND_SPAN] ?? 0) >= end * 256) break;
      const bound = bounds[block] ?? 0;
      cursor.bound = Math.max(cursor.bound, boundOf(idf, bound & 255, bound >>> 8));
    }
    return cursor.bound;
  }

  function rankWindow(cursors: readonly Cursor[], window: Window): void {
    const { from, start, lengths, top } = window;
    const active = cursors.filter(({ bound }) => bound > 0);
    const { rest, essential } = splitTerms(active, leastOf(top));
    const others = active.filter((cursor) => !essential.has(cursor));
    let count = 0;
    for (const cursor of active) if (essential.has(cursor)) count = addUp(cursor, window, count);
    if (others.length > 0) {
      count = keepReaching(count, leastOf(top) - rest);
      // Sums in another order than the query's: near enough to tell which are worth working out.
      if (count > FEW) {
        for (const cursor of others) addToSome(cursor, window);
        count = keepReaching(count, leastOf(top));
      }
    }
    let least = leastOf(top);
    for (let index = 0; index < count; index++) {
      const slot = touched[index] ?? 0;
      const sum = sums[slot] ?? 0;
      sums[slot] = 0;
      // Of what was only partly added up nothing is known but that it could be enough.
      if (others.length === 0 && sum < least) continue;
      const ordinal = from + start + slot;
      top.offer(ordinal, others.length === 0 ? sum : exactScore(active, from, start + slot, lengths[ordinal] ?? 0));
      least = leastOf(top);
    }
  }

  /** Adds a term's share to the sums of the window's chunks; returns how many have one by now. */
  function addUp({ term, at: first }: Cursor, { from, start, end, lengths, allowed }: Window, before: number): number {
    const { idf, list, frequencyOf } = term;
    const { postings } = list;
    const { words } = allowed;
    const limit = end * 256;
    let count = before;
    for (let at = first; at < postings.length; at++) {
      const posting = postings[at] ?? 0;
      if (posting >= limit) break;
      const ordinal = from + (posting >>> 8);
      if ((((words[ordinal >>> 5] ?? 0) >>> (ordinal & 31)) & 1) === 0) continue;
      const code = posting & 255;
      const frequency = code === FREQUENT ? frequencyOf(ordinal) : code;
      const length = lengths[ordinal] ?? 0;
      const norm = length < KNOWN_LENGTHS ? (norms[length] ?? 0) : 0;
      const slot = (posting >>> 8) - start;
      const sum = sums[slot] ?? 0;
      if (sum === 0) touched[count++] = slot;
      sums[slot] = sum + (idf * frequency * (K1 + 1)) / (frequency + (norm > 0 ? norm : normOf(length)));
    }
    return count;
  }

  /** Adds a term's share to the sums that are above zero already. */
  function addToSome({ term, at: first }: Cursor, { from, start, end, lengths }: Window): void {
    const { idf, list, frequencyOf } = term;
    const { postings } = list;
    const limit = end * 256;
    for (let at = first; at < postings.length; at++) {
      const posting = postings[at] ?? 0;
      if (posting >= limit) break;
      const slot = (posting >>> 8) - start;
      const sum = sums[slot] ?? 0;
      if (sum === 0) continue;
      const ordinal = from + (posting >>> 8);
      const code = posting & 255;
      const frequency = code === FREQUENT ? frequencyOf(ordinal) : code;
      sums[slot] = sum + (idf * frequency * (K1 + 1)) / (frequency + normOf(lengths[ordinal] ?? 0));
    }
  }

  /** Forgets the sums below `least`; returns how many are left, which stand first in `touched`. */
  function keepReaching(count: number, least: number): number {
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const slot = touched[index] ?? 0;
      if ((sums[slot] ?? 0) >= least) touched[kept++] = slot;
      else sums[slot] = 0;
    }
    return kept;
  }

  /** The sum in the order of the query. */
  function exactScore(active: readonly Cursor[], from: number, ordinal: number, length: number): number {
    let sum = 0;
    for (const { term, at } of active) {
      const { postings } = term.list;
      const posting = postings[seek(postings, at, ordinal)] ?? 0;
      if (posting === 0 || posting >>> 8 !== ordinal) continue;
      const code = posting & 255;
      const frequency = code === FREQUENT ? term.frequencyOf(from + ordinal) : code;
      sum += (term.idf * frequency * (K1 + 1)) / (frequency + normOf(length));
    }
    return sum;
  }

  function boundOf(idf: number, frequency: number, length: number): number {
    // What the share approaches as the frequency grows.
    if (frequency === FREQUENT) return idf * (K1 + 1);
    return (idf * frequency * (K1 + 1)) / (frequency + normOf(length));
  }

  function normOf(length: number): number {
    const known = length < KNOWN_LENGTHS ? (norms[length] ?? 0) : 0;
    if (known > 0) return known;
    const norm = K1 * (1 - B + (B * length) / average);
    if (length < KNOWN_LENGTHS) norms[length] = norm;
    return norm;
  }
}

/** The terms that have to be read; the others, `rest` together at most, can't make a chunk one of the best by themselves. */
function splitTerms(
  active: readonly Cursor[],
  least: number,
): { readonly essential: ReadonlySet<Cursor>; readonly rest: number } {
  const essential = new Set(active);
  let rest = 0;
  for (const cursor of [...active].sort((left, right) => left.bound - right.bound)) {
    if (rest + cursor.bound >= least) break;
    rest += cursor.bound;
    essential.delete(cursor);
  }
  return { essential, rest };
}

/** What a bound must reach for a chunk to be one of the best; an equal score may be, by its id. */
function leastOf(top: Top): number {
  return top.threshold * LEEWAY;
}
