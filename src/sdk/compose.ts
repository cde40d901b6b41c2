import { join, resolve } from 'node:path';
import { createMemoryCache } from '../adapters/caches/memory.js';
import { createChunker } from '../adapters/chunkers/index.js';
import type { Write } from '../adapters/chunkers/written.js';
import { createStaticEmbedder } from '../adapters/embedders/static.js';
import { createLoaders } from '../adapters/loaders/index.js';
import { createSourceFinder } from '../adapters/sources/index.js';
import { createWatcher } from '../adapters/sources/watcher.js';
import type { Cache, Chunker, Embedder, Metric, Reranker, TextGenerator, VectorStore } from '../core/contracts.js';
import { checkEmbedder } from '../core/embedding.js';
import { createEngine, type EngineParts } from '../core/engine.js';
import { isRagError } from '../core/errors.js';
import type { CacheParts } from '../core/layers.js';
import { once } from '../core/once.js';
import { createPromptBuilder, DEFAULT_INSTRUCTIONS } from '../core/prompt.js';
import type { Rag } from '../core/types.js';
import { writeText } from '../core/write-text.js';
import type { CacheConfig, Config } from './config.js';
import { checksum, digest, hash } from './hash.js';
import { isCache, isChunker, isEmbedder, isReranker, isStore } from './parts.js';

/** Sessions of `generate` that are remembered, and their memory. */
const SESSIONS = { entries: 1000, bytes: 16_777_216 };

/** What embeddings may take on disk, unless `caches.diskBytes` says otherwise. */
const DISK_BYTES = 268_435_456;

const clock = () => performance.now();

/** The only place that builds objects: a checked configuration in, the whole system out. */
export async function compose(config: Config): Promise<Rag> {
  const { collection, ingest, roots, fields } = config;
  const embedder = await openEmbedder(config.embedder);
  const store = await openStore(config.store);
  const metric = metricOf(config.store);
  let caches: CacheParts;
  try {
    await refuseOtherEmbedder(store, config, embedder, metric);
    caches = await openCaches(config);
  } catch (error) {
    await store.close();
    await embedder.close?.();
    throw error;
  }
  const generator = createGeneratorFinder(config);
  const write: Write = async (messages, options) => writeText(await generator(), messages, options);
  return createEngine({
    collection,
    store,
    metric,
    embedder,
    reranker: openReranker(config.reranker, generator),
    generator,
    prompt: createPromptBuilder(config.prompt),
    loaders: createLoaders(ingest),
    groups: Object.fromEntries(Object.entries(config.groups).map(([name, group]) => [name, openChunker(group, write)])),
    finder: createSourceFinder({ maxFileBytes: ingest.maxFileBytes, skip: ownFolders(config.store) }),
    watcher: createWatcher({ skip: ownFolders(config.store) }),
    roots,
    fields,
    readAhead: ingest.concurrency,
    caches,
    sessions: createMemoryCache(SESSIONS),
    maxStaleMs: config.caches.maxStaleMs,
    promptId: digest(config.prompt ?? DEFAULT_INSTRUCTIONS),
    checksum,
    warn: (message) => process.emitWarning(message, 'HotragWarning'),
    digest,
    hash,
    clock,
    now: () => new Date(),
  });
}

/** The store that a checked configuration names; one's own object as it is. */
export async function openStore(store: Config['store']): Promise<VectorStore> {
  if (isStore(store)) return store;
  switch (store.type) {
    case 'memory': {
      const { openMemoryStore } = await import('../adapters/stores/memory/index.js');
      return openMemoryStore(store);
    }
    case 'milvus': {
      const { openMilvusStore } = await import('../adapters/stores/milvus/index.js');
      return openMilvusStore(store);
    }
    case 'chroma': {
      const { openChromaStore } = await import('../adapters/stores/chroma/index.js');
      return openChromaStore(store);
    }
  }
}

/** The embedder that a checked configuration names; one's own object once it was checked. */
export async function openEmbedder(embedder: Config['embedder']): Promise<Embedder> {
  if (isEmbedder(embedder)) return checkEmbedder(embedder);
  switch (embedder.type) {
    case 'static':
      return createStaticEmbedder();
    case 'ollama': {
      const { openOllamaEmbedder } = await import('../adapters/embedders/ollama.js');
      return openOllamaEmbedder({ ...embedder, url: embedder.url ?? process.env['OLLAMA_HOST'] });
    }
    case 'openai-compatible': {
      const { openOpenAiEmbedder } = await import('../adapters/embedders/openai-compatible.js');
      return openOpenAiEmbedder(embedder);
    }
    case 'llama-cpp': {
      const { openLlamaCppEmbedder } = await import('../adapters/embedders/llama-cpp.js');
      return openLlamaCppEmbedder(embedder);
    }
    case 'onnx': {
      const { openOnnxEmbedder } = await import('../adapters/embedders/onnx.js');
      return openOnnxEmbedder(embedder);
    }
  }
}

/** Its code is loaded by the first search that reranks. */
function openReranker(reranker: Config['reranker'], generator: () => Promise<TextGenerator>): Reranker | undefined {
  if (reranker === undefined || isReranker(reranker)) return reranker;
  let isUsed = false;
  const load = once(async () => {
    isUsed = true;
    return (await import('../adapters/rerankers/index.js')).createReranker(reranker, generator);
  });
  return {
    id: JSON.stringify(reranker, (key, value: unknown) => (key === 'url' || key === 'apiKey' ? undefined : value)),
    rerank: async (query, texts, options) => (await load()).rerank(query, texts, options),
    async close() {
      if (isUsed) await (await load()).close?.();
    },
  };
}

function openChunker(group: Config['groups'][string], write: Write): Chunker {
  return isChunker(group) ? group : createChunker(group, write);
}

async function openCaches({ caches, embedder, store }: Config): Promise<CacheParts> {
  const { embeddings, search, answers } = caches;
  const isBundled = !isEmbedder(embedder) && embedder.type === 'static';
  const diskBytes = caches.diskBytes ?? (isBundled ? 0 : DISK_BYTES);
  const path = isStore(store) ? undefined : store.path;
  return {
    embeddings: openCache(embeddings),
    search: openCache(search),
    answers: openCache(answers),
    ttlMs: { embeddings: ttlOf(embeddings), search: ttlOf(search), answers: ttlOf(answers) },
    disk: diskBytes === 0 || path === undefined ? undefined : await openDiskCache(join(resolve(path), 'embeddings'), diskBytes),
    shared: await openSharedCache(caches.shared),
    sharedTimeoutMs: caches.sharedTimeoutMs,
  };
}

async function openDiskCache(folder: string, bytes: number): Promise<Cache> {
  const { createDiskCache } = await import('../adapters/caches/disk.js');
  return createDiskCache({ folder, bytes });
}

/** One that is away is no reason to fail: the first request that misses it will tell. */
async function openSharedCache(shared: Config['caches']['shared']): Promise<Cache | undefined> {
  if (shared === undefined || isCache(shared)) return shared;
  if (shared.startsWith('memcached:')) {
    const { createMemcachedCache } = await import('../adapters/caches/memcached.js');
    return createMemcachedCache({ url: shared });
  }
  const { createRedisCache } = await import('../adapters/caches/redis.js');
  return createRedisCache({ url: shared });
}

function openCache<Value>(cache: CacheConfig) {
  return cache === false ? undefined : createMemoryCache<Value>(cache);
}

function ttlOf(cache: CacheConfig): number | undefined {
  return cache === false ? undefined : cache.ttlMs;
}

/** Looks for an engine at the first answer; one that was found stays, none is looked for again at the next answer. */
function createGeneratorFinder({ generators }: Config): EngineParts['generator'] {
  let found: Promise<TextGenerator> | undefined;
  const find = () => {
    found ??= import('../adapters/inference/index.js').then(({ openGenerator }) =>
      openGenerator(generators, { ollamaHost: process.env['OLLAMA_HOST'], clock }),
    );
    const finding = found;
    finding.catch(() => {
      if (found === finding) found = undefined;
    });
    return finding;
  };
  /** Frees the one that was found; none is looked for. */
  const close = async () => (await found?.catch(() => undefined))?.close?.();
  return Object.assign(find, { close });
}

/** A store that lies among the documents is none of them. */
function ownFolders(store: Config['store']): readonly string[] {
  return isStore(store) || store.path === undefined ? [] : [resolve(store.path)];
}

/** How vectors are compared, as the store is configured. */
export function metricOf(store: Config['store']): Metric {
  if (isStore(store)) return 'cosine';
  switch (store.type) {
    case 'memory':
    case 'milvus':
      return store.metric;
    case 'chroma':
      return store.hnsw.space === 'ip' ? 'dot' : store.hnsw.space;
  }
}

/** Fails at once, rather than at the first search, when the collection's vectors are another embedder's. */
async function refuseOtherEmbedder(store: VectorStore, config: Config, embedder: Embedder, metric: Metric): Promise<void> {
  const { collection, fields } = config;
  const { id, dimensions } = embedder;
  try {
    const opened = await store.open({ collection, fingerprint: { embedder: id, dimensions, metric }, fields, create: false });
    await opened.close();
  } catch (error) {
    if (!(isRagError(error) && error.code === 'NOT_FOUND')) throw error;
  }
}
