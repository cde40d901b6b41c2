import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRemoteCollection } from '../../../src/adapters/stores/remote/collection.js';
import type { RemoteServer, RemoteTables } from '../../../src/adapters/stores/remote/contract.js';
import type { Change, Collection, Entry, Space } from '../../../src/core/contracts.js';
import { RagError } from '../../../src/core/errors.js';
import { toArray } from '../../../src/core/flow.js';
import { chunkId } from '../../../src/core/ids.js';
import { createFakeServer, type OnCall } from './remote-server.js';

const space: Space = {
  collection: 'docs',
  uuid: '7f0c0a52-1f0f-4a59-9c5e-0f6f2f9a0001',
  fingerprint: { embedder: 'test', dimensions: 2, metric: 'cosine' },
  fields: [],
};
const NO_KEYWORDS = { open: () => Promise.reject(new Error('no keyword index here')), eager: false };
const query = { vector: Float32Array.of(1, 0), limit: 100 };
const COMMIT_CALLS = [
  'writers',
  'putWriter',
  'insertChunks',
  'putDocuments',
  'chunkKeys',
  'deleteChunks',
  'deleteDocuments',
  'setPulse',
];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([{ pulse: false }, { pulse: true }])('a remote collection, %o', (options) => {
  test('replaces a document as a whole and removes its old chunks', async () => {
    const server = createFakeServer(options);
    const collection = await open(server.client());
    await collection.commit(put('a', 'one', 3));
    await collection.commit(put('a', 'two', 2));
    expect(await found(collection)).toEqual(['two', 'two']);
    expect(server.chunkRows()).toHaveLength(2);
  });

  test('shows a commit to a collection that another process has open', async () => {
    const server = createFakeServer(options);
    const [writer, reader] = [await open(server.client()), await open(server.client())];
    for (const text of ['one', 'two', 'three']) {
      await writer.commit(put('a', text, 2));
      expect(await found(reader)).toEqual([text, text]);
      expect((await toArray(reader.documents({}))).map(({ hash }) => hash)).toEqual([hashOf(text)]);
    }
    await writer.commit({ put: [], drop: ['a', 'unknown'] });
    expect(await found(reader)).toEqual([]);
    expect(await toArray(reader.documents({}))).toEqual([]);
  });

  test('has one version for all while nobody writes, and another after every commit', async () => {
    const server = createFakeServer(options);
    const [writer, reader] = [await open(server.client()), await open(server.client())];
    const seen = new Set<string>();
    for (const text of ['one', 'two', 'one']) {
      await writer.commit(put('a', text, 1));
      const version = await reader.version();
      expect(await reader.version()).toBe(version);
      expect(await writer.version()).toBe(version);
      seen.add(version);
    }
    expect(seen.size).toBe(3);
  });

  test('has a new version at every look while a commit runs, so that nothing is cached', async () => {
    const server = createFakeServer(options);
    const reader = await open(server.client());
    const versions: string[] = [];
    const writer = await open(
      server.client(async (method) => {
        if (method === 'putDocuments') versions.push(await reader.version(), await reader.version());
      }),
    );
    await writer.commit(put('a', 'one', 1));
    versions.push(await reader.version());
    expect(new Set(versions).size).toBe(3);
  });

  // Every call of a replacing commit in turn is the last one that reaches the server.
  for (const method of COMMIT_CALLS) {
    for (const occurrence of [1, 2, 3]) {
      test(`leaves old or new documents, never a mixture, when the writer dies at ${method} ${occurrence}`, async () => {
        const server = createFakeServer(options);
        const reader = await open(server.client());
        const first = await open(server.client());
        await first.commit({ put: [...put('a', 'one', 3).put, ...put('b', 'one', 2).put], drop: [] });
        const dying = await open(server.client(failFrom(method, occurrence)));
        const change = { put: [...put('a', 'two', 2).put, ...put('c', 'two', 1).put], drop: ['b'] };
        await dying.commit(change).catch(() => {});

        const states = await statesOf(reader);
        expect([
          ['one', 3],
          ['two', 2],
        ]).toContainEqual(states.get('a'));
        expect([['one', 2], undefined]).toContainEqual(states.get('b'));
        expect([['two', 1], undefined]).toContainEqual(states.get('c'));

        const next = await open(server.client());
        await next.commit(change);
        expect(Object.fromEntries(await statesOf(reader))).toEqual({ a: ['two', 2], c: ['two', 1] });
        expect(await found(next)).toEqual(['two', 'two', 'two']);

        // By now nobody can take the dead writer for a slow one.
        vi.advanceTimersByTime(11 * 60_000);
        await next.commit(put('d', 'two', 1));
        expect(server.chunkRows()).toHaveLength(4);
        expect(await found(reader)).toEqual(['two', 'two', 'two', 'two']);
      });
    }
  }

  test('tells the error of a failed commit, and the retry in the same process completes it and tidies up', async () => {
    const server = createFakeServer(options);
    let fails = true;
    const collection = await open(
      server.client((method) => {
        if (method === 'putDocuments' && fails) throw new RagError('CONNECTION_FAILED', 'down');
      }),
    );
    await expect(collection.commit(put('a', 'one', 2))).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    expect(await found(collection)).toEqual([]);
    fails = false;
    await collection.commit(put('a', 'one', 2));
    expect(await found(collection)).toEqual(['one', 'one']);
    expect(server.chunkRows()).toHaveLength(2);
    expect(server.writerRows().filter(({ writer, seq }) => writer !== 'epoch' && seq % 2 === 1)).toEqual([]);
  });

  test('writes again when another process took it for dead and removed its chunks', async () => {
    const server = createFakeServer(options);
    const tables = await server.create(space).then(() => server.tables(space));
    let interfered = false;
    const collection = await open(
      server.client(async (method) => {
        if (method !== 'putDocuments' || interfered) return;
        interfered = true;
        for (const row of server.writerRows()) await tables.putWriter({ ...row, seq: row.seq + 2 });
        await tables.deleteChunks(server.chunkRows().map(({ rowId }) => rowId));
      }),
    );
    await collection.commit(put('a', 'one', 2));
    expect(await found(collection)).toEqual(['one', 'one']);
    expect(await found(await open(server.client()))).toEqual(['one', 'one']);
  });

  test('loses nothing when two processes replace the same documents at once', async () => {
    const server = createFakeServer(options);
    const slowly: OnCall = () => new Promise((resolve) => setImmediate(resolve));
    const writers = await Promise.all(
      ['one', 'two', 'three'].map(async (text) => ({ text, collection: await open(server.client(slowly)) })),
    );
    const reader = await open(server.client(slowly));
    const documents = ['a', 'b', 'c', 'd'];
    for (let round = 0; round < 5; round++) {
      const all = writers.map(({ text, collection }) =>
        collection.commit({ put: documents.flatMap((id) => put(id, text, 2).put), drop: [] }),
      );
      let working = true;
      const done = Promise.all(all).finally(() => {
        working = false;
      });
      while (working) {
        const states = await statesOf(reader);
        for (const [id, state] of states) expect(state, id).toEqual([state[0], 2]);
        if (round > 0) expect([...states.keys()].sort()).toEqual(documents);
      }
      await done;
      expect((await statesOf(reader)).size).toBe(4);
    }
  });

  test('starts a search over when what it found was replaced before it could tell', async () => {
    const server = createFakeServer(options);
    const writer = await open(server.client());
    await writer.commit(put('a', 'one', 2));
    let replaced = false;
    const reader = await open(
      server.client(async (method) => {
        if (!replaced && method === (options.pulse ? 'readPulse' : 'writers') && searching) {
          replaced = true;
          await writer.commit(put('a', 'two', 3));
        }
      }),
    );
    let searching = false;
    expect(await found(reader)).toEqual(['one', 'one']);
    searching = true;
    expect(await found(reader)).toEqual(['two', 'two', 'two']);
    expect(replaced).toBe(true);
  });

  test('looks whether something changed beside the search, not before or after it', async () => {
    const server = createFakeServer(options);
    const look = options.pulse ? 'readPulse' : 'writers';
    const started = new Set<string>();
    let watched = false;
    // Each of the two answers only when the other one is on its way: one after the other would never end.
    const both = async (method: string) => {
      if (!watched || (method !== look && method !== 'nearest')) return;
      started.add(method);
      while (started.size < 2) await new Promise((resolve) => setImmediate(resolve));
    };
    const collection = await open(server.client(both));
    await collection.commit(put('a', 'one', 1));
    await found(collection);
    watched = true;
    expect(await found(collection)).toEqual(['one']);
    expect([...started].sort()).toEqual([look, 'nearest'].sort());
  });

  test('takes nobody for dead whose clock is wrong and who goes on', async () => {
    const server = createFakeServer(options);
    const other = await open(server.client());
    const writer = await open(
      server.client(async (method) => {
        if (method === 'putWriter') vi.setSystemTime(new Date('2024-01-01'));
        if (method !== 'putDocuments') return;
        vi.setSystemTime(new Date('2024-01-01T02:00:00Z'));
        await other.commit(put('b', 'two', 1));
      }),
    );
    await writer.commit(put('a', 'one', 2));
    expect(await found(await open(server.client()))).toEqual(['one', 'one', 'two']);
    expect(server.chunkRows()).toHaveLength(3);
  });

  test('sees a document go that another process dropped after it was put, though the answer to the put comes last', async () => {
    const server = createFakeServer(options);
    const other = await open(server.client());
    await other.commit({ put: [...put('a', 'zero', 1).put, ...put('b', 'zero', 1).put], drop: [] });
    const tables = await server.tables(space);
    let collection: Collection | undefined;
    const slow: RemoteTables = {
      ...tables,
      putDocuments: async (rows) => {
        await tables.putDocuments(rows);
        await other.commit({ put: [], drop: ['a'] });
        if (collection !== undefined) await found(collection);
      },
    };
    collection = createRemoteCollection({ space, compiler: server.compiler, tables: slow, keywords: NO_KEYWORDS });
    await found(collection);
    await collection.commit(put('a', 'one', 3));
    expect(await found(collection)).toEqual(['zero']);
    expect(await collection.get([chunkId('a', hashOf('one'), 'default', 0)])).toEqual([undefined]);
    expect(server.chunkRows()).toHaveLength(1);
  });

  test('keeps what another process wrote after it, though the server’s answer to its own write comes last', async () => {
    const server = createFakeServer(options);
    const other = await open(server.client());
    await other.commit(put('a', 'zero', 1));
    const tables = await server.tables(space);
    let collection: Collection | undefined;
    const slow: RemoteTables = {
      ...tables,
      putDocuments: async (rows) => {
        await tables.putDocuments(rows);
        await other.commit(put('a', 'two', 2));
        if (collection !== undefined) await found(collection);
      },
    };
    collection = createRemoteCollection({ space, compiler: server.compiler, tables: slow, keywords: NO_KEYWORDS });
    await collection.commit(put('a', 'one', 3));
    for (const asked of [collection, other, await open(server.client())]) expect(await found(asked)).toEqual(['two', 'two']);
    expect(server.chunkRows()).toHaveLength(2);
  });

  test('looks again when it finds chunks that it knows nothing of', async () => {
    const server = createFakeServer(options);
    const writer = await open(server.client());
    await writer.commit(put('a', 'one', 2));
    let searching = false;
    const reader = await open(
      server.client(async (method) => {
        // The look whether something changed is on its way already.
        if (method === 'nearest' && searching) await writer.commit(put('a', 'two', 3));
        searching = false;
      }),
    );
    expect(await found(reader)).toEqual(['one', 'one']);
    searching = true;
    expect(await found(reader)).toEqual(['two', 'two', 'two']);
  });

  test('learns what a writer made visible just before it died', async () => {
    const server = createFakeServer(options);
    const reader = await open(server.client());
    expect(await found(reader)).toEqual([]);
    const dying = await open(
      server.client(async (method) => {
        // While it is at work the reader looks once; what follows it sees only when it looks again.
        if (method === 'putDocuments') expect(await found(reader)).toEqual([]);
        else if (server.chunkRows().length > 0) throw new RagError('CONNECTION_FAILED', 'gone');
      }),
    );
    await dying.commit(put('a', 'one', 2)).catch(() => {});
    vi.advanceTimersByTime(120_000);
    expect((await toArray(reader.documents({}))).map(({ id }) => id)).toEqual(['a']);
    expect(await found(reader)).toEqual(['one', 'one']);
    expect(await reader.version()).toBe(await reader.version());
  });

  test('leaves out chunks of a commit that is not done, and asks for more in their place', async () => {
    const server = createFakeServer(options);
    const reader = await open(server.client());
    const writer = await open(server.client());
    await writer.commit(put('z', 'old', 5));
    const texts: (readonly (string | undefined)[])[] = [];
    const other = await open(
      server.client(async (method) => {
        if (method !== 'putDocuments') return;
        const { matches } = await reader.nearest({ ...query, limit: 5 });
        texts.push(matches.map(({ chunk }) => chunk?.text));
      }),
    );
    await other.commit(put('a', 'new', 50));
    expect(texts).toEqual([['old', 'old', 'old', 'old', 'old']]);
  });

  test('gives one state of a document to a search that meets its replacement at any point', async () => {
    const server = createFakeServer(options);
    const slowly: OnCall = () => new Promise((resolve) => setImmediate(resolve));
    const writer = await open(server.client(slowly));
    await writer.commit(put('a', 'v0', 3));
    const readers = await Promise.all([open(server.client()), open(server.client(slowly))]);
    for (let turn = 1; turn <= 20; turn++) {
      let working = true;
      const commit = writer.commit(put('a', `v${turn}`, 3)).finally(() => {
        working = false;
      });
      while (working) {
        for (const reader of readers) {
          const texts = await found(reader);
          expect(texts).toHaveLength(3);
          expect(new Set(texts).size).toBe(1);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await commit;
    }
  });
});

test('an abort ends a waiting commit and a running one with the signal’s reason', async () => {
  const server = createFakeServer();
  const reason = new Error('enough');
  const controller = new AbortController();
  const collection = await open(
    server.client((method) => {
      if (method === 'insertChunks') controller.abort(reason);
    }),
  );
  const running = collection.commit(put('a', 'one', 1), { signal: controller.signal });
  const waiting = collection.commit(put('b', 'one', 1), { signal: controller.signal });
  await expect(running).rejects.toBe(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(collection.nearest(query, { signal: controller.signal })).rejects.toBe(reason);
});

test('ten thousand documents are dropped in one change', async () => {
  const server = createFakeServer();
  const collection = await open(server.client());
  const ids = Array.from({ length: 10_000 }, (_, index) => `d${index}`);
  await collection.commit({ put: ids.slice(0, 300).flatMap((id) => put(id, 'one', 1).put), drop: [] });
  await collection.commit({ put: [], drop: ids });
  expect(server.chunkRows()).toEqual([]);
});

test('the rows of many writers that are done are thinned out, and everybody still sees one version', async () => {
  const server = createFakeServer();
  const reader = await open(server.client());
  const tables = await server.tables(space);
  for (let index = 0; index < 40; index++) await tables.putWriter({ writer: `old${index}`, seq: 2, at: 0 });
  const writer = await open(server.client());
  await writer.commit(put('a', 'one', 1));
  expect(server.writerRows().length).toBeLessThan(5);
  expect(await reader.version()).toBe(await writer.version());
  expect(await found(reader)).toEqual(['one']);
});

async function open(server: RemoteServer): Promise<Collection> {
  const made = await server.create(space);
  const tables = await server.tables(made);
  return createRemoteCollection({ space: made, compiler: server.compiler, tables, keywords: NO_KEYWORDS });
}

/** A client whose connection breaks for good at a call. */
function failFrom(method: string, occurrence: number): OnCall {
  let left = occurrence;
  return (called) => {
    if (called === method) left--;
    if (left <= 0) throw new RagError('CONNECTION_FAILED', 'gone');
  };
}

function put(id: string, text: string, chunks: number): Change {
  const hash = hashOf(text);
  const base = { documentId: id, uri: id, hash, group: 'default', span: [0, 1] as const, location: {}, metadata: {} };
  const entries: Entry[] = Array.from({ length: chunks }, (_, position) => ({
    ...base,
    id: chunkId(id, hash, 'default', position),
    position,
    text,
    vector: Float32Array.of(1, 0),
  }));
  const document = {
    id,
    uri: id,
    hash,
    metadata: {},
    loader: 'text',
    origin: '',
    length: 1,
    chunks,
    updatedAt: '2024-01-01T00:00:00.000Z',
  };
  return { put: [{ document, entries }], drop: [] };
}

function hashOf(text: string): string {
  return Buffer.from(text).toString('hex').padEnd(64, '0');
}

async function found(collection: Collection): Promise<readonly (string | undefined)[]> {
  return (await collection.nearest(query)).matches.map(({ chunk }) => chunk?.text);
}

/** Per document that a search finds: its text and how many of its chunks were found. More than one text shows as a wrong count. */
async function statesOf(collection: Collection): Promise<Map<string, readonly [string, number]>> {
  const states = new Map<string, readonly [string, number]>();
  for (const { chunk } of (await collection.nearest(query)).matches) {
    if (chunk === undefined) continue;
    const [text, count] = states.get(chunk.documentId) ?? [chunk.text, 0];
    states.set(chunk.documentId, [text, chunk.text === text ? count + 1 : -100]);
  }
  return states;
}
