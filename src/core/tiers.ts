import type { Codec } from './codecs.js';
import { type Checksum, FRAME_BYTES, frame, unframe } from './frame.js';
import type { GuardedCache } from './guard.js';
import type { CacheTierStats } from './types.js';

/** A value and what computing it had cost: the time that each later hit saves. */
export interface Memoised<Value> {
  readonly value: Value;
  readonly costMs: number;
}

/** Bytes on their way to one tier; what comes when these wait is not kept there. */
const MOST_WAITING_BYTES = 33_554_432;

export interface TiersParts<Value> {
  /** The nearest first. */
  readonly caches: readonly GuardedCache[];
  /** What the values depend on besides their keys: two that differ never meet. */
  readonly namespace: string;
  readonly codec: Codec<Value>;
  /** @default until the cache pushes it out */
  readonly ttlMs: number | undefined;
  /** Hex digest of a text. */
  readonly digest: (text: string) => string;
  readonly checksum: Checksum;
}

/** The tiers of one layer beyond its process. Nothing here fails: what can't be had is absent, and counted. */
export interface Tiers<Value> {
  /** In the order of the keys. What a farther tier has is kept in the nearer ones. */
  fetch(keys: readonly string[]): Promise<readonly (Memoised<Value> | undefined)[]>;
  /** Written meanwhile; nobody waits. */
  keep(entries: ReadonlyMap<string, Memoised<Value>>): void;
  /** Resolves when what was to be kept is written, or lost. */
  settled(): Promise<void>;
  /** Errors: keys that could not be looked up or kept, and values that were no such values. */
  stats(): readonly CacheTierStats[];
}

export function createTiers<Value>(parts: TiersParts<Value>): Tiers<Value> {
  const tiers = parts.caches.map((cache) => createTier(cache, parts));
  return {
    async fetch(keys) {
      const found = new Map<string, Memoised<Value>>();
      for (const [depth, tier] of tiers.entries()) {
        const missing = keys.filter((key) => !found.has(key));
        if (missing.length === 0) break;
        const here = await tier.fetch(missing);
        for (const nearer of tiers.slice(0, depth)) nearer.keep(here);
        for (const [key, entry] of here) found.set(key, entry);
      }
      return keys.map((key) => found.get(key));
    },
    keep(entries) {
      for (const tier of tiers) tier.keep(entries);
    },
    async settled() {
      await Promise.all(tiers.map((tier) => tier.settled()));
    },
    stats: () => tiers.map((tier) => tier.stats()),
  };
}

function createTier<Value>(cache: GuardedCache, { namespace, codec, ttlMs, digest, checksum }: TiersParts<Value>) {
  const writing = new Set<Promise<void>>();
  let waitingBytes = 0;
  let hits = 0;
  let misses = 0;
  let errors = 0;

  /** Of one length and alphabet whatever the request holds: no server's limit on keys is met, and none tells what was asked. */
  function addressOf(key: string): string {
    return `hotrag:${digest(`${namespace}\n${key}`)}`;
  }

  function decode(address: string, bytes: Uint8Array): Memoised<Value> | undefined {
    const framed = unframe(address, bytes, checksum);
    const value = framed && codec.decode(framed.payload);
    return framed === undefined || value === undefined ? undefined : { value, costMs: framed.costMs };
  }

  async function write(entries: ReadonlyMap<string, Uint8Array>, bytes: number): Promise<void> {
    waitingBytes += bytes;
    if (!(await cache.set(entries, ttlMs))) errors += entries.size;
    waitingBytes -= bytes;
  }

  return {
    async fetch(keys: readonly string[]): Promise<ReadonlyMap<string, Memoised<Value>>> {
      const addresses = keys.map(addressOf);
      const values = await cache.get(addresses);
      const found = new Map<string, Memoised<Value>>();
      keys.forEach((key, index) => {
        const bytes = values?.[index];
        const entry = bytes && decode(addresses[index] ?? '', bytes);
        if (entry !== undefined) {
          hits++;
          found.set(key, entry);
        } else if (values !== undefined && bytes === undefined) misses++;
        else errors++;
      });
      return found;
    },

    keep(entries: ReadonlyMap<string, Memoised<Value>>): void {
      const framed = new Map<string, Uint8Array>();
      let bytes = 0;
      for (const [key, { value, costMs }] of entries) {
        const payload = codec.encode(value);
        if (payload.length + FRAME_BYTES > cache.maxValueBytes) continue; // stays in the process
        const address = addressOf(key);
        framed.set(address, frame(address, { payload, costMs }, checksum));
        bytes += payload.length + FRAME_BYTES;
      }
      if (framed.size === 0) return;
      if (waitingBytes + bytes > MOST_WAITING_BYTES) {
        errors += framed.size;
        return;
      }
      const written = write(framed, bytes);
      writing.add(written);
      written.finally(() => writing.delete(written));
    },

    async settled(): Promise<void> {
      await Promise.all(writing);
    },

    stats: (): CacheTierStats => ({ name: cache.name, hits, misses, errors }),
  };
}
