import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import type { Space, VectorStore } from '../../src/core/contracts.js';
import { toArray } from '../../src/core/flow.js';
import { openStore } from '../../src/sdk/compose.js';
import { parseConfig } from '../../src/sdk/config.js';
import { type IngestSource, openRag, type Rag, type StoreOption } from '../../src/sdk/index.js';
import { chroma } from './chroma.js';
import { milvusLite, openClient } from './milvus-servers.js';
import { requireServer } from './require-server.js';

/** A server that can be killed and started again on the same port and data. */
interface Server {
  readonly store: Exclude<StoreOption, VectorStore>;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Rows of the chunk table, those that no manifest row counts too; by a client of the test's own. */
  rows(collection: string): Promise<number>;
}

/** What a call to the server may take. */
const TIMEOUT_MS = 10_000;

const requiredChroma = await requireServer(chroma);
const requiredMilvus = await requireServer(milvusLite);
const KINDS: readonly (readonly [title: string, skipped: boolean, start: (folder: string) => Promise<Server>])[] = [
  [requiredChroma.title, requiredChroma.skipped, startChroma],
  [requiredMilvus.title, requiredMilvus.skipped, startMilvus],
];

const SUBJECTS = ['whale', 'fungus', 'star', 'garden', 'engine', 'harbour', 'novel'];
/** 200 documents with some 3,000 chunks: an ingest of several commits. */
const SOURCES: readonly IngestSource[] = Array.from({ length: 200 }, (_, index) => ({
  id: `notes/${index}`,
  text: Array.from(
    { length: 15 },
    (_, part) =>
      `Part ${part} of note ${index} tells of the ${SUBJECTS[(index + part) % 7]} and the ${SUBJECTS[(index * 3 + part) % 7]}, number ${index * 31 + part}.`,
  ).join('\n\n'),
  metadata: { year: 1900 + index, subject: SUBJECTS[index % 7] ?? '' },
}));
const GROUPS = { default: { type: 'recursive', maxChars: 100, overlap: 0 } } as const;
const QUERIES = ['the whale and the garden', 'note 17', 'number 4242 of an engine', 'star novel harbour', 'part 3 of note 150'];

describe.each(KINDS)('%s', (_title, skipped, start) => {
  describe.skipIf(skipped)('killed in the middle of an ingest and started again', () => {
    let folder: string;
    let server: Server;
    let undisturbed: State;
    const rags: Rag[] = [];

    const open = async (collection: string, store: StoreOption) => {
      const rag = await openRag({ collection, store, groups: GROUPS, caches: { search: false } });
      rags.push(rag);
      return rag;
    };

    beforeAll(async () => {
      if (skipped) return;
      folder = await mkdtemp(join(tmpdir(), 'hotrag-killed-'));
      server = await start(join(folder, 'server'));
      const path = join(folder, 'undisturbed');
      const rag = await open('notes', { type: 'memory', path });
      const report = await rag.ingest(SOURCES);
      expect(report).toMatchObject({ added: 200, failed: [] });
      expect(report.chunks).toBeGreaterThan(2500);
      const store = await openMemoryStore({ path });
      undisturbed = await stateOf(rag, store, 'notes');
      await store.close();
    });
    afterEach(async () => {
      for (const rag of rags.splice(0)) await rag.close();
    });
    afterAll(async () => {
      await server?.stop();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    it.each(['the same process', 'another process'])('%s completes it: nothing is lost, nothing there twice', async (resumer) => {
      const collection = resumer.replaceAll(' ', '_');
      const rag = await open(collection, server.store);
      let committed = 0;
      let settled = false;
      let killed: Promise<void> | undefined;
      const outcome = rag
        .ingest(SOURCES, {
          onProgress: (event) => {
            if (event.phase !== 'ingesting') return;
            committed = event.done;
            killed ??= killAmidCommit(server, collection, () => settled);
          },
        })
        .catch((error: unknown) => error)
        .finally(() => {
          settled = true;
        });
      expect(await outcome).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_FAILED|TIMEOUT)$/), retryable: true });
      await killed;
      expect(committed).toBeGreaterThan(0);
      expect(committed).toBeLessThan(200);

      const startedAt = performance.now();
      for (const mode of ['vector', 'hybrid', 'keyword'] as const) {
        await expect(rag.search('whale', { mode })).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
      }
      await expect(rag.ingest(SOURCES)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
      expect(performance.now() - startedAt).toBeLessThan(4 * TIMEOUT_MS);

      await server.restart();
      const resuming = resumer === 'the same process' ? rag : await open(collection, server.store);
      // Whole documents are there, and no part of others, though rows of the interrupted commit are.
      const { documents } = await resuming.documents.list({ limit: 1000 });
      const done = new Map(undisturbed.documents.map((document) => [document.id, document]));
      for (const { id, hash, chunks } of documents) expect(done.get(id)).toMatchObject({ hash, chunks });
      expect(documents.length).toBeGreaterThanOrEqual(committed);

      const report = await resuming.ingest(SOURCES);
      expect(report).toMatchObject({ changed: 0, failed: [], documents: 200 });
      expect(report.unchanged).toBe(documents.length);
      const store = await openStore(parseConfig({ store: server.store }).store);
      for (const reader of [rag, await open(collection, server.store)]) {
        const state = await stateOf(reader, store, collection);
        expect(state.documents).toEqual(undisturbed.documents);
        expect(state.chunks).toEqual(undisturbed.chunks);
        expect(state.hits).toEqual(undisturbed.hits);
      }
      await store.close();
      // What another process left behind is removed once it is surely dead, ten minutes later.
      if (resuming === rag) expect(await server.rows(collection)).toBe(undisturbed.chunks.length);
      expect(await resuming.ingest(SOURCES)).toMatchObject({ unchanged: 200, chunks: 0 });
    });
  });
});

interface State {
  readonly documents: readonly { readonly id: string; readonly hash: string; readonly chunks: number }[];
  readonly chunks: readonly (readonly [id: string, text: string])[];
  readonly hits: readonly (readonly string[])[];
}

/** All that a collection holds and answers, but for times. */
async function stateOf(rag: Rag, store: VectorStore, name: string): Promise<State> {
  const { documents } = await rag.documents.list({ limit: 1000 });
  const spaces = await store.collections();
  const space = spaces.find(({ collection }) => collection === name) as Space; // an ingest made it
  const collection = await store.open({ ...space, create: false });
  const chunks = (await toArray(collection.scan({}))).map(({ id, text }) => [id, text] as const);
  await collection.close();
  const hits = [];
  for (const query of QUERIES) {
    for (const mode of ['hybrid', 'keyword'] as const) {
      const found = await rag.search(query, { mode, topK: 10, filter: { year: { $lt: 2090 } } });
      hits.push(found.hits.map(({ id, text }) => `${id} ${text}`));
    }
  }
  return { documents: documents.map(({ id, hash, chunks, metadata }) => ({ id, hash, chunks, metadata })), chunks, hits };
}

/** Waits until there are more rows than before: a commit is under way. */
async function killAmidCommit(server: Server, collection: string, isOver: () => boolean): Promise<void> {
  const before = await server.rows(collection);
  while (!isOver() && (await server.rows(collection)) === before);
  await server.kill();
}

async function startChroma(folder: string): Promise<Server> {
  if (requiredChroma.skipped) throw new Error(requiredChroma.title);
  const startServer = requiredChroma.server;
  let running = await startServer(folder);
  const { ChromaClient } = await import('chromadb');
  const client = new ChromaClient({ host: '127.0.0.1', port: running.port });
  return {
    store: { type: 'chroma', uri: running.uri, hnsw: { ef_search: 10_000 }, timeoutMs: TIMEOUT_MS },
    kill: () => running.kill(),
    async restart() {
      running = await startServer(folder, running.port);
    },
    stop: () => running.stop(),
    // The client's type forgets that `null` is allowed; without it, it looks for a package that embeds.
    rows: async (name) => (await client.getCollection({ name, embeddingFunction: null as never })).count(),
  };
}

async function startMilvus(): Promise<Server> {
  if (requiredMilvus.skipped) throw new Error(requiredMilvus.title);
  const server = await requiredMilvus.server();
  return {
    store: { type: 'milvus', uri: server.uri, index: 'FLAT', timeoutMs: TIMEOUT_MS },
    kill: server.kill,
    restart: server.start,
    stop: server.stop,
    async rows(collection_name) {
      const client = await openClient(server.uri);
      const { data } = await client.query({ collection_name, filter: 'position >= 0', output_fields: ['count(*)'] });
      await client.closeConnection();
      return Number(data[0]?.['count(*)']);
    },
  };
}
