import { describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { createRemoteStore } from '../../src/adapters/stores/remote/store.js';
import type { Metric, VectorStore } from '../../src/core/contracts.js';
import { copyCollection } from '../../src/sdk/index.js';
import { createFakeServer } from '../adapters/stores/remote-server.js';
import { FINGERPRINT, makeDocument } from '../support/chunks.js';
import { makeFolder } from '../support/folder.js';
import { createLetterEmbedder, openTestRag } from '../support/rag.js';

const NOTES = [
  { id: 'whales', text: 'The blue whale is the largest animal that ever lived.', metadata: { year: 2020, tags: ['sea'] } },
  { id: 'ants', text: 'Leaf cutter ants farm fungus under the ground.', metadata: { year: 2023 } },
];

async function track(store: VectorStore | Promise<VectorStore>): Promise<VectorStore> {
  const opened = await store;
  onTestFinished(() => opened.close());
  return opened;
}
const openRemote = (server = createFakeServer()) =>
  track(createRemoteStore({ server: server.client(), openKeywordStore: () => openMemoryStore() }));

/** A store with one document in `docs`. */
async function storeWith(metric: Metric = 'cosine', embedder = FINGERPRINT.embedder): Promise<VectorStore> {
  const store = await track(openMemoryStore());
  const fingerprint = { ...FINGERPRINT, metric, embedder };
  const fields = [{ name: 'year', type: 'number' }] as const;
  const collection = await store.open({ collection: 'docs', fingerprint, fields, create: true });
  await collection.commit({ put: [makeDocument('a', [{}])], drop: [] });
  return store;
}

describe('copyCollection', () => {
  it('moves an ingested collection through a server and back, without its embedder, and answers stay the same', async () => {
    const [path, back] = [makeFolder(), makeFolder()];
    const embedder = createLetterEmbedder();
    const rag = await openTestRag({ store: { type: 'memory', path }, embedder, collection: 'notes' });
    await rag.ingest(NOTES);
    const expected = (await rag.search('which animal is the largest?')).hits;
    await rag.close();

    const server = await openRemote();
    expect(
      await copyCollection({ from: { type: 'memory', path }, to: server, collection: 'notes', toCollection: 'there' }),
    ).toMatchObject({
      documents: 2,
      copied: 2,
      compared: 2,
      vectorDifference: 0,
    });
    const more = { collection: 'there', toCollection: 'notes' };
    expect(await copyCollection({ from: server, to: { type: 'memory', path: back }, ...more })).toMatchObject({ copied: 2 });

    const again = await openTestRag({ store: { type: 'memory', path: back }, embedder, collection: 'notes' });
    expect((await again.search('which animal is the largest?')).hits).toEqual(expected);
    expect(await again.ingest(NOTES)).toMatchObject({ added: 0, changed: 0, unchanged: 2 });
  });

  it('makes the target with the source’s fingerprint and fields, and leaves stores of the caller’s open', async () => {
    const [from, to] = [await storeWith('dot'), await openRemote()];
    await copyCollection({ from, to, collection: 'docs' });
    expect(await to.collections()).toMatchObject([
      { collection: 'docs', fingerprint: { ...FINGERPRINT, metric: 'dot' }, fields: [{ name: 'year', type: 'number' }] },
    ]);
    expect(await from.collections()).toHaveLength(1);
  });

  it('copies within one store under another name, and refuses to copy onto itself', async () => {
    const store = { type: 'memory', path: makeFolder() } as const;
    const rag = await openTestRag({ store, embedder: createLetterEmbedder() });
    await rag.ingest(NOTES);
    expect(await copyCollection({ from: store, to: store, toCollection: 'second' })).toMatchObject({ copied: 2 });
    await expect(copyCollection({ from: store, to: store })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect((await rag.collections.list()).map(({ name, documents }) => [name, documents])).toEqual([
      ['default', 2],
      ['second', 2],
    ]);
  });

  it('refuses a source that is not there, with the nearest name, and makes nothing in the target', async () => {
    const to = await openRemote();
    await expect(copyCollection({ from: await storeWith(), to, collection: 'dosc' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('did you mean "docs"?'),
    });
    expect(await to.collections()).toEqual([]);
  });

  it('refuses a target that holds another embedder’s vectors', async () => {
    const [from, to] = [await storeWith(), await storeWith('cosine', 'another')];
    await expect(copyCollection({ from, to, collection: 'docs' })).rejects.toMatchObject({ code: 'FINGERPRINT_MISMATCH' });
  });

  it.each([
    [{ type: 'chroma', uri: 'http://127.0.0.1:9', hnsw: { space: 'cosine' } }, 'CONFIG_INVALID', 'leave `hnsw.space` out'],
    [{ type: 'milvus', uri: '127.0.0.1:9', metric: 'l2' }, 'CONFIG_INVALID', 'leave `metric` out'],
    [{ type: 'memory', metric: 'l2' }, 'CONFIG_INVALID', 'leave `metric` out'],
    // With the metric left out there is nothing to refuse: the server is spoken to.
    [{ type: 'chroma', uri: 'http://127.0.0.1:9' }, 'CONNECTION_FAILED', '127.0.0.1:9'],
  ] as const)('refuses %j for a collection that is compared by dot: %s', async (to, code, words) => {
    await expect(copyCollection({ from: await storeWith('dot'), to, collection: 'docs' })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  it('refuses bad options before anything is opened, naming the side', async () => {
    const from = { type: 'memory' } as const;
    await expect(copyCollection({ from, to: { type: 'chroma' } as never })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('to (store.uri): is missing'),
    });
    await expect(copyCollection({ from, to: from, collection: '../x' })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(copyCollection({ from, to: from, sample: -1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const reason = new Error('not now');
    await expect(copyCollection({ from, to: from, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
