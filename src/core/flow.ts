/** How work flows: aborts that reach every wait, batches, bounded concurrency. */

/** Waits for `work`, but no longer than `signal` allows; the work itself goes on. */
export function abortable<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  if (signal.aborted) {
    work.catch(() => {}); // nobody waits for it any more
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Aborts when either does; one that is absent never does. */
export function eitherSignal(one: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return one === undefined ? other : AbortSignal.any([one, other]);
}

/** Cuts a list into runs of at most `size`. */
export function* batches<Item>(items: readonly Item[], size: number): Iterable<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Gathers a stream into runs of at most `size`; the last one may be shorter. */
export async function* batchesOf<Item>(items: AsyncIterable<Item>, size: number): AsyncIterable<readonly Item[]> {
  let batch: Item[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The same items, each asked for while the one before is worked on. */
export async function* prefetch<Item>(items: AsyncIterable<Item>): AsyncIterable<Item> {
  const iterator = items[Symbol.asyncIterator]();
  const ask = () => {
    const asked = iterator.next();
    asked.catch(() => {}); // told when its turn comes
    return asked;
  };
  let next = ask();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = ask();
      yield value;
    }
  } finally {
    await next.catch(() => {}); // a generator takes its end only between two items
    await iterator.return?.();
  }
}

/** Works on at most `ahead` items at once, and yields the results in the items' order, as fast as they are taken. */
export async function* mapAhead<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  ahead: number,
  work: (item: Item) => Promise<Result>,
): AsyncIterable<Result> {
  const underWay: Promise<Result>[] = [];
  for await (const item of items) {
    if (underWay.length >= ahead) {
      const oldest = underWay.shift();
      if (oldest !== undefined) yield await oldest;
    }
    const started = work(item);
    started.catch(() => {}); // told when its turn comes
    underWay.push(started);
  }
  for (const started of underWay) yield await started;
}

/** Work that goes on beside its caller, one item after the other. */
export interface Stage<Item> {
  /** Hands an item on, once the one before is done. @throws what the work on an earlier one threw */
  push(item: Item): Promise<void>;
  /** Resolves when all that was handed on is done. @throws as `push` */
  done(): Promise<void>;
}

/** A stage of a pipeline: one item is worked on while the caller makes the next, and no third one is there. */
export function createStage<Item>(work: (item: Item) => Promise<void>): Stage<Item> {
  let underWay: Promise<void> = Promise.resolve();
  return {
    async push(item) {
      await underWay;
      underWay = work(item);
      underWay.catch(() => {}); // told at the next push, or at the end
    },
    done: () => underWay,
  };
}

/** All items of a bounded stream. */
export async function toArray<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
