import type { CallOptions, LocalCache } from './contracts.js';
import { createFlights } from './flights.js';
import { abortable } from './flow.js';
import type { Memoised, Tiers } from './tiers.js';
import type { CacheLayerStats } from './types.js';

export interface MemoParts<Value> {
  /** undefined: nothing is kept, but identical requests still share one computation. */
  readonly local: LocalCache<Memoised<Value>> | undefined;
  /** Beyond this process; only with a `local`. @default none */
  readonly tiers?: Tiers<Value> | undefined;
  /** Resident bytes of a value, roughly. */
  readonly sizeOf: (value: Value) => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export type Compute<Value> = (missing: readonly number[], signal: AbortSignal) => Promise<readonly Value[]>;

/**
 * One read-through layer: this process, then the tiers beyond it, then the computation. Identical keys asked for at the same time
 * are looked up once and computed once. Failures are not kept.
 */
export interface Memo<Value> {
  /** Whether there are tiers beyond this process. */
  readonly isShared: boolean;
  /** Whether it is kept in this process or under way; counts nothing. */
  has(key: string): boolean;
  /** What is kept in this process, at once. */
  peek(key: string): Value | undefined;
  /** What the tiers beyond hold, after `peek` found none. */
  fetch(key: string, options?: CallOptions): Promise<Value | undefined>;
  /** Computes one value after `peek` and `fetch` found none; `joined`: it was under way already. */
  compute(
    key: string,
    compute: (signal: AbortSignal) => Promise<Value>,
    options?: CallOptions,
  ): Promise<{ value: Value; joined: boolean }>;
  /** `compute` gets the positions of the keys that are neither kept anywhere nor under way, and returns their values in that order. */
  getMany(keys: readonly string[], compute: Compute<Value>, options?: CallOptions): Promise<readonly Value[]>;
  /** Resolves when what was to be kept beyond this process is. */
  settled(): Promise<void>;
  /** A hit is a value that was kept or under way; a miss, one that had to be computed. */
  stats(): CacheLayerStats;
}

export function createMemo<Value>({ local, tiers, sizeOf, clock }: MemoParts<Value>): Memo<Value> {
  const flights = createFlights<Value>();
  const lookUps = new Map<string, Promise<Memoised<Value> | undefined>>();
  /** Found in this process, found beyond it, joined under way, computed: every request is one of these. */
  const count = { local: 0, beyond: 0, joined: 0, computed: 0 };
  let savedMs = 0;

  function peek(key: string): Value | undefined {
    const startedAt = clock();
    const kept = local?.get(key);
    if (kept === undefined) return undefined;
    count.local++;
    savedMs += kept.costMs - (clock() - startedAt);
    return kept.value;
  }

  async function fetchMany(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly (Value | undefined)[]> {
    if (tiers === undefined || keys.length === 0) return keys.map(() => undefined);
    const startedAt = clock();
    lookUp(
      tiers,
      [...new Set(keys)].filter((key) => !lookUps.has(key)),
    );
    const entries = await abortable(Promise.all(keys.map((key) => lookUps.get(key))), signal);
    const waitedMs = (clock() - startedAt) / keys.length;
    return entries.map((entry) => {
      if (entry === undefined) return undefined;
      count.beyond++;
      savedMs += entry.costMs - waitedMs;
      return entry.value;
    });
  }

  /** Starts one look-up for all of `keys`; whoever asks for one of them meanwhile waits for it too. */
  function lookUp({ fetch }: Tiers<Value>, keys: readonly string[]): void {
    if (keys.length === 0) return;
    const found = fetch(keys);
    keys.forEach((key, index) => {
      const one = found.then((entries) => {
        lookUps.delete(key);
        const entry = entries[index];
        if (entry !== undefined) local?.set(key, entry, sizeOf(entry.value));
        return entry;
      });
      lookUps.set(key, one);
    });
  }

  /** Starts one computation for all of `keys`. */
  function start(keys: readonly string[], compute: (signal: AbortSignal) => Promise<readonly Value[]>): void {
    count.computed += keys.length;
    const startedAt = clock();
    flights.start(keys, async (signal) => {
      const values = await compute(signal);
      keep(keys, values, (clock() - startedAt) / keys.length);
      return values;
    });
  }

  function keep(keys: readonly string[], values: readonly Value[], costMs: number): void {
    if (local === undefined || values.length !== keys.length) return;
    const entries = new Map<string, Memoised<Value>>();
    values.forEach((value, index) => {
      const key = keys[index] ?? '';
      entries.set(key, { value, costMs });
      local.set(key, { value, costMs }, sizeOf(value));
    });
    tiers?.keep(entries);
  }

  return {
    isShared: local !== undefined && tiers !== undefined,
    has: (key) => local?.get(key) !== undefined || flights.has(key),
    peek,
    fetch: async (key, { signal } = {}) => (await fetchMany([key], signal))[0],

    async compute(key, compute, { signal } = {}) {
      signal?.throwIfAborted();
      const joined = flights.has(key);
      if (joined) count.joined++;
      else start([key], async (flight) => [await compute(flight)]);
      const [value] = await flights.join([key], signal);
      return { value: value as Value, joined }; // one was waited for
    },

    async getMany(keys, compute, { signal } = {}) {
      signal?.throwIfAborted();
      const values: (Value | undefined)[] = keys.map(peek);
      const absent = () => keys.flatMap((key, index) => (values[index] === undefined ? [{ key, index }] : []));

      const elsewhere = absent().filter(({ key }) => !flights.has(key));
      const fetched = await fetchMany(
        elsewhere.map(({ key }) => key),
        signal,
      );
      elsewhere.forEach(({ index }, position) => {
        values[index] = fetched[position];
      });

      const missing = absent();
      if (missing.length > 0) {
        const fresh = new Map<string, number>(); // a key may be asked for twice in one call
        for (const { key, index } of missing) if (!flights.has(key) && !fresh.has(key)) fresh.set(key, index);
        if (fresh.size > 0) start([...fresh.keys()], (flight) => compute([...fresh.values()], flight));
        count.joined += missing.length - fresh.size;
        const computed = await flights.join(
          missing.map(({ key }) => key),
          signal,
        );
        missing.forEach(({ index }, position) => {
          values[index] = computed[position];
        });
      }
      return values as readonly Value[]; // every gap was filled, or the wait above threw
    },

    settled: async () => tiers?.settled(),

    stats() {
      const hits = count.local + count.beyond + count.joined;
      const total = hits + count.computed;
      const memory = { name: 'memory', hits: count.local + count.joined, misses: count.beyond + count.computed, errors: 0 };
      return {
        hits,
        misses: count.computed,
        hitRate: total === 0 ? 0 : hits / total,
        entries: local?.entries ?? 0,
        bytes: local?.bytes ?? 0,
        evictions: local?.evictions ?? 0,
        savedMs,
        tiers: local === undefined ? [] : [memory, ...(tiers?.stats() ?? [])],
      };
    },
  };
}
