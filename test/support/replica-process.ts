import { Readable } from 'node:stream';
import { createMemoryCache } from '../../src/adapters/caches/memory.js';
import { createRedisCache } from '../../src/adapters/caches/redis.js';
import { createChunker } from '../../src/adapters/chunkers/index.js';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { createEngine } from '../../src/core/engine.js';
import { messageOf } from '../../src/core/errors.js';
import { createPromptBuilder } from '../../src/core/prompt.js';
import { checksum, digest, hash } from '../../src/sdk/hash.js';

/**
 * A replica over a store and a Redis: `path url`. Messages `{ ingest: n }` and `{ search: n }` are answered with what was found; a call
 * that fails is answered with its `error`. Searches are by keyword: nothing but the store's rows is needed.
 */
const [path = '', url = ''] = process.argv.slice(2);
const size = { entries: 1000, bytes: 10_000_000 };
const warnings: string[] = [];
const rag = createEngine({
  collection: 'default',
  store: await openMemoryStore({ path }),
  metric: 'cosine',
  embedder: { id: 'ones', dimensions: 2, maxBatch: 8, embed: async (texts) => texts.map(() => Float32Array.of(1, 1)) },
  reranker: undefined,
  generator: () => Promise.reject(new Error('not asked for')),
  prompt: createPromptBuilder(),
  loaders: [
    {
      id: 'plain',
      accepts: () => true,
      load: async ({ bytes }) => ({ text: new TextDecoder().decode(bytes), format: 'text', metadata: {}, warnings: [] }),
    },
  ],
  groups: { default: createChunker({ type: 'auto', maxChars: 1000 }, () => Promise.reject(new Error('not asked for'))) },
  finder: { resolve: async () => [] },
  watcher: { changes: () => Readable.from([]) },
  roots: undefined,
  fields: [],
  readAhead: 1,
  caches: {
    embeddings: createMemoryCache(size),
    search: createMemoryCache(size),
    answers: createMemoryCache(size),
    ttlMs: { embeddings: undefined, search: undefined, answers: undefined },
    disk: undefined,
    shared: await createRedisCache({ url }),
    sharedTimeoutMs: 100,
  },
  sessions: createMemoryCache(size),
  maxStaleMs: 0,
  promptId: '',
  checksum,
  warn: (message) => warnings.push(message),
  digest,
  hash,
  clock: () => performance.now(),
  now: () => new Date(),
});

process.on('message', async (message: { readonly id: number; readonly ingest?: number; readonly search?: number }) => {
  const { id, ingest, search } = message;
  try {
    if (ingest !== undefined) {
      await rag.ingest([{ id: 'counter', text: `whale number ${ingest}` }]);
      process.send?.({ id });
    } else {
      const { hits, cached } = await rag.search(`whale ${search}`, { mode: 'keyword' });
      const tier = (await rag.cacheStats()).layers.search.tiers[1];
      process.send?.({ id, texts: hits.map(({ text }) => text), cached, tier, warnings });
    }
  } catch (error) {
    process.send?.({ id, error: messageOf(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
