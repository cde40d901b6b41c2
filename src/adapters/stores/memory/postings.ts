/** Words of a list's first slice, the last of which links to the next; each next slice is twice as long, up to the longest. */
const FIRST_SLICE = 3;
const LONGEST_SLICE = 1025;

/** What is kept of each list that grows. Plain constants: these are read for every posting, also before anything is compiled. */
const FIRST = 0;
const NEXT = 1;
const FREE = 2;
const SLICE = 3;
const COUNT = 4;
const HEAD = 5;

/**
 * Lists of numbers that grow at their ends, one a term, as chains of slices in a single typed array: appending never moves what is there,
 * and a term met only once costs three words.
 */
export interface Postings {
  /** A new term's id is the number of terms before it. */
  append(term: number, posting: number): void;
  /** A copy of one list. */
  read(term: number): Uint32Array;
}

export function createPostings(): Postings {
  let pool = new Uint32Array(4096);
  let used = 1; // 0 stands for "no slice"
  let heads = new Uint32Array(HEAD * 1024);

  return {
    append(term, posting) {
      const head = HEAD * term;
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
      pool[at] = posting;
      heads[head + NEXT] = at + 1;
      heads[head + FREE] = (heads[head + FREE] ?? 0) - 1;
      heads[head + COUNT] = (heads[head + COUNT] ?? 0) + 1;
    },
    read(term) {
      const list = new Uint32Array(heads[HEAD * term + COUNT] ?? 0);
      let slice = heads[HEAD * term + FIRST] ?? 0;
      let length = FIRST_SLICE;
      for (let done = 0; done < list.length; ) {
        const count = Math.min(length - 1, list.length - done);
        list.set(pool.subarray(slice, slice + count), done);
        done += count;
        slice = pool[slice + length - 1] ?? 0;
        length = sliceAfter(length);
      }
      return list;
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

function sliceAfter(length: number): number {
  return Math.min(LONGEST_SLICE, 2 * (length - 1) + 1);
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
