import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { createRemoteStore, type RemoteStoreParts } from '../../../src/adapters/stores/remote/store.js';
import type { Collection, VectorStore } from '../../../src/core/contracts.js';
import { FINGERPRINT, makeDocument } from '../../support/chunks.js';
import { createFakeServer, type FakeServer, type OnCall } from './remote-server.js';

const opened: VectorStore[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

test('a commit feeds an index that outlives the process: nothing is read back, by nobody who shares it', async () => {
  const path = await folder();
  const server = createFakeServer();
  const reads = counter('chunksOf');
  const writer = await open(server, { openKeywordStore: () => openMemoryStore({ path }), keepsKeywords: true }, reads.onCall);
  await writer.commit({ put: [makeDocument('a.md', [{ text: 'red fox' }])], drop: [] });
  const reader = await open(server, { openKeywordStore: () => openMemoryStore({ path }), keepsKeywords: true }, reads.onCall);
  expect(await ids(reader, 'fox')).toHaveLength(1);
  expect(await ids(writer, 'fox')).toHaveLength(1);
  expect(reads.count()).toBe(0);
});

test('an index that is behind reads what changed, and only that', async () => {
  const server = createFakeServer();
  const asked: string[][] = [];
  const writer = await open(server, { openKeywordStore: () => openMemoryStore() });
  const reader = await open(server, { openKeywordStore: () => openMemoryStore() }, (method) => {
    if (method === 'chunksOf') asked.push([method]);
  });
  const many = Array.from({ length: 5 }, (_, index) => makeDocument(`d${index}.md`, [{ text: `word${index}` }]));
  await writer.commit({ put: many, drop: [] });
  expect(await ids(reader, 'word3')).toHaveLength(1);
  expect(asked).toHaveLength(1);
  await writer.commit({ put: [makeDocument('d3.md', [{ text: 'changed' }], 'bbbbbbbbbbbb')], drop: ['d4.md'] });
  expect(await ids(reader, 'word3')).toEqual([]);
  expect(await ids(reader, 'word4')).toEqual([]);
  expect(await ids(reader, 'changed')).toHaveLength(1);
  expect(asked).toHaveLength(2);
});

test('chunks found by words are read from the index, not from the server', async () => {
  const server = createFakeServer();
  const reads = counter('chunks');
  const collection = await open(server, { openKeywordStore: () => openMemoryStore() }, reads.onCall);
  await collection.commit({ put: [makeDocument('a.md', [{ text: 'red fox' }])], drop: [] });
  const [id = ''] = await ids(collection, 'fox');
  expect(await collection.get([id])).toMatchObject([{ id, text: 'red fox' }]);
  expect(reads.count()).toBe(0);
});

test('two processes that share an index but not a moment both end up with the truth', async () => {
  const path = await folder();
  const server = createFakeServer();
  const parts = { openKeywordStore: () => openMemoryStore({ path }), keepsKeywords: true };
  const [first, second] = [await open(server, parts), await open(server, parts)];
  for (let round = 0; round < 4; round++) {
    const writer = round % 2 === 0 ? first : second;
    const hash = `${round}`.repeat(12);
    await writer.commit({ put: [makeDocument('a.md', [{ text: `state${round}` }], hash)], drop: [] });
    for (const asked of [second, first]) {
      expect(await ids(asked, `state${round}`)).toHaveLength(1);
      expect(await ids(asked, `state${round - 1}`)).toEqual([]);
    }
  }
});

test('an index that can’t be opened fails the search that needs it, never a commit', async () => {
  const server = createFakeServer();
  const openKeywordStore = () => Promise.reject(new Error('disk full'));
  const collection = await open(server, { openKeywordStore, keepsKeywords: true });
  await collection.commit({ put: [makeDocument('a.md', [{ text: 'red fox' }])], drop: [] });
  await expect(ids(collection, 'fox')).rejects.toThrow('disk full');
  expect(server.chunkRows()).toHaveLength(1);
});

type Parts = Omit<RemoteStoreParts, 'server'>;

async function open(server: FakeServer, parts: Parts, onCall?: OnCall): Promise<Collection> {
  const store = createRemoteStore({ server: server.client(onCall), ...parts });
  opened.push(store);
  return store.open({ collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true });
}

async function ids(collection: Collection, text: string): Promise<readonly string[]> {
  return (await collection.keywords({ text, limit: 10 })).matches.map(({ id }) => id);
}

function counter(method: string): { readonly onCall: OnCall; count(): number } {
  let calls = 0;
  return {
    onCall: (called) => {
      if (called === method) calls++;
    },
    count: () => calls,
  };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'hotrag-sidecar-'));
  folders.push(path);
  return path;
}
