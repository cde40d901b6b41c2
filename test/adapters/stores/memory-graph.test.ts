import { describe, expect, it, onTestFinished } from 'vitest';
import { type OpenMemoryStoreOptions, openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import type { Collection, VectorStore } from '../../../src/core/contracts.js';
import { makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';
import { useWorker } from '../../support/worker.js';

const DIMENSIONS = 64;
const FINGERPRINT = { embedder: 'test-embedder', dimensions: DIMENSIONS, metric: 'cosine' } as const;
const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };
const TOPICS = Array.from({ length: 60 }, (_, topic) => makeVector(`topic ${topic}`, DIMENSIONS));
const CHUNKS = 100;
const queries = Array.from({ length: 40 }, (_, query) => near(query, `query ${query}`));

describe('the graph of a memory store', { timeout: 240_000 }, () => {
  const worker = useWorker('adapters/stores/memory/vectors/build-worker.ts');

  it('is built aside once chunks are many, finds as an exact search does, and is there when the store is opened again', async () => {
    const path = makeFolder();
    const first = await open({ path, buildScript: worker.script });
    const put = await fill(first.collection, 120);
    expect(await indexOf(first.collection)).toBe('flat');
    await expect.poll(() => indexOf(first.collection), { timeout: 120_000 }).toBe('hnsw');
    expect(await recall(first.collection, put)).toBeGreaterThanOrEqual(0.98);
    const late = makeDocument('late', [{ vector: makeVector('late', DIMENSIONS) }]);
    await first.collection.commit({ put: [late], drop: ['doc-3'] });
    const [hit] = (await first.collection.nearest({ vector: makeVector('late', DIMENSIONS), limit: 1 })).matches;
    expect(hit?.id).toBe(late.entries[0]?.id);
    await first.store.close();
    // Without a thread to build in, and at once: it was saved.
    const second = await open({ path, buildScript: '/nowhere/graph.js' });
    expect(await indexOf(second.collection)).toBe('hnsw');
    const rest = put.filter(({ document }) => document.id !== 'doc-3');
    expect(await recall(second.collection, rest)).toBeGreaterThanOrEqual(0.98);
  });

  it('is built here where there can be no thread', async () => {
    const { collection } = await open({ index: 'hnsw', buildScript: '/nowhere/graph.js' });
    const put = await fill(collection, 50);
    await indexOf(collection);
    await expect.poll(() => indexOf(collection), { timeout: 120_000 }).toBe('hnsw');
    expect(await recall(collection, put)).toBeGreaterThanOrEqual(0.98);
  });

  it('has the parameters that were asked for, or is not built at all', async () => {
    const wide = await open({ index: { type: 'hnsw', ef: 1024, efConstruction: 16 } });
    const put = await fill(wide.collection, 10);
    await indexOf(wide.collection);
    await expect.poll(() => indexOf(wide.collection), { timeout: 120_000 }).toBe('hnsw');
    expect(await recall(wide.collection, put)).toBe(1);
    const flat = await open({ index: 'flat' });
    await fill(flat.collection, 10);
    expect(await indexOf(flat.collection)).toBe('flat');
  });

  it('ends with the store that builds it', async () => {
    const { store, collection } = await open({ index: 'hnsw', path: makeFolder(), buildScript: worker.script });
    await fill(collection, 50);
    await indexOf(collection);
    await store.close();
    await expect(indexOf(collection)).rejects.toThrow('closed');
  });
});

async function open(options: OpenMemoryStoreOptions): Promise<{ readonly store: VectorStore; readonly collection: Collection }> {
  const store = await openMemoryStore({ saveAfter: 1, ...options });
  onTestFinished(() => store.close());
  return { store, collection: await store.open(REQUEST) };
}

async function fill(collection: Collection, documents: number) {
  const put = Array.from({ length: documents }, (_, document) =>
    makeDocument(
      `doc-${document}`,
      Array.from({ length: CHUNKS }, (_, chunk) => ({ vector: near(document + chunk, `chunk ${document} ${chunk}`) })),
    ),
  );
  await collection.commit({ put, drop: [] });
  return put;
}

async function indexOf(collection: Collection): Promise<string> {
  return (await collection.nearest({ vector: makeVector('any', DIMENSIONS), limit: 1 })).index;
}

async function recall(collection: Collection, put: readonly ReturnType<typeof makeDocument>[]): Promise<number> {
  const entries = put.flatMap((one) => one.entries);
  let got = 0;
  for (const query of queries) {
    const best = entries
      .map(({ id, vector }) => ({ id, score: vector.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0) }))
      .sort((left, right) => right.score - left.score)
      .slice(0, 10);
    const found = new Set((await collection.nearest({ vector: query, limit: 10 })).matches.map(({ id }) => id));
    got += best.filter(({ id }) => found.has(id)).length;
  }
  return got / (10 * queries.length);
}

function near(topic: number, seed: string): Float32Array {
  const mixed = makeVector(seed, DIMENSIONS).map((value, at) => value * 0.8 + (TOPICS[topic % TOPICS.length]?.[at] ?? 0));
  const length = Math.hypot(...mixed);
  return mixed.map((value) => value / length);
}
