import type { Pace } from '../../../../core/turns.js';
import type { Bitset } from '../bitset.js';
import { type Kernel, type KernelGlobal, MOST_POOL } from '../kernel/kernel.js';
import { setQueryVector, type VectorRows } from './vector-rows.js';

/** One query on its way. What it finds is offered with its exact score: the dot product, or the squared distance. */
export interface Search {
  /** How many rows of those up to `rows`, a multiple of 32, may be found. */
  allowedUpTo(rows: number): number;
  /** Follows the graph, all of whose rows may be found. False: nothing was offered, compare the rows. */
  follow(ef: number): boolean;
  /** Follows the graph to rows that may be found. False: nothing was offered, compare the rows. */
  followMasked(ef: number, budget: number): boolean;
  /** Compares the rows from `first`, a multiple of 32, on. */
  scan(first: number, pace: Pace): Promise<void>;
}

/** Numbers that are compared between two looks at the clock: about half a millisecond. */
const NUMBERS_A_LOOK = 2 ** 23;
/** The same for exact scores, which take five times as long. */
const ROWS_A_SCORE = 2048;
/** Places beyond which exact scores of all rows are cheaper than keeping that many in order. */
export const MOST_KEPT = 1024;

export function createSearch(
  vectors: VectorRows,
  query: Float32Array,
  allowed: Bitset,
  limit: number,
  offer: (row: number, score: number) => void,
): Search {
  // Rows that come while this one waits are not for it.
  const { count } = vectors;
  const total = (count + 31) & ~31;
  // By their first codes rows are hardly ever further off their place than this.
  const kept = limit + Math.max(10, Math.ceil(limit / 2));
  let kernel = vectors.kernel;
  begin();

  return {
    allowedUpTo: (rows) => kernel.exports.intersectMask(0, rows),
    follow(ef) {
      const { exports } = kernel;
      exports.searchLevel(exports.descend(0), 0, ef);
      return takeChains();
    },
    followMasked(ef, budget) {
      const { exports } = kernel;
      return Boolean(exports.searchMasked(exports.descend(0), ef, budget)) && takeChains();
    },
    async scan(first, pace) {
      const found = kernel.exports.intersectMask(first, count);
      const isFew = kept > MOST_KEPT || found <= 2 * kept;
      const width = isFew ? MOST_POOL : Math.max(1024, (NUMBERS_A_LOOK / kernel.shape.dimensions) & ~31);
      for (let start = first; start < count; start += width) {
        const end = Math.min(count, start + width);
        if (isFew) offerAll(start, end);
        else offerBest(start, end);
        if (end === count) return;
        const waiting = pace();
        if (waiting === undefined) continue;
        await waiting;
        begin();
        kernel.exports.intersectMask(first, count);
      }
    },
  };

  /** Others may have used the kernel: it holds one query at a time. */
  function begin(): void {
    kernel = vectors.kernel;
    const { exports } = kernel;
    setQueryVector(kernel, query);
    exports.prepareQuery();
    const mask = words(kernel, exports.mask, total / 32);
    mask.fill(0, Math.min(allowed.words.length, mask.length));
    mask.set(allowed.words.subarray(0, mask.length));
  }

  function offerBest(first: number, last: number): void {
    const { exports } = kernel;
    exports.reset(kept);
    exports.scanRows(first, last);
    const areTied = exports.tiesLeft.value > 0;
    const worst = exports.worst.value;
    take(exports.takeAbove(areTied ? worst : Number.NEGATIVE_INFINITY));
    if (areTied) offerTies(first, last, worst);
  }

  /** Many rows share the worst key that was kept: which of them are best is decided by ids, so all must be known. */
  function offerTies(first: number, last: number, key: number): void {
    for (let start = first; start < last; start += MOST_POOL) {
      const end = Math.min(last, start + MOST_POOL);
      take(kernel.exports.rowsWithKey(start, end, key));
    }
  }

  function offerAll(first: number, last: number): void {
    for (let start = first; start < last; start += ROWS_A_SCORE) {
      take(kernel.exports.scoreRows(start, Math.min(last, start + ROWS_A_SCORE)));
    }
  }

  function takeChains(): boolean {
    const found = kernel.exports.takeChains(kept, MOST_POOL);
    if (found > MOST_POOL) return false;
    take(found);
    return true;
  }

  function take(found: number): void {
    const rows = words(kernel, kernel.exports.rowsOut, found);
    const { buffer, byteOffset } = kernel.bytes(kernel.exports.scoresOut, 0);
    const scores = new Float32Array(buffer, byteOffset, found);
    for (let index = 0; index < found; index++) offer(rows[index] ?? 0, scores[index] ?? 0);
  }
}

function words(kernel: Kernel, global: KernelGlobal, count: number): Uint32Array {
  const { buffer, byteOffset } = kernel.bytes(global, 0);
  return new Uint32Array(buffer, byteOffset, count);
}
