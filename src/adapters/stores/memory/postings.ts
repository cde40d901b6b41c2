/** Words of a list's first slice, the last of which links to the next; each next slice is twice as long, up to the longest. */
const FIRST_SLICE = 5;
const LONGEST_SLICE = 1025;

/**
 * Lists of (ordinal, frequency) pairs, one a term, that all grow in a single typed array. Each list is a chain of slices, so appending
 * never moves what is there, and a term met only once costs five words.
 */
export interface Postings {
  /** Appends to a term's list; a new term's id is the number of terms before it. */
  append(term: number, ordinal: number, frequency: number): void;
  read(term: number): PostingReader;
}

/** Reads one list from its start. */
export interface PostingReader {
  /** Pairs that were not read yet. */
  readonly left: number;
  /** Reads `limit` pairs, or what is left. */
  read(limit: number, visit: (ordinal: number, frequency: number) => void): void;
}

/** What is kept of each list. */
const HEAD = { first: 0, next: 1, free: 2, slice: 3, pairs: 4, size: 5 } as const;

export function createPostings(): Postings {
  let pool = new Uint32Array(4096);
  let used = 1; // 0 stands for "no slice"
  let heads = new Uint32Array(HEAD.size * 1024);

  return {
    append(term, ordinal, frequency) {
      const head = HEAD.size * term;
      if (head + HEAD.size > heads.length) heads = grown(heads, head + HEAD.size);
      if (heads[head + HEAD.first] === 0) {
        const slice = allocate(FIRST_SLICE);
        heads[head + HEAD.first] = slice;
        startSlice(head, slice, FIRST_SLICE);
      } else if (heads[head + HEAD.free] === 0) {
        const length = sliceAfter(heads[head + HEAD.slice] ?? 0);
        const slice = allocate(length);
        pool[heads[head + HEAD.next] ?? 0] = slice;
        startSlice(head, slice, length);
      }
      const at = heads[head + HEAD.next] ?? 0;
      pool[at] = ordinal;
      pool[at + 1] = frequency;
      heads[head + HEAD.next] = at + 2;
      heads[head + HEAD.free] = (heads[head + HEAD.free] ?? 0) - 2;
      heads[head + HEAD.pairs] = (heads[head + HEAD.pairs] ?? 0) + 1;
    },
    read(term) {
      let at = heads[HEAD.size * term + HEAD.first] ?? 0;
      let left = heads[HEAD.size * term + HEAD.pairs] ?? 0;
      let slice = FIRST_SLICE;
      let inSlice = slice - 1;
      return {
        get left() {
          return left;
        },
        read(limit, visit) {
          for (const end = Math.max(0, left - limit); left > end; left--) {
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
    heads[head + HEAD.next] = slice;
    heads[head + HEAD.free] = length - 1;
    heads[head + HEAD.slice] = length;
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
