import { resolve } from 'node:path';
import { createMemoryCache } from '../adapters/caches/memory.js';
import { createChunker } from '../adapters/chunkers/index.js';
import type { Write } from '../adapters/chunkers/written.js';
import { createStaticEmbedder } from '../adapters/embedders/static.js';
import { createLoaders } from '../adapters/loaders/index.js';
import { createSourceFinder } from '../adapters/sources/index.js';
import type { Chunker, Embedder, Metric, TextGenerator, VectorStore } from '../core/contracts.js';
import { checkEmbedder } from '../core/embedding.js';
import { createEngine } from '../core/engine.js';
import { isRagError } from '../core/errors.js';
import { createPromptBuilder } from '../core/prompt.js';
import type { Rag } from '../core/types.js';
import { writeText } from '../core/write-text.js';
import type { CacheConfig, Config } from './config.js';
import { digest, hash } from './hash.js';
import { isChunker, isEmbedder, isStore } from './parts.js';

/** Sessions of `generate` that are remembered, and their memory. */
const SESSIONS = { entries: 1000, bytes: 16_777_216 };

const clock = () => performance.now();

/** The only place that builds objects: a checked configuration in, the whole system out. */
export async function compose(config: Config): Promise<Rag> {
  const { collection, ingest, roots, fields } = config;
  const embedder = openEmbedder(config.embedder);
  const store = await openStore(config.store);
  const metric = metricOf(config.store);
  try {
    await refuseOtherEmbedder(store, config, embedder, metric);
  } catch (error) {
    await store.close();
    throw error;
  }
  const generator = createGeneratorFinder(config);
  const write: Write = async (messages, options) => writeText(await generator(), messages, options);
  return createEngine({
    collection,
    store,
    metric,
    embedder,
    reranker: config.reranker,
    generator,
    prompt: createPromptBuilder(config.prompt),
    loaders: createLoaders(),
    groups: Object.fromEntries(Object.entries(config.groups).map(([name, group]) => [name, openChunker(group, write)])),
    finder: createSourceFinder({ maxFileBytes: ingest.maxFileBytes, skip: ownFolders(config.store) }),
    roots,
    fields,
    readAhead: ingest.concurrency,
    caches: {
      embeddings: openCache(config.caches.embeddings),
      search: openCache(config.caches.search),
      answers: openCache(config.caches.answers),
      sessions: createMemoryCache(SESSIONS),
    },
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

function openEmbedder(embedder: Config['embedder']): Embedder {
  if (isEmbedder(embedder)) return checkEmbedder(embedder);
  switch (embedder.type) {
    case 'static':
      return createStaticEmbedder();
  }
}

function openChunker(group: Config['groups'][string], write: Write): Chunker {
  return isChunker(group) ? group : createChunker(group, write);
}

function openCache<Value>(cache: CacheConfig) {
  return cache === false ? undefined : createMemoryCache<Value>(cache);
}

/** Looks for an engine at the first answer; one that was found stays, none is looked for again at the next answer. */
function createGeneratorFinder({ generators }: Config): () => Promise<TextGenerator> {
  let found: Promise<TextGenerator> | undefined;
  return () => {
    found ??= import('../adapters/inference/index.js').then(({ openGenerator }) =>
      openGenerator(generators, { ollamaHost: process.env['OLLAMA_HOST'], clock }),
    );
    const finding = found;
    finding.catch(() => {
      if (found === finding) found = undefined;
    });
    return finding;
  };
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
      return 'cosine';
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
