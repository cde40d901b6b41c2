import { describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { createRemoteStore } from '../../src/adapters/stores/remote/store.js';
import type { Collection, Entry, VectorStore } from '../../src/core/contracts.js';
import { type CopyRun, copyDocuments } from '../../src/core/copy.js';
import { toArray } from '../../src/core/flow.js';
import { createFakeServer, type OnCall } from '../adapters/stores/remote-server.js';
import { FINGERPRINT, makeDocument, makeVector } from '../support/chunks.js';
import { makeFolder } from '../support/folder.js';

/** Several commits' worth: 5 chunks a document, 512 a commit. */
const MANY = Array.from({ length: 150 }, (_, index) =>
  makeDocument(
    `d${String(index).padStart(3, '0')}`,
    [{}, { group: 'fine' }, { metadata: { tags: ['a', 'ü'], year: -0.5, 'odd key': true } }, { vector: new Float32Array(8) }, {}],
    'aaaaaaaaaaaa',
    { year: index },
  ),
);

async function track(store: VectorStore | Promise<VectorStore>): Promise<VectorStore> {
  const opened = await store;
  onTestFinished(() => opened.close());
  return opened;
}
const openVolatile = () => track(openMemoryStore());
const openDurable = () => track(openMemoryStore({ path: makeFolder() }));
const openRemote = (onCall?: OnCall, server = createFakeServer()) =>
  track(createRemoteStore({ server: server.client(onCall), openKeywordStore: () => openMemoryStore() }));

const open = (store: VectorStore, collection = 'docs', fingerprint = FINGERPRINT): Promise<Collection> =>
  store.open({ collection, fingerprint, fields: [], create: true });

async function sourceWith(documents = MANY, store?: VectorStore): Promise<Collection> {
  const source = await open(store ?? (await openVolatile()));
  await source.commit({ put: documents, drop: [] });
  return source;
}

const copy = (from: Collection, to: Collection, more: Partial<CopyRun> = {}) =>
  copyDocuments({ from, to, sample: 50, clock: () => 0, ...more });

async function contentOf(collection: Collection) {
  return { rows: await toArray(collection.documents({})), entries: await toArray(collection.scan({})) };
}

/** Its commits, by the ids that they put. */
function watched(collection: Collection) {
  const puts: string[][] = [];
  const commit: Collection['commit'] = (change, options) => {
    puts.push(change.put.map(({ document }) => document.id));
    return collection.commit(change, options);
  };
  return { collection: { ...collection, commit }, puts };
}

describe('copying a collection', () => {
  it.each([
    ['volatile', 'durable', openVolatile, openDurable],
    ['durable', 'volatile', openDurable, openVolatile],
    ['embedded', 'remote', openVolatile, openRemote],
    ['remote', 'embedded', openRemote, openVolatile],
    ['remote', 'another remote', openRemote, openRemote],
  ])('%s to %s: rows, chunks and vectors are the same', async (_from, _to, openFrom, openTo) => {
    const from = await sourceWith(MANY, await openFrom());
    const to = watched(await open(await openTo(), 'other'));
    const report = await copy(from, to.collection);
    expect(report).toEqual({
      documents: 150,
      chunks: 750,
      copied: 150,
      skipped: 0,
      extra: 0,
      compared: 50,
      vectorDifference: 0,
      rounds: 1,
      tookMs: 0,
    });
    expect(await contentOf(to.collection)).toEqual(await contentOf(from));
    expect(to.puts.map(({ length }) => length)).toEqual([102, 48]);
  });

  it('finds the same in the copy, by vector and by keyword', async () => {
    const from = await sourceWith();
    const to = await open(await openRemote());
    await copy(from, to);
    const vector = makeVector('asked');
    const ids = async (collection: Collection) => ({
      nearest: (await collection.nearest({ vector, limit: 10 })).matches.map(({ id }) => id),
      keywords: (await collection.keywords({ text: 'chunk 3 of d077', limit: 10 })).matches.map(({ id }) => id),
    });
    expect((await ids(from)).nearest).toHaveLength(10);
    expect(await ids(to)).toEqual(await ids(from));
  });

  it('copies an empty collection, and documents without chunks', async () => {
    const to = await open(await openVolatile());
    expect(await copy(await sourceWith([]), to)).toMatchObject({ documents: 0, copied: 0, compared: 0 });
    expect(await copy(await sourceWith([makeDocument('empty', [])]), to)).toMatchObject({ documents: 1, chunks: 0, copied: 1 });
  });

  it('goes on where an aborted copy ended', async () => {
    const from = await sourceWith();
    const to = watched(await open(await openVolatile()));
    const abort = new AbortController();
    const onProgress: CopyRun['onProgress'] = ({ phase }) => {
      if (phase === 'copying') abort.abort(new Error('enough'));
    };
    await expect(copy(from, to.collection, { signal: abort.signal, onProgress })).rejects.toThrow('enough');
    expect(await copy(from, to.collection)).toMatchObject({ documents: 150, copied: 48, skipped: 102 });
    expect(to.puts.map(({ length }) => length)).toEqual([102, 48]);
    expect(await copy(from, to.collection)).toMatchObject({ copied: 0, skipped: 150 });
    expect(to.puts).toHaveLength(2);
  });

  it('replaces what changed, and leaves alone and counts what only the target has', async () => {
    const from = await sourceWith([makeDocument('a', [{}], 'bbbbbbbbbbbb'), makeDocument('b', [{}])]);
    const to = await open(await openVolatile());
    await to.commit({ put: [makeDocument('a', [{}, {}]), makeDocument('b', [{}]), makeDocument('own', [{}])], drop: [] });
    expect(await copy(from, to)).toMatchObject({ documents: 2, copied: 1, skipped: 1, extra: 1 });
    expect((await toArray(to.scan({}))).map(({ id }) => id)).toEqual([
      'a#bbbbbbbbbbbb/default/000000',
      'b#aaaaaaaaaaaa/default/000000',
      'own#aaaaaaaaaaaa/default/000000',
    ]);
  });

  it('follows a source that changes meanwhile: what came, what changed, what went', async () => {
    const from = await sourceWith();
    const to = await open(await openVolatile());
    let scans = 0;
    const changing: Collection = {
      ...from,
      async *scan(query, options) {
        const put = [makeDocument('d000', [{}], 'cccccccccccc'), makeDocument('new', [{}])];
        if (scans++ === 1) await from.commit({ put, drop: ['d001', 'd149'] });
        yield* from.scan(query, options);
      },
    };
    const report = await copy(changing, to);
    expect(report).toMatchObject({ documents: 149, extra: 0, rounds: 2, copied: 149, skipped: 0 });
    expect(await contentOf(to)).toEqual(await contentOf(from));
  });

  it('never takes a document of which it read half', async () => {
    const from = await sourceWith([makeDocument('a', [{}, {}])]);
    let scans = 0;
    const changing: Collection = {
      ...from,
      async *scan(query, options) {
        if (scans++ === 0) await from.commit({ put: [makeDocument('a', [{}, {}, {}], 'bbbbbbbbbbbb')], drop: [] });
        yield* from.scan(query, options);
      },
    };
    const to = watched(await open(await openVolatile()));
    expect(await copy(changing, to.collection)).toMatchObject({ documents: 1, chunks: 3, copied: 1, rounds: 2 });
    expect(to.puts).toEqual([['a']]);
  });

  it('names a document whose chunks are missing in the source', async () => {
    const from = await sourceWith([makeDocument('a', [{}]), makeDocument('b', [{}, {}])]);
    const holed: Collection = {
      ...from,
      async *scan(query, options) {
        for await (const entry of from.scan(query, options)) if (entry.position === 0) yield entry;
      },
    };
    const to = await open(await openVolatile());
    await expect(copy(holed, to)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining('document "b" has 1 of its 2 chunks in the source'),
    });
  });

  it('gives up on a source that never stands still, and keeps what it has', async () => {
    const from = await sourceWith([makeDocument('a', [{}])]);
    let writes = 0;
    const busy: Collection = {
      ...from,
      async version(options) {
        await from.commit({ put: [makeDocument('a', [{}], String(writes++).padStart(12, '0'))], drop: [] });
        return from.version(options);
      },
      // What is compared is never what was copied.
      async *documents(query, options) {
        for await (const row of from.documents(query, options)) yield query.ids ? row : { ...row, hash: `${writes++}` };
      },
    };
    const to = await open(await openVolatile());
    await expect(copy(busy, to)).rejects.toMatchObject({ code: 'STORE_LOCKED', retryable: true });
    expect(await toArray(to.documents({}))).toHaveLength(1);
  });

  it('copies beside a writer that died: no two versions of its server are equal', async () => {
    const server = createFakeServer();
    const dying = await open(
      await openRemote((method) => {
        if (method === 'putDocuments' && isDying) throw new Error('gone');
      }, server),
    );
    let isDying = false;
    await dying.commit({ put: [makeDocument('a', [{}])], drop: [] });
    isDying = true;
    await expect(dying.commit({ put: [makeDocument('b', [{}])], drop: [] })).rejects.toThrow('gone');
    const from = await open(await openRemote(undefined, server));
    expect(await from.version()).not.toBe(await from.version());
    const report = await copy(from, await open(await openVolatile()));
    expect(report).toMatchObject({ documents: 1, copied: 1, rounds: 2 });
  });

  const spoiled: readonly (readonly [string, (entry: Entry) => Entry | undefined, string])[] = [
    ['a vector', (entry) => ({ ...entry, vector: entry.vector.map((value) => value + 1e-5) }), 'the vector of chunk'],
    ['a text', (entry) => ({ ...entry, text: 'other' }), 'the text of chunk'],
    ['metadata', (entry) => ({ ...entry, metadata: { ...entry.metadata, more: 1 } }), 'the metadata of chunk'],
    ['a place', (entry) => ({ ...entry, location: { ...entry.location, page: 2 } }), 'the location of chunk'],
    ['a span', (entry) => ({ ...entry, span: [0, 1] }), 'the span of chunk'],
    ['a missing chunk', () => undefined, 'chunk "d077#aaaaaaaaaaaa/default/000001" is not there'],
  ];
  it.each(spoiled)('tells of a target that holds %s otherwise, naming the document', async (_what, spoil, words) => {
    const from = await sourceWith();
    const to = await open(await openVolatile());
    const wrong: Collection = {
      ...to,
      async *scan(query, options) {
        for await (const entry of to.scan(query, options)) {
          const isIt = entry.documentId === 'd077' && entry.position === 1;
          const given = isIt ? spoil(entry) : entry;
          if (given !== undefined) yield given;
        }
      },
    };
    await expect(copy(from, wrong, { sample: 150 })).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringMatching(new RegExp(`document "d077" differs in the target: .*${words}`)),
    });
  });

  it('tells how much a server rounded vectors off', async () => {
    const from = await sourceWith([makeDocument('a', [{}])]);
    const to = await open(await openVolatile());
    const rounding: Collection = {
      ...to,
      async *scan(query, options) {
        for await (const entry of to.scan(query, options))
          yield { ...entry, vector: entry.vector.map((value) => value * 1.0000002) };
      },
    };
    const { vectorDifference } = await copy(from, rounding);
    expect(vectorDifference).toBeGreaterThan(0);
    expect(vectorDifference).toBeLessThan(1e-6);
  });

  it('tells of a target that loses documents', async () => {
    const from = await sourceWith();
    const to = await open(await openVolatile());
    const losing: Collection = {
      ...to,
      commit: (change, options) =>
        to.commit({ ...change, put: change.put.filter(({ document }) => document.id !== 'd033') }, options),
    };
    await expect(copy(from, losing)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining('document "d033" is not in the target'),
    });
  });

  it('refuses other vectors, and itself', async () => {
    const from = await sourceWith();
    const foreign = await open(await openVolatile(), 'docs', { ...FINGERPRINT, embedder: 'another' });
    await expect(copy(from, foreign)).rejects.toMatchObject({ code: 'FINGERPRINT_MISMATCH' });
    await expect(copy(from, from)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
