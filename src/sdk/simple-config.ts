import { isPlainObject } from '../core/values.js';
import type { Config, OpenRagOptions } from './config.js';
import type { PlainConfig } from './config-schema.js';
import { fieldsFromSchema, isZodSchema } from './metadata-schema.js';
import { isChunker, isEmbedder, isGenerator, isReranker, isStore } from './parts.js';

/** What the schema fills in where nothing is said; a test holds the two together. */
export const DEFAULTS = {
  collection: 'default',
  store: { type: 'memory', index: 'auto', metric: 'cosine' },
  embedder: { type: 'static' },
  caches: {
    embeddings: { entries: 10_000, bytes: 67_108_864 },
    search: { entries: 1_000, bytes: 33_554_432 },
    answers: { entries: 1_000, bytes: 16_777_216 },
    sharedTimeoutMs: 100,
    maxStaleMs: 0,
  },
  groups: { default: { type: 'auto' } },
  ingest: {
    maxFileBytes: 52_428_800,
    concurrency: 8,
    threads: 2,
    documentTimeoutMs: 120_000,
    threadMemoryMb: 1024,
    maxPages: 5000,
    maxUnpackedBytes: 268_435_456,
  },
  server: {
    host: '127.0.0.1',
    port: 7411,
    sessions: true,
    requestsPerSecond: 500,
    concurrent: 256,
    bodyBytes: 16_777_216,
    graceMs: 10_000,
  },
} as const satisfies PlainConfig;

/**
 * The configuration of options that say so little that a look suffices: names, paths, and objects of one's own. undefined = they say
 * more, and the schema must check them. That costs 20 ms, and 100 where zod isn't loaded yet: much of a hot start.
 */
export function simpleConfig(options: OpenRagOptions): Config | undefined {
  if (!isPlainObject(options)) return undefined;
  const { collection = DEFAULTS.collection, store, embedder, generator, reranker, groups, metadata, roots, ...others } = options;
  const generators = generator === undefined ? undefined : Array.isArray(generator) ? generator : [generator];
  const openStore = store === undefined ? DEFAULTS.store : isStore(store) ? store : memoryStore(store);
  const chunker: unknown = isPlainObject(groups) && Object.keys(groups).length === 1 ? groups['default'] : undefined;
  const isSimple =
    Object.values(others).every((option) => option === undefined) &&
    isText(collection) &&
    openStore !== undefined &&
    (embedder === undefined || isEmbedder(embedder)) &&
    (generators === undefined || (generators.length > 0 && generators.every(isGenerator))) &&
    (reranker === undefined || isReranker(reranker)) &&
    (groups === undefined || isChunker(chunker)) &&
    (metadata === undefined || isZodSchema(metadata)) &&
    (roots === undefined || (Array.isArray(roots) && roots.every(isText)));
  if (!isSimple) return undefined;
  return {
    ...DEFAULTS,
    collection,
    store: openStore,
    embedder: embedder ?? DEFAULTS.embedder,
    generators,
    reranker,
    groups: isChunker(chunker) ? { default: chunker } : DEFAULTS.groups,
    fields: metadata === undefined ? [] : fieldsFromSchema(metadata),
    ...(roots === undefined ? {} : { roots }),
  };
}

/** An embedded store of which nothing but the path is said. */
function memoryStore(store: unknown): Config['store'] | undefined {
  if (!isPlainObject(store)) return undefined;
  const { type, path, ...others } = store;
  if (type !== 'memory' || !(path === undefined || isText(path)) || Object.keys(others).length > 0) return undefined;
  return path === undefined ? DEFAULTS.store : { ...DEFAULTS.store, path };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
