import { compareText } from '../../../core/ids.js';

/** An ordinal with its score. */
export interface Found {
  readonly ordinal: number;
  readonly score: number;
}

/** Keeps the best `limit` of everything that is offered. */
export interface Top {
  offer(ordinal: number, score: number): void;
  /** What is below is not kept: the worst score when there are as many as wanted, else minus infinity. */
  readonly threshold: number;
  /** Best first, ties by ascending id. */
  take(): readonly Found[];
}

/**
 * A bounded heap whose root is the worst one kept. Ids decide between equal scores only, at the cut as within the list, so the same
 * rows give the same answer wherever they happen to lie; `idOf` is therefore rarely called, and each id is read once.
 */
export function createTop(limit: number, idOf: (ordinal: number) => string): Top {
  const heap: Found[] = [];
  const ids = new Map<number, string>();
  let threshold = Number.NEGATIVE_INFINITY;

  /** Below zero when `left` is the better one. */
  const compare = (left: Found, right: Found): number =>
    left.score === right.score ? compareText(id(left.ordinal), id(right.ordinal)) : right.score - left.score;

  return {
    offer(ordinal, score) {
      if (score < threshold) return;
      const found = { ordinal, score };
      const [worst] = heap;
      if (heap.length < limit) {
        heap.push(found);
        rise(heap.length - 1);
      } else if (worst !== undefined && compare(found, worst) < 0) {
        ids.delete(worst.ordinal);
        heap[0] = found;
        sink();
      }
      if (heap.length === limit) threshold = heap[0]?.score ?? Number.NEGATIVE_INFINITY;
    },
    get threshold() {
      return threshold;
    },
    take: () => heap.sort(compare),
  };

  function id(ordinal: number): string {
    let known = ids.get(ordinal);
    if (known === undefined) {
      known = idOf(ordinal);
      ids.set(ordinal, known);
      // Of a run of equal scores only those kept are asked for again.
      if (ids.size > 4 * limit + 64) ids.clear();
    }
    return known;
  }

  function rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isWorse(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }

  function sink(): void {
    let at = 0;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isWorse(child, worst)) worst = child;
      if (worst === at) return;
      swap(at, worst);
      at = worst;
    }
  }

  function isWorse(left: number, right: number): boolean {
    const a = heap[left];
    const b = heap[right];
    return a !== undefined && b !== undefined && compare(a, b) > 0;
  }

  function swap(left: number, right: number): void {
    const a = heap[left];
    const b = heap[right];
    if (a === undefined || b === undefined) return;
    heap[left] = b;
    heap[right] = a;
  }
}
