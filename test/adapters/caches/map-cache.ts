import type { Cache } from '../../../src/core/contracts.js';
import { RagError } from '../../../src/core/errors.js';

export interface MapCache extends Cache {
  readonly entries: Map<string, { value: Uint8Array; until: number }>;
  /** What the next calls do in place of answering. */
  fail: ((signal: AbortSignal | undefined) => Promise<never>) | undefined;
  /** Calls so far, also those that failed. */
  readonly calls: { get: number; set: number };
  /** The same data for another engine, which closes no more than its own. */
  connect(): Cache;
}

/** A cache in a map, to stand for a server in tests. */
export function createMapCache({ now = (): number => 0, maxValueBytes = 1_000_000, name = 'map' } = {}): MapCache {
  const entries = new Map<string, { value: Uint8Array; until: number }>();
  const calls = { get: 0, set: 0 };
  const cache: MapCache = {
    entries,
    calls,
    fail: undefined,
    connect,
    ...connect(),
  };
  return cache;

  function connect(): Cache {
    let closed = false;
    async function call(signal: AbortSignal | undefined): Promise<void> {
      signal?.throwIfAborted();
      if (closed) throw new RagError('CONNECTION_FAILED', 'it was closed');
      await cache.fail?.(signal);
    }
    return {
      name,
      maxValueBytes,
      async get(keys, { signal } = {}) {
        calls.get++;
        await call(signal);
        return keys.map((key) => {
          const entry = entries.get(key);
          return entry === undefined || entry.until <= now() ? undefined : entry.value;
        });
      },
      async set(added, { signal, ttlMs = Number.POSITIVE_INFINITY } = {}) {
        calls.set++;
        await call(signal);
        for (const [key, value] of added) entries.set(key, { value: value.slice(), until: now() + ttlMs });
      },
      async close() {
        closed = true;
      },
    };
  }
}

/** Never answers; ends with the call's time limit. */
export function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

export function refuse(): Promise<never> {
  return Promise.reject(new RagError('CONNECTION_FAILED', 'map: connection refused'));
}
