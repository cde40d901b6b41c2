import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openChromaStore } from '../../src/adapters/stores/chroma/index.js';
import { chromaOptions } from '../../src/adapters/stores/chroma/options.js';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import type { Collection, Filter, VectorStore } from '../../src/core/contracts.js';
import { toArray } from '../../src/core/flow.js';
import { storeContract } from '../contracts/store-contract.js';
import { FINGERPRINT, makeVector } from '../support/chunks.js';
import { chroma, type StartChroma, type StartedChroma } from './chroma.js';
import { changeOf } from './corpus.js';
import { freePort } from './process.js';
import { requireServer } from './require-server.js';

const required = await requireServer(chroma);
const fingerprint = FINGERPRINT;

describe.skipIf(required.skipped)(required.title, () => {
  let folder: string;
  let server: StartedChroma;
  let start: StartChroma;
  let store: VectorStore;
  let names = 0;

  const optionsOf = (more: object = {}) => chromaOptions.parse({ type: 'chroma', uri: server.uri, ...more });
  const freshName = () => `docs-${names++}`;
  const open = (collection = freshName(), from = store): Promise<Collection> =>
    from.open({ collection, fingerprint, fields: [], create: true });
  const search = async (collection: Collection, limit = 10) =>
    (await collection.nearest({ vector: makeVector('q'), limit })).matches.map(({ id, score }) => [id, score]);

  beforeAll(async () => {
    if (required.skipped) return;
    start = required.server;
    folder = await mkdtemp(join(tmpdir(), 'hotrag-chroma-'));
    server = await start(folder);
    store = await openChromaStore(optionsOf());
  });
  afterAll(async () => {
    if (required.skipped) return;
    await store.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  storeContract(
    'chroma',
    async () => {
      let opened = await openChromaStore(optionsOf());
      return {
        store: opened,
        reopen: async () => {
          await opened.close();
          await server.stop();
          server = await start(folder, server.port);
          opened = await openChromaStore(optionsOf());
          return opened;
        },
        close: () => opened.close(),
      };
    },
    { filters: 2_200, timeoutMs: 300_000 },
  );

  test('a filter that would end the server stays with the core', async () => {
    const collection = await open();
    await collection.commit(changeOf([{ id: 'a', texts: ['one'], metadata: { tags: ['t7'] } }]));
    const filters = Array.from({ length: 9_000 }, (_, index) => ({ op: 'contains' as const, field: 'tags', value: `t${index}` }));
    const plan = collection.plan({ op: 'or', filters });
    expect(plan.pushed).toBeUndefined();
    expect(plan.residual).toBeDefined();
    expect((await collection.nearest({ vector: makeVector('q'), limit: 5, plan })).matches).toHaveLength(1);
  });

  test('the largest filters that are pushed down are ones the server takes', async () => {
    const collection = await open();
    await collection.commit(changeOf([{ id: 'a', texts: ['one'], metadata: { year: 7, tags: ['t7'] } }]));
    const wide = {
      op: 'or' as const,
      filters: Array.from({ length: 66 }, (_, index) => ({ op: 'eq' as const, field: 'year', value: index + 0.5 })),
    };
    const long = { op: 'in' as const, field: 'year', values: Array.from({ length: 2_500 }, (_, index) => index) };
    for (const filter of [
      long,
      { op: 'containsAny' as const, field: 'tags', values: Array.from({ length: 200 }, (_, index) => `t${index}`) },
    ]) {
      const plan = collection.plan(filter);
      expect(plan.residual).toBeUndefined();
      expect((await collection.nearest({ vector: makeVector('q'), limit: 5, plan })).matches).toHaveLength(1);
    }
    const plan = collection.plan(wide);
    expect(plan.residual).toBeUndefined();
    expect((await collection.nearest({ vector: makeVector('q'), limit: 5, plan })).matches).toEqual([]);
  });

  test('a commit above the server’s batch limit is written whole', async () => {
    // More than the 5,461 rows that the server allows, so that its own limit is what counts.
    const greedy = await openChromaStore(optionsOf({ batchSize: 100_000 }));
    const collection = await open(freshName(), greedy);
    const documents = Array.from({ length: 6_000 }, (_, index) => ({ id: `d${index}`, texts: [`text ${index}`] }));
    await collection.commit(changeOf(documents));
    expect(await toArray(collection.documents({}))).toHaveLength(6_000);
    expect((await toArray(collection.scan({ documentIds: ['d5999'] }))).map(({ text }) => text)).toEqual(['text 5999']);

    await collection.commit({ put: [], drop: Array.from({ length: 10_000 }, (_, index) => `d${index}`) });
    expect(await toArray(collection.documents({}))).toEqual([]);
    expect(await search(collection)).toEqual([]);
    await greedy.close();
  });

  test('the graph is built and searched as configured', async () => {
    const { ChromaClient } = await import('chromadb');
    const client = new ChromaClient({ host: '127.0.0.1', port: server.port });
    const hnswOf = async (name: string) =>
      (await client.getCollection({ name, embeddingFunction: null as never })).configuration.hnsw;
    const name = freshName();
    const tuned = await openChromaStore(optionsOf({ hnsw: { max_neighbors: 24, ef_construction: 150, ef_search: 70 } }));
    await open(name, tuned);
    expect(await hnswOf(name)).toMatchObject({ space: 'ip', max_neighbors: 24, ef_construction: 150, ef_search: 70 });
    const wider = await openChromaStore(optionsOf({ hnsw: { ef_search: 300 } }));
    await open(name, wider);
    expect(await hnswOf(name)).toMatchObject({ max_neighbors: 24, ef_search: 300 });
    await tuned.close();
    await wider.close();
  });

  test('collections of one name in several databases and tenants are apart, and a database that is not there is NOT_FOUND', async () => {
    const { AdminClient } = await import('chromadb');
    const admin = new AdminClient({ host: '127.0.0.1', port: server.port, ssl: false });
    await admin.createTenant({ name: 'guests' });
    await admin.createDatabase({ name: 'notes', tenant: 'guests' });
    const name = freshName();
    const there = await openChromaStore(optionsOf({ tenant: 'guests', database: 'notes' }));
    const collection = await open(name, there);
    await collection.commit(changeOf([{ id: 'a', texts: ['there'] }]));
    expect(await search(collection)).toHaveLength(1);
    expect(await search(await open(name))).toEqual([]);
    await there.close();
    const nowhere = await openChromaStore(optionsOf({ tenant: 'guests', database: 'nowhere' }));
    await expect(open(name, nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('nowhere') });
    await nowhere.close();
  });

  test('chunks with one vector come in ascending order of their ids, however many there are', async () => {
    const collection = await open();
    const same = makeVector('same');
    const documents = Array.from({ length: 60 }, (_, index) => ({ id: `d${59 - index}`, texts: ['same'], vector: same }));
    await collection.commit(changeOf(documents));
    const all = (await search(collection, 60)).map(([id]) => id);
    expect(all).toEqual([...all].sort());
    expect((await search(collection, 7)).map(([id]) => id)).toEqual(all.slice(0, 7));
  });

  test('a chunk without a vector is never found by one', async () => {
    const collection = await open();
    const zero = new Float32Array(FINGERPRINT.dimensions);
    const bare = Array.from({ length: 40 }, (_, index) => ({ id: `bare${index}`, texts: ['x'], vector: zero }));
    const away = { id: 'away', texts: ['x'], vector: makeVector('q').map((value) => -value) };
    await collection.commit(changeOf([...bare, away]));
    expect((await search(collection, 3)).map(([id]) => String(id).split('#')[0])).toEqual(['away']);
    expect(await toArray(collection.scan({ documentIds: ['bare0'] }))).toMatchObject([{ vector: zero }]);
  });

  test('the server restarted and another process: the same answers, the same version', async () => {
    const name = freshName();
    const collection = await open(name);
    await collection.commit(
      changeOf(Array.from({ length: 50 }, (_, index) => ({ id: `d${index}`, texts: [`text ${index}`, 'b'] }))),
    );
    const before = await search(collection);
    const version = await collection.version();
    await server.stop();
    server = await start(folder, server.port);
    expect(await search(collection)).toEqual(before);
    const other = await openChromaStore(optionsOf());
    const reopened = await other.open({ collection: name, fingerprint, fields: [], create: false });
    expect(await search(reopened)).toEqual(before);
    expect(await reopened.version()).toBe(version);
    await other.close();
  });

  test('the server killed in the middle of a commit and started again: the retry completes it, nothing is lost or there twice', async () => {
    const name = freshName();
    const collection = await open(name);
    const first = Array.from({ length: 40 }, (_, index) => ({ id: `d${index}`, texts: ['old a', 'old b'] }));
    await collection.commit(changeOf(first));
    const second = changeOf(Array.from({ length: 3_000 }, (_, index) => ({ id: `d${index}`, texts: [`new ${index}`] })));
    const commit = collection.commit(second);
    const killed = new Promise((resolve) => setTimeout(resolve, 400)).then(() => server.kill());
    await expect(commit).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    await killed;

    const startedAt = performance.now();
    await expect(collection.version()).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    await expect(search(collection)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    await expect(collection.commit(second)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);

    server = await start(folder, server.port);
    const states = new Map<string, string[]>();
    for await (const { documentId, text } of collection.scan({}))
      states.set(documentId, [...(states.get(documentId) ?? []), text]);
    for (const [id, texts] of states) {
      expect(texts, id).toEqual(texts.length === 2 ? ['old a', 'old b'] : [`new ${id.slice(1)}`]);
    }
    for (const { id } of first) expect(states.has(id)).toBe(true);
    await collection.commit(second);
    const other = await openChromaStore(optionsOf());
    for (const asked of [collection, await open(name, other)]) {
      expect(await toArray(asked.documents({}))).toHaveLength(3_000);
      const chunks = await toArray(asked.scan({}));
      expect(chunks).toHaveLength(3_000);
      expect(chunks.every(({ text, documentId }) => text === `new ${documentId.slice(1)}`)).toBe(true);
    }
    await other.close();
  });

  test('no server there: CONNECTION_FAILED that may be tried again', async () => {
    const nowhere = await openChromaStore(optionsOf({ uri: `http://127.0.0.1:${await freePort()}` }));
    await expect(open('docs', nowhere)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    await nowhere.close();
  });

  test('TLS spoken to a port without it: CONNECTION_FAILED', async () => {
    const encrypted = await openChromaStore(optionsOf({ uri: server.uri.replace('http:', 'https:'), timeoutMs: 5000 }));
    await expect(open('docs', encrypted)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    await encrypted.close();
  });

  test('a server that never answers: TIMEOUT after the time allowed', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const waiting = await openChromaStore(optionsOf({ uri: `http://127.0.0.1:${port}`, timeoutMs: 200 }));
    await expect(open('docs', waiting)).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
    silent.closeAllConnections();
    silent.close();
  });

  test('a token that is refused: UNAUTHORIZED, and the token is not in the message', async () => {
    // The server's own authentication is not part of the open one, so a gate in front of it stands in.
    const seen: (string | undefined)[] = [];
    const gate = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => gate.once('listening', resolve));
    const address = gate.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const refused = await openChromaStore(optionsOf({ uri: `http://127.0.0.1:${port}`, token: 'sesame' }));
    const error: unknown = await open('docs', refused).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', retryable: false });
    expect(String(error)).not.toContain('sesame');
    expect(seen[0]).toBe('Bearer sesame');
    gate.close();
  });

  test('a collection that another tool made is refused and left alone', async () => {
    const { ChromaClient } = await import('chromadb');
    const client = new ChromaClient({ host: '127.0.0.1', port: server.port });
    await client.createCollection({ name: 'theirs', metadata: { made: 'elsewhere' }, embeddingFunction: null });
    await expect(open('theirs')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('not made by hotrag'),
    });
    await expect(store.drop('theirs')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect((await store.collections()).map(({ collection }) => collection)).not.toContain('theirs');
    await client.deleteCollection({ name: 'theirs' });
  });

  test('a collection of other dimensions or another embedder is FINGERPRINT_MISMATCH', async () => {
    const name = freshName();
    await open(name);
    for (const other of [
      { ...fingerprint, dimensions: 5 },
      { ...fingerprint, embedder: 'another' },
    ]) {
      const request = { collection: name, fingerprint: other, fields: [], create: true };
      await expect(store.open(request)).rejects.toMatchObject({ code: 'FINGERPRINT_MISMATCH' });
    }
  });

  test('names that Chroma refuses work and never meet', async () => {
    const awkward = ['a', 'Mes notes', 'mes/notes', '你好', 'x'.repeat(600), '-edge-'];
    for (const name of awkward) await (await open(name)).commit(changeOf([{ id: name.slice(0, 20), texts: ['x'] }]));
    for (const name of awkward) {
      const ids = await toArray((await open(name)).documents({}));
      expect(ids.map(({ id }) => id)).toEqual([name.slice(0, 20)]);
    }
    expect((await store.collections()).map(({ collection }) => collection)).toEqual(expect.arrayContaining(awkward));
    for (const name of awkward) expect(await store.drop(name)).toBe(true);
    expect(await store.drop('a')).toBe(false);
  });

  test('a dropped collection leaves nothing, and a new one of its name knows nothing of it', async () => {
    const { ChromaClient } = await import('chromadb');
    const client = new ChromaClient({ host: '127.0.0.1', port: server.port });
    const name = freshName();
    const count = await client.countCollections();
    const collection = await open(name);
    await collection.commit(changeOf([{ id: 'a', texts: ['x'] }]));
    await store.drop(name);
    expect(await client.countCollections()).toBe(count);
    await expect(search(collection)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.open({ collection: name, fingerprint, fields: [], create: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await toArray((await open(name)).documents({}))).toEqual([]);
  });

  test('two processes that make one collection at once get the same', async () => {
    const name = freshName();
    const others = await Promise.all([1, 2, 3].map(() => openChromaStore(optionsOf())));
    const opened = await Promise.all(others.map((other) => open(name, other)));
    expect(new Set(opened.map(({ space }) => space.uuid)).size).toBe(1);
    await Promise.all(opened.map((collection, index) => collection.commit(changeOf([{ id: `d${index}`, texts: ['x'] }]))));
    for (const collection of opened) expect(await toArray(collection.documents({}))).toHaveLength(3);
    await Promise.all(others.map((other) => other.close()));
  });

  test('the same corpus, queries and filters give the same ids in the same order as in the embedded store, ties included', async () => {
    const words = ['red', 'blue', 'fox', 'whale', 'house', 'line', 'river', 'stone'];
    const word = (seed: number) => words[(seed * 7 + (seed >> 3)) % words.length] ?? '';
    const documents = Array.from({ length: 400 }, (_, index) => ({
      id: `d${index}`,
      texts: [`${word(index)} ${word(index + 3)} ${word(index * 5)}`, `${word(index % 9)} again`],
      metadata: { year: 2000 + (index % 10), ratio: index / 4 },
      ...(index % 4 === 0 ? { vector: makeVector(`shared ${index % 12}`) } : {}),
    }));
    const exact = await openChromaStore(optionsOf({ hnsw: { ef_search: 1_000 } }));
    const embedded = await openMemoryStore({ index: 'flat' });
    const both = [await open(freshName(), exact), await open('same', embedded)];
    for (const collection of both) await collection.commit(changeOf(documents));
    const filters: (Filter | undefined)[] = [
      undefined,
      { op: 'gte', field: 'year', value: 2004.5 },
      { op: 'lt', field: 'ratio', value: 7.25 },
    ];
    for (let query = 0; query < 40; query++) {
      const filter = filters[query % filters.length];
      const vector = makeVector(query % 3 === 0 ? `shared ${query % 12}` : `query ${query}`);
      const text = `${word(query)} ${word(query + 1)}`;
      const [one, other] = await Promise.all(
        both.map(async (collection) => {
          const plan = filter && collection.plan(filter);
          const near = await collection.nearest({ vector, limit: 10, plan });
          const worded = await collection.keywords({ text, limit: 10, plan });
          return { near: near.matches.map(({ id }) => id), worded: worded.matches };
        }),
      );
      expect(one).toEqual(other);
    }
    await exact.close();
    await embedded.close();
  });

  test('keywords are found through the local index, by any process, at once after a commit', async () => {
    const name = freshName();
    const collection = await open(name);
    const documents = [
      { id: 'a', texts: ['the red fox runs', 'nothing here'], metadata: { year: 2001 } },
      { id: 'b', texts: ['a red house'], metadata: { year: 2002 } },
    ];
    await collection.commit(changeOf(documents));
    const other = await openChromaStore(optionsOf({ path: join(folder, 'keywords') }));
    const reader = await open(name, other);
    const ask = async (asked: Collection, text: string, filter?: Parameters<Collection['plan']>[0]) =>
      (await asked.keywords({ text, limit: 10, plan: filter && asked.plan(filter) })).matches.map(({ id }) => id.split('#')[0]);
    expect(await ask(reader, 'fox')).toEqual(['a']);
    expect((await ask(reader, 'red')).sort()).toEqual(['a', 'b']);
    expect(await ask(reader, 'red', { op: 'gt', field: 'year', value: 2001 })).toEqual(['b']);
    expect(await ask(collection, 'red', { op: 'startsWith', field: '$uri', value: 'a' })).toEqual(['a']);
    await collection.commit({ ...changeOf([{ id: 'a', texts: ['a blue whale'] }]), drop: ['b'] });
    for (const asked of [reader, collection]) {
      expect(await ask(asked, 'red')).toEqual([]);
      expect(await ask(asked, 'whale')).toEqual(['a']);
      const [match] = (await asked.keywords({ text: 'whale', limit: 1 })).matches;
      expect(await asked.get([match?.id ?? '', 'none'])).toMatchObject([{ text: 'a blue whale' }, undefined]);
    }
    await other.close();
    const again = await openChromaStore(optionsOf({ path: join(folder, 'keywords') }));
    expect(await ask(await open(name, again), 'whale')).toEqual(['a']);
    await again.close();
  });
});
