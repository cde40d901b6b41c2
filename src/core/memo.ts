import type { CallOptions, LocalCache } from './contracts.js';
import { abortable } from './flow.js';
import type { CacheLayerStats } from './types.js';

/** A value and what computing it had cost: the time that each later hit saves. */
export interface Memoised<Value> {
  readonly value: Value;
  readonly costMs: number;
}

export interface MemoParts<Value> {
  /** undefined: nothing is kept, but identical requests still share one computation. */
  readonly local: LocalCache<Memoised<Value>> | undefined;
  /** Resident bytes of a value, roughly. */
  readonly sizeOf: (value: Value) => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export type Compute<Value> = (missing: readonly number[], signal: AbortSignal) => Promise<readonly Value[]>;

/**
 * A read-through cache layer with single flight. Identical keys asked for at the same time are computed once; the computation
 * is aborted only when everyone who waits for it has gone. Failures are not kept.
 */
export interface Memo<Value> {
  /** Whether it is kept or under way; counts nothing. */
  has(key: string): boolean;
  /** What is kept, without computing. */
  peek(key: string): Value | undefined;
  /** `compute` gets the positions of the keys that are neither kept nor under way, and returns their values in that order. */
  getMany(keys: readonly string[], compute: Compute<Value>, options?: CallOptions): Promise<readonly Value[]>;
  /** Computes one value after `peek` found none; `joined`: it was under way already. */
  compute(
    key: string,
    compute: (signal: AbortSignal) => Promise<Value>,
    options?: CallOptions,
  ): Promise<{ value: Value; joined: boolean }>;
  /** A hit is a value that was kept or under way; a miss, one that had to be computed. */
  stats(): CacheLayerStats;
}

interface Flight {
  waiters: number;
  readonly controller: AbortController;
}

export function createMemo<Value>({ local, sizeOf, clock }: MemoParts<Value>): Memo<Value> {
  const underWay = new Map<string, { readonly flight: Flight; readonly value: Promise<Value> }>();
  let hits = 0;
  let misses = 0;
  let savedMs = 0;

  function look(key: string): Value | undefined {
    const kept = local?.get(key);
    if (kept === undefined) return undefined;
    hits++;
    savedMs += kept.costMs;
    return kept.value;
  }

  /** Starts one computation for all of `keys`. */
  function start(keys: readonly string[], compute: (signal: AbortSignal) => Promise<readonly Value[]>): void {
    misses += keys.length;
    const flight: Flight = { waiters: 0, controller: new AbortController() };
    const startedAt = clock();
    const values = compute(flight.controller.signal).then((computed) => {
      const costMs = (clock() - startedAt) / Math.max(1, keys.length);
      computed.forEach((value, index) => {
        const key = keys[index];
        if (key !== undefined) local?.set(key, { value, costMs }, sizeOf(value));
      });
      return computed;
    });
    keys.forEach((key, index) => {
      const value = values.then((computed) => {
        const one = computed[index];
        if (one === undefined) throw new TypeError(`memo: ${computed.length} values computed for ${keys.length} keys`);
        return one;
      });
      underWay.set(key, { flight, value });
      value
        .catch(() => {}) // told to whoever waits
        .finally(() => {
          if (underWay.get(key)?.flight === flight) underWay.delete(key);
        });
    });
  }

  /** Waits for work under way, as one of its waiters. */
  async function join(
    waited: readonly { readonly flight: Flight; readonly value: Promise<Value> }[],
    signal: AbortSignal | undefined,
  ) {
    const flights = new Set(waited.map(({ flight }) => flight));
    for (const flight of flights) flight.waiters++;
    try {
      return await abortable(Promise.all(waited.map(({ value }) => value)), signal);
    } finally {
      for (const flight of flights) {
        if (--flight.waiters === 0) flight.controller.abort(signal?.reason);
      }
    }
  }

  /** Work under way that can still be joined: one that was aborted will only fail. */
  function joinable(key: string) {
    const running = underWay.get(key);
    return running === undefined || running.flight.controller.signal.aborted ? undefined : running;
  }

  return {
    has: (key) => local?.get(key) !== undefined || joinable(key) !== undefined,
    peek: look,

    async getMany(keys, compute, { signal } = {}) {
      signal?.throwIfAborted();
      const values: (Value | undefined)[] = keys.map(look);
      const absent = keys.flatMap((_, index) => (values[index] === undefined ? [index] : []));
      if (absent.length > 0) {
        const fresh = new Map<string, number>(); // a key may be asked for twice in one call
        for (const index of absent) {
          const key = keys[index] ?? '';
          if (joinable(key) === undefined && !fresh.has(key)) fresh.set(key, index);
        }
        if (fresh.size > 0) start([...fresh.keys()], (flightSignal) => compute([...fresh.values()], flightSignal));
        hits += absent.length - fresh.size;
        const waited = absent.flatMap((index) => underWay.get(keys[index] ?? '') ?? []);
        const joined = await join(waited, signal);
        absent.forEach((index, position) => {
          values[index] = joined[position];
        });
      }
      return values as readonly Value[]; // every gap was filled, or the wait above threw
    },

    async compute(key, compute, { signal } = {}) {
      signal?.throwIfAborted();
      const joined = joinable(key) !== undefined;
      if (joined) hits++;
      else start([key], async (flightSignal) => [await compute(flightSignal)]);
      const running = underWay.get(key);
      if (running === undefined) throw new TypeError('memo: work ended before it began');
      const [value] = await join([running], signal);
      return { value: value as Value, joined }; // one was waited for
    },

    stats() {
      const counted = { hits, misses };
      return {
        ...counted,
        hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
        entries: local?.entries ?? 0,
        bytes: local?.bytes ?? 0,
        evictions: local?.evictions ?? 0,
        savedMs,
        tiers: local === undefined ? [] : [{ name: 'memory', ...counted, errors: 0 }],
      };
    },
  };
}
