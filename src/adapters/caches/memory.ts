import { LRUCache } from 'lru-cache';
import type { LocalCache } from '../../core/contracts.js';

export interface MemoryCacheOptions {
  /** Most entries. */
  readonly entries: number;
  /** Most memory, in bytes, as the values' sizes are told. */
  readonly bytes: number;
  /** Milliseconds that an entry lives. @default until it is pushed out */
  readonly ttlMs?: number | undefined;
}

/** What lru-cache's own overhead and a key of some hundred characters add to an entry. */
const ENTRY_BYTES = 512;

/** A least-recently-used cache in this process, bounded by entries and by bytes. A value larger than the whole is not kept. */
export function createMemoryCache<Value>({ entries, bytes, ttlMs }: MemoryCacheOptions): LocalCache<Value> {
  let evictions = 0;
  const cache = new LRUCache<string, { readonly value: Value }>({
    max: entries,
    maxSize: bytes,
    ...(ttlMs === undefined ? {} : { ttl: ttlMs }),
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') evictions++;
    },
  });
  return {
    get: (key) => cache.get(key)?.value,
    set: (key, value, size) => {
      cache.set(key, { value }, { size: size + 2 * key.length + ENTRY_BYTES });
    },
    clear: () => cache.clear(),
    get entries() {
      return cache.size;
    },
    get bytes() {
      return cache.calculatedSize;
    },
    get evictions() {
      return evictions;
    },
  };
}
