import type { KeptAnswer } from './answering.js';
import { type Codec, createJsonCodec, createVectorCodec } from './codecs.js';
import type { Cache, Embedder, LocalCache, Metric, Reranker } from './contracts.js';
import type { Checksum } from './frame.js';
import { deepFreeze } from './freeze.js';
import { createGuard, type GuardedCache } from './guard.js';
import { createMemo, type Memo } from './memo.js';
import { createTiers, type Memoised } from './tiers.js';
import type { CacheStats, Hit } from './types.js';

/** Raised when the same request over the same data may give other hits or another answer than the release before. */
const RANKING = 1;
/** A disk that is slower than this, ms, is no help. */
const DISK_TIMEOUT_MS = 5000;

/** What the three layers keep things in. */
export interface CacheParts {
  /** One a layer; undefined = nothing is kept, here or beyond. */
  readonly embeddings: LocalCache<Memoised<Float32Array>> | undefined;
  readonly search: LocalCache<Memoised<readonly Hit[]>> | undefined;
  readonly answers: LocalCache<Memoised<KeptAnswer>> | undefined;
  /** Milliseconds that an entry lives beyond this process. @default as long as the cache there likes */
  readonly ttlMs: { readonly [Layer in keyof CacheStats['layers']]: number | undefined };
  /** Of embeddings, beside the store. */
  readonly disk: Cache | undefined;
  /** Of all layers, on a server. */
  readonly shared: Cache | undefined;
  /** The longest that a request waits for `shared`, ms. */
  readonly sharedTimeoutMs: number;
}

export interface LayersParts {
  readonly caches: CacheParts;
  readonly embedder: Embedder;
  readonly metric: Metric;
  readonly reranker: Reranker | undefined;
  /** Differs where the prompt does. */
  readonly promptId: string;
  /** Hex digest of a text. */
  readonly digest: (text: string) => string;
  readonly checksum: Checksum;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly warn: (message: string) => void;
}

export interface Layers {
  readonly embeddings: Memo<Float32Array>;
  readonly searches: Memo<readonly Hit[]>;
  readonly answers: Memo<KeptAnswer>;
  stats(): CacheStats['layers'];
  /** Waits for what is being written; then the caches beyond the process are closed. */
  close(): Promise<void>;
}

/**
 * The three caches of the engine. Keys hold what a request asks of which collection at which version; the namespaces here hold
 * everything else that its result depends on, so that engines which would answer differently never share an entry.
 */
export function createLayers({ caches, embedder, metric, reranker, promptId, ...parts }: LayersParts): Layers {
  const { clock, warn } = parts;
  const guard = (cache: Cache | undefined, timeoutMs: number): readonly GuardedCache[] =>
    cache === undefined ? [] : [createGuard({ cache, timeoutMs, clock, warn })];
  const disk = guard(caches.disk, DISK_TIMEOUT_MS);
  const shared = guard(caches.shared, caches.sharedTimeoutMs);

  function layer<Value>(
    local: LocalCache<Memoised<Value>> | undefined,
    beyond: readonly GuardedCache[],
    rest: { codec: Codec<Value>; namespace: readonly unknown[]; ttlMs: number | undefined; sizeOf: (value: Value) => number },
  ): Memo<Value> {
    const { codec, ttlMs, sizeOf } = rest;
    const namespace = JSON.stringify(rest.namespace);
    const tiers = beyond.length === 0 ? undefined : createTiers({ ...parts, caches: beyond, namespace, codec, ttlMs });
    return createMemo({ local, tiers: local === undefined ? undefined : tiers, sizeOf, clock });
  }

  const { id, dimensions, hybridWeight, scripts } = embedder;
  const ranking = [RANKING, id, dimensions, metric, hybridWeight, scripts, reranker?.id];
  const embeddings = layer(caches.embeddings, [...disk, ...shared], {
    codec: createVectorCodec(dimensions),
    namespace: ['embeddings'],
    ttlMs: caches.ttlMs.embeddings,
    sizeOf: (vector) => vector.byteLength,
  });
  const searches = layer<readonly Hit[]>(caches.search, shared, {
    codec: createJsonCodec(deepFreeze),
    namespace: ['search', ...ranking],
    ttlMs: caches.ttlMs.search,
    sizeOf: sizeOfHits,
  });
  const answers = layer<KeptAnswer>(caches.answers, shared, {
    codec: createJsonCodec(deepFreeze),
    namespace: ['answers', ...ranking, promptId],
    ttlMs: caches.ttlMs.answers,
    sizeOf: ({ answer, hits }) => 2 * answer.text.length + sizeOfHits(hits),
  });

  return {
    embeddings,
    searches,
    answers,
    stats: () => ({ embeddings: embeddings.stats(), search: searches.stats(), answers: answers.stats() }),
    async close() {
      await Promise.all([embeddings, searches, answers].map((memo) => memo.settled()));
      await Promise.all([...disk, ...shared].map((cache) => cache.close()));
    },
  };
}

/** UTF-16 text and a rough constant for the objects around it. */
function sizeOfHits(hits: readonly Hit[]): number {
  return hits.reduce((sum, hit) => sum + 2 * (hit.text.length + hit.id.length) + 512, 64);
}
