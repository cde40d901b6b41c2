import type { Pace } from '../../../core/turns.js';

/** Words of a list's first slice, the last of which links to the next; each next slice is twice as long, up to the longest. */
const FIRST_SLICE = 5;
const LONGEST_SLICE = 1025;

/** What is kept of each list that grows. Plain constants: these are read for every posting, also before anything is compiled. */
const FIRST = 0;
const NEXT = 1;
const FREE = 2;
const SLICE = 3;
const PAIRS = 4;
const HEAD = 5;

/** The words of one chunk: for each its term and how often it occurs. */
export interface PostingRow {
  readonly ordinal: number;
  /** Terms by place. */
  readonly terms: Uint32Array;
  /** Place and frequency in turn. */
  readonly pairs: ArrayLike<number>;
}

/**
 * Lists of (ordinal, frequency) pairs, one a term. Those there at the start lie packed, one list behind the other. What comes later is
 * appended to chains of slices in a single typed array: appending never moves what is there, and a term met only once costs five words.
 */
export interface Postings {
  /** Appends to the lists of a chunk's terms; a new term's id is the number of terms before it. */
  append(row: PostingRow): void;
  read(term: number): PostingReader;
}

/** Reads one list from its start. */
export interface PostingReader {
  /** Pairs that were not read yet. */
  readonly left: number;
  /** Reads `limit` pairs, or what is left. */
  read(limit: number, visit: (ordinal: number, frequency: number) => void): void;
}

/** Lists that lie packed; term `t` has the pairs from `starts[t]` to `starts[t + 1]`. */
export interface PackedPostings {
  readonly starts: Uint32Array;
  readonly pairs: Uint32Array;
}

/**
 * Packs the postings of many chunks at once, by counting: two passes of the simplest loops, which are fast also in a process that
 * has just begun (appending one by one took a cold process four times as long).
 */
export async function packPostings(rows: readonly PostingRow[], terms: number, pace: Pace): Promise<PackedPostings> {
  const starts = new Uint32Array(terms + 1);
  for (const row of rows) {
    countRow(row, starts);
    await pace();
  }
  let sum = 0;
  for (let term = 0; term <= terms; term++) {
    const count = starts[term] ?? 0;
    starts[term] = sum;
    sum += count;
  }
  const next = starts.slice();
  const pairs = new Uint32Array(2 * sum);
  for (const row of rows) {
    placeRow(row, next, pairs);
    await pace();
  }
  return { starts, pairs };
}

export function createPostings(packed: PackedPostings = { starts: new Uint32Array(1), pairs: new Uint32Array(0) }): Postings {
  let pool = new Uint32Array(4096);
  let used = 1; // 0 stands for "no slice"
  let heads = new Uint32Array(HEAD * 1024);

  return {
    append({ ordinal, terms, pairs }) {
      for (let place = 0; place < pairs.length; place += 2) {
        const head = HEAD * (terms[pairs[place] ?? 0] ?? 0);
        if (head + HEAD > heads.length) heads = grown(heads, head + HEAD);
        if (heads[head + FIRST] === 0) {
          const slice = allocate(FIRST_SLICE);
          heads[head + FIRST] = slice;
          startSlice(head, slice, FIRST_SLICE);
        } else if (heads[head + FREE] === 0) {
          const length = sliceAfter(heads[head + SLICE] ?? 0);
          const slice = allocate(length);
          pool[heads[head + NEXT] ?? 0] = slice;
          startSlice(head, slice, length);
        }
        const at = heads[head + NEXT] ?? 0;
        pool[at] = ordinal;
        pool[at + 1] = pairs[place + 1] ?? 0;
        heads[head + NEXT] = at + 2;
        heads[head + FREE] = (heads[head + FREE] ?? 0) - 2;
        heads[head + PAIRS] = (heads[head + PAIRS] ?? 0) + 1;
      }
    },
    read(term) {
      let packedAt = term + 1 < packed.starts.length ? 2 * (packed.starts[term] ?? 0) : 0;
      const packedEnd = term + 1 < packed.starts.length ? 2 * (packed.starts[term + 1] ?? 0) : 0;
      let at = heads[HEAD * term + FIRST] ?? 0;
      let left = (packedEnd - packedAt) / 2 + (heads[HEAD * term + PAIRS] ?? 0);
      let slice = FIRST_SLICE;
      let inSlice = slice - 1;
      return {
        get left() {
          return left;
        },
        read(limit, visit) {
          for (const end = Math.max(0, left - limit); left > end; left--) {
            if (packedAt < packedEnd) {
              visit(packed.pairs[packedAt] ?? 0, packed.pairs[packedAt + 1] ?? 0);
              packedAt += 2;
              continue;
            }
            if (inSlice === 0) {
              at = pool[at] ?? 0;
              slice = sliceAfter(slice);
              inSlice = slice - 1;
            }
            visit(pool[at] ?? 0, pool[at + 1] ?? 0);
            at += 2;
            inSlice -= 2;
          }
        },
      };
    },
  };

  function allocate(words: number): number {
    if (used + words > pool.length) pool = grown(pool, used + words);
    used += words;
    return used - words;
  }

  function startSlice(head: number, slice: number, length: number): void {
    heads[head + NEXT] = slice;
    heads[head + FREE] = length - 1;
    heads[head + SLICE] = length;
  }
}

function countRow({ terms, pairs }: PostingRow, counts: Uint32Array): void {
  for (let place = 0; place < pairs.length; place += 2) {
    const term = terms[pairs[place] ?? 0] ?? 0;
    counts[term] = (counts[term] ?? 0) + 1;
  }
}

function placeRow({ ordinal, terms, pairs }: PostingRow, next: Uint32Array, target: Uint32Array): void {
  for (let place = 0; place < pairs.length; place += 2) {
    const term = terms[pairs[place] ?? 0] ?? 0;
    const at = next[term] ?? 0;
    next[term] = at + 1;
    target[2 * at] = ordinal;
    target[2 * at + 1] = pairs[place + 1] ?? 0;
  }
}

function sliceAfter(length: number): number {
  return Math.min(LONGEST_SLICE, 2 * (length - 1) + 1);
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
