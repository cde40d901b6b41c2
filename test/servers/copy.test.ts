import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import type { Collection, Fingerprint, Space, VectorStore } from '../../src/core/contracts.js';
import { toArray } from '../../src/core/flow.js';
import { copyCollection, type StoreOption } from '../../src/sdk/index.js';
import { makeDocument, makeVector } from '../support/chunks.js';
import { chroma, type StartedChroma } from './chroma.js';
import { isIsolated, type MilvusServer, milvusLite, milvusStandalone, runIsolated } from './milvus-servers.js';
import { requireServer } from './require-server.js';

const requiredChroma = await requireServer(chroma);
const requiredMilvus = await requireServer(milvusLite);
const standalone = await requireServer(milvusStandalone);

const DIMENSIONS = 64;
const fingerprint: Fingerprint = { embedder: 'test-embedder', dimensions: DIMENSIONS, metric: 'cosine' };
const WORDS = ['line', 'warranty', 'whale', 'fungus', 'straße', '保証', 'naïve', 'garden'];

/** 600 documents with 1,500 chunks, in several scripts; one in 20 has a chunk that is found by keyword only. */
const DOCUMENTS = Array.from({ length: 600 }, (_, index) => {
  const metadata = {
    year: 1900 + index / 4,
    lang: index % 2 === 0 ? 'en' : 'de',
    tags: [`t${index % 7}`, "it's"],
    'odd "key"': true,
  };
  const chunks = Array.from({ length: 1 + (index % 4) }, (_, position) => ({
    text: `${WORDS[index % 8]} ${WORDS[(index + position) % 8]} number ${index}\n${'x'.repeat(index)}`,
    metadata: { ...metadata, position },
    group: position === 3 ? 'fine' : 'default',
    vector: index % 20 === 0 && position === 0 ? new Float32Array(DIMENSIONS) : makeVector(`${index} ${position}`, DIMENSIONS),
  }));
  return makeDocument(`folder/${WORDS[index % 8]}-${index}.md`, chunks, index.toString(16).padStart(64, '0'), metadata);
});

const skipped = requiredChroma.skipped || requiredMilvus.skipped || isIsolated();
const title = [requiredChroma, requiredMilvus].map((required) => required.title).join(' and ');

describe.skipIf(skipped)(`copying between ${title}`, () => {
  let folder: string;
  let chromaServer: StartedChroma;
  let milvusServer: MilvusServer;
  let source: StoreOption;

  beforeAll(async () => {
    if (requiredChroma.skipped || requiredMilvus.skipped) return;
    folder = await mkdtemp(join(tmpdir(), 'hotrag-copy-'));
    chromaServer = await requiredChroma.server(join(folder, 'chroma'));
    milvusServer = await requiredMilvus.server();
    source = await fillSource(folder);
  });
  afterAll(async () => {
    await chromaServer?.stop();
    await milvusServer?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps everything on the way memory → Chroma → Milvus → memory', async () => {
    const viaChroma: StoreOption = { type: 'chroma', uri: chromaServer.uri };
    const viaMilvus: StoreOption = { type: 'milvus', uri: milvusServer.uri, index: 'FLAT', timeoutMs: 60_000 };
    const back: StoreOption = { type: 'memory', path: join(folder, 'back') };
    await expectRoundTrip(folder, [source, viaChroma, viaMilvus, back]);
  });

  it('goes on where an aborted copy to a server ended', async () => {
    for (const to of [
      { type: 'chroma', uri: chromaServer.uri } as const,
      { type: 'milvus', uri: milvusServer.uri, index: 'FLAT', timeoutMs: 60_000 } as const,
    ]) {
      const abort = new AbortController();
      let done = 0;
      const onProgress = (event: { readonly phase: string; readonly done: number }) => {
        if (event.phase !== 'copying') return;
        done = event.done;
        abort.abort(new Error('enough'));
      };
      const request = { from: source, to, collection: 'docs', toCollection: 'aborted' };
      await expect(copyCollection({ ...request, signal: abort.signal, onProgress })).rejects.toThrow('enough');
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThan(600);
      expect(await copyCollection(request)).toMatchObject({ documents: 600, copied: 600 - done, skipped: done, extra: 0 });
    }
  });
});

describe.skipIf(standalone.skipped)(`copying to and from ${standalone.title} 2.3.5`, () => {
  if (standalone.skipped) return;
  const { server: start } = standalone;
  if (!isIsolated()) {
    it('is done in a network namespace of its own', { timeout: 900_000 }, async () => {
      const { status, output } = await runIsolated('test/servers/copy.test.ts');
      expect(status, output).toBe(0);
    });
    return;
  }

  it('keeps everything on the way memory → Milvus → memory', { timeout: 600_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hotrag-copy-'));
    const server = await start();
    const via: StoreOption = { type: 'milvus', uri: server.uri, index: 'FLAT', timeoutMs: 60_000 };
    await expectRoundTrip(folder, [await fillSource(folder), via, { type: 'memory', path: join(folder, 'back') }]);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
});

/** The documents in an embedded store, in the folder `source`. */
async function fillSource(folder: string): Promise<StoreOption> {
  const path = join(folder, 'source');
  const store = await openMemoryStore({ path });
  const fields = [{ name: 'year', type: 'number' }] as const;
  const collection = await store.open({ collection: 'docs', fingerprint, fields, create: true });
  await collection.commit({ put: DOCUMENTS, drop: [] });
  await store.close();
  return { type: 'memory', path };
}

/** Copies from stop to stop; what is in the folder `back` at the end is what was in `source`, and answers the same. */
async function expectRoundTrip(folder: string, stops: readonly StoreOption[]): Promise<void> {
  for (const [index, to] of stops.slice(1).entries()) {
    const from = stops[index] ?? to;
    const report = await copyCollection({ from, to, collection: 'docs' });
    expect(report).toMatchObject({ documents: 600, chunks: 1500, copied: 600, skipped: 0, extra: 0, compared: 50, rounds: 1 });
    expect(report.vectorDifference).toBe(0);
    expect(await copyCollection({ from, to, collection: 'docs' })).toMatchObject({ copied: 0, skipped: 600 });
  }
  const [first, last] = [await openDocs(join(folder, 'source')), await openDocs(join(folder, 'back'))];
  expect(await toArray(last.collection.documents({}))).toEqual(await toArray(first.collection.documents({})));
  expect(await toArray(last.collection.scan({}))).toEqual(await toArray(first.collection.scan({})));
  for (let query = 0; query < 20; query++) {
    const found = await searchBoth(first.collection, query);
    expect(found.nearest).toHaveLength(10);
    expect(found.keywords).toHaveLength(10);
    expect(await searchBoth(last.collection, query)).toEqual(found);
  }
  await first.store.close();
  await last.store.close();
}

async function openDocs(path: string): Promise<{ readonly store: VectorStore; readonly collection: Collection }> {
  const store = await openMemoryStore({ path });
  const [space] = (await store.collections()) as readonly [Space]; // the one that the test made
  return { store, collection: await store.open({ ...space, create: false }) };
}

async function searchBoth(collection: Collection, query: number) {
  const idsOf = ({ matches }: Awaited<ReturnType<Collection['nearest']>>) => matches.map(({ id }) => id);
  const text = `${WORDS[query % 8]} number ${query * 17}`;
  return {
    nearest: idsOf(await collection.nearest({ vector: makeVector(`query ${query}`, DIMENSIONS), limit: 10 })),
    keywords: idsOf(await collection.keywords({ text, limit: 10 })),
  };
}
