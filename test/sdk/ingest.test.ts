import { appendFileSync, mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { ingest } from '../../src/core/ingest.js';
import { type IngestProgress, RagError } from '../../src/sdk/index.js';
import { bundleChild, type ChildProgram, kill, nextMessage } from '../support/child.js';
import { makeFolder, writeIn } from '../support/folder.js';
import { createIngestParts, makeItems, openNotes, stateOf, streamOf } from '../support/ingest-parts.js';
import { createLetterEmbedder, openTestRag } from '../support/rag.js';

async function idsOf(rag: Pick<Awaited<ReturnType<typeof openTestRag>>, 'documents'>): Promise<readonly string[]> {
  return (await rag.documents.list({ limit: 1000 })).documents.map(({ id }) => id);
}

describe('a folder that changes while it is read', () => {
  it('costs the documents that are gone, and no other', async () => {
    const names = Array.from({ length: 200 }, (_, number) => `note-${String(number).padStart(3, '0')}.txt`);
    const folder = makeFolder({ 'note-000.txt': 'the first' });
    const rag = await openTestRag({ embedder: createLetterEmbedder() });
    await rag.ingest([folder]); // what is unchanged is told as soon as it was read
    for (const name of names.slice(1)) writeIn(folder, name, `${name} tells of whales`);
    let isFirst = true;
    const report = await rag.ingest([folder], {
      onProgress: ({ phase }) => {
        if (phase !== 'ingesting' || !isFirst) return;
        isFirst = false;
        rmSync(join(folder, 'note-199.txt'));
        writeIn(folder, 'note-198.txt', 'written anew');
        writeIn(folder, 'zz-late.txt', 'too late for this run');
      },
    });
    // Listed, and gone before its turn came.
    expect(report.failed).toEqual([{ uri: 'note-199.txt', code: 'NOT_FOUND', message: 'note-199.txt is not there' }]);
    expect(report).toMatchObject({ unchanged: 1, added: 198 });
    const again = await rag.ingest([folder], { prune: true });
    expect(again).toMatchObject({ failed: [], documents: 200, removed: 0 });
    expect((await rag.documents.read('note-198.txt')).text).toBe('written anew');
    expect(await rag.ingest([folder])).toMatchObject({ unchanged: 200, chunks: 0 });
  });

  it('keeps what was known of a file that could not be read', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha', 'b.txt': 'beta' });
    const rag = await openTestRag({ ingest: { maxFileBytes: 100 } });
    await rag.ingest([folder]);
    writeIn(folder, 'b.txt', 'x'.repeat(101));
    const report = await rag.ingest([folder], { prune: true });
    expect(report).toMatchObject({ unchanged: 1, removed: 0, failed: [{ uri: 'b.txt', code: 'INPUT_INVALID' }] });
    expect((await rag.documents.read('b.txt')).text).toBe('beta');
  });

  it('takes a file that grows as it was when it was opened', async () => {
    const folder = makeFolder({ 'log.txt': 'line\n'.repeat(1000) });
    const rag = await openTestRag();
    const growing = setInterval(() => appendFileSync(join(folder, 'log.txt'), 'line\n'), 1);
    try {
      expect(await rag.ingest([folder])).toMatchObject({ added: 1, failed: [] });
    } finally {
      clearInterval(growing);
    }
    expect((await rag.documents.read('log.txt')).text).toMatch(/^(line\n)+$/);
  });
});

describe('what is large', () => {
  it('is refused by the limit without being read: a file of a gigabyte', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha', 'huge.txt': '' });
    truncateSync(join(folder, 'huge.txt'), 2 ** 30); // sparse: takes no room
    const rag = await openTestRag();
    const report = await rag.ingest([folder]);
    expect(report.added).toBe(1);
    expect(report.failed).toEqual([
      { uri: 'huge.txt', code: 'INPUT_INVALID', message: expect.stringMatching(/1073741824 bytes.*maxFileBytes/) },
    ]);
  });

  it('is taken a part at a time: thousands of tiny files', async () => {
    const files = Array.from({ length: 2000 }, (_, number) => [`${number % 7}/${number}.txt`, `number ${number}`] as const);
    const folder = makeFolder(Object.fromEntries(files));
    const embedder = createLetterEmbedder();
    const rag = await openTestRag({ embedder, caches: { embeddings: false } });
    expect(await rag.ingest([folder])).toMatchObject({ added: 2000, chunks: 2000, failed: [] });
    expect(embedder.embedded).toHaveLength(2000);
    for (const number of [0, 77, 778, 1999]) writeIn(folder, `${number % 7}/${number}.txt`, `new ${number}`);
    for (const number of [5, 6]) rmSync(join(folder, `${number}/${number}.txt`));
    const again = await rag.ingest([folder], { prune: true });
    expect(again).toMatchObject({ changed: 4, unchanged: 1994, removed: 2, chunks: 4 });
    expect(embedder.embedded.slice(2000).toSorted()).toEqual(['new 0', 'new 1999', 'new 77', 'new 778']);
  });
});

it('links in a circle are walked once', async () => {
  const folder = makeFolder({ 'a/x.txt': 'alpha' });
  symlinkSync('..', join(folder, 'a', 'up'));
  symlinkSync('a', join(folder, 'b'));
  mkdirSync(join(folder, 'c'));
  symlinkSync('../c', join(folder, 'c', 'c'));
  symlinkSync('self', join(folder, 'self'));
  const rag = await openTestRag();
  const report = await rag.ingest([folder]);
  expect(report.failed.map(({ uri }) => uri)).toEqual(['self']);
  expect(await idsOf(rag)).toEqual(['a/x.txt', 'b/x.txt']);
});

describe('where a document comes from', () => {
  const open = async (files: Readonly<Record<string, string>>) => {
    const embedder = createLetterEmbedder();
    return { embedder, folder: makeFolder(files), rag: await openTestRag({ embedder, caches: { embeddings: false } }) };
  };

  it('follows from a glob to its folder, and nothing is embedded again', async () => {
    const { embedder, folder, rag } = await open({ 'a.txt': 'alpha', 'b.txt': 'beta' });
    await rag.ingest([`${folder}/*.txt`]);
    expect(await rag.ingest([folder])).toMatchObject({ unchanged: 2, changed: 0, chunks: 0 });
    rmSync(join(folder, 'b.txt'));
    expect(await rag.ingest([folder], { prune: true })).toMatchObject({ unchanged: 1, removed: 1 });
    expect(await idsOf(rag)).toEqual(['a.txt']);
    expect(embedder.embedded).toHaveLength(2);
    expect((await rag.search('alpha')).hits.map(({ documentId }) => documentId)).toEqual(['a.txt']);
  });

  it('stays the folder when one of its files is ingested by itself', async () => {
    const { folder, rag } = await open({ 'a.txt': 'alpha', 'b.txt': 'beta' });
    await rag.ingest([folder]);
    writeIn(folder, 'b.txt', 'better');
    expect(await rag.ingest([join(folder, 'b.txt'), join(folder, 'a.txt')])).toMatchObject({ changed: 1, unchanged: 1 });
    rmSync(join(folder, 'b.txt'));
    expect(await rag.ingest([folder], { prune: true })).toMatchObject({ removed: 1 });
  });
});

describe('the pipeline', () => {
  const text = (number: number) => `document ${number} ${'tells of the sea and of whales. '.repeat(200)}`;
  const documents = Array.from({ length: 120 }, (_, number) => ({ id: `doc-${number}`, text: text(number) }));

  it('counts each document once, done never more than total, in order', async () => {
    const events: IngestProgress[] = [];
    const rag = await openTestRag({ embedder: createLetterEmbedder() });
    const report = await rag.ingest(documents, { onProgress: (event) => events.push(event) });
    expect(report).toMatchObject({ added: 120, documents: 120 });
    expect(events[0]?.phase).toBe('listing');
    expect(events.at(-1)).toMatchObject({ phase: 'done', done: 120, total: 120, chunks: report.chunks });
    const told = events.filter(({ phase }) => phase === 'ingesting');
    expect(told.map(({ done }) => done)).toEqual(documents.map((_, index) => index + 1));
    expect(told.map(({ uri }) => uri)).toEqual(documents.map(({ id }) => id));
  });

  it('ends with the embedder’s error, keeps what was written, and is at rest then', async () => {
    const letters = createLetterEmbedder();
    let calls = 0;
    let isBroken = true;
    const embedder = {
      ...letters,
      maxBatch: 1000,
      embed: async (texts: readonly string[]) => {
        if (isBroken && ++calls === 2) throw new RagError('CONNECTION_FAILED', 'the embedder is away');
        return letters.embed(texts);
      },
    };
    const rag = await openTestRag({ embedder });
    await expect(rag.ingest(documents)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    const kept = await idsOf(rag);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(120);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await idsOf(rag)).toEqual(kept);
    isBroken = false;
    expect(await rag.ingest(documents)).toMatchObject({ unchanged: kept.length, added: 120 - kept.length });
  });

  it('takes a loader that gave up for that document’s problem', async () => {
    const parts = createIngestParts();
    const slow = {
      id: 'slow',
      accepts: (uri: string) => uri === 'doc-0000',
      load: () => Promise.reject(new RagError('TIMEOUT', 'it took too long', { retryable: false })),
    };
    const collection = await openNotes(await openMemoryStore());
    const run = { items: streamOf(makeItems(3)), prune: undefined };
    const report = await ingest({ ...parts, loaders: [slow, ...parts.loaders] }, collection, run);
    expect(report).toMatchObject({ added: 2, failed: [{ uri: 'doc-0000', code: 'TIMEOUT' }] });
  });
});

describe('a process killed in the middle of an ingest', () => {
  const COUNT = 150;
  let program: ChildProgram;
  beforeAll(async () => {
    program = await bundleChild('ingesting-process.ts');
  });
  afterAll(() => program.remove());

  it('left whole documents: the next run does the rest, embeds nothing twice and ends like an undisturbed one', {
    timeout: 120_000,
  }, async () => {
    const undisturbed = await openNotes(await openMemoryStore());
    await ingest(createIngestParts(), undisturbed, { items: streamOf(makeItems(COUNT)), prune: undefined });
    const expected = await stateOf(undisturbed);
    // Killed after so many documents were told to be in: none, at the first batch, between, the last.
    for (const [kills, after] of [0, 1, 40, 80, 120].entries()) {
      const path = makeFolder();
      const child = program.start(path, String(COUNT));
      onTestFinished(() => kill(child));
      const told: unknown[] = [];
      child.on('message', (message) => told.push(message));
      while (told.length < after) await nextMessage(child);
      await kill(child);

      const store = await openMemoryStore({ path });
      const collection = await openNotes(store);
      const parts = createIngestParts();
      const report = await ingest(parts, collection, { items: streamOf(makeItems(COUNT)), prune: undefined });
      expect(report, `kill ${kills}`).toMatchObject({ failed: [], changed: 0, documents: COUNT });
      expect(report.unchanged).toBeGreaterThanOrEqual(told.length);
      const again = new Set(parts.embedded.map((text) => text.slice(0, 'doc-0000'.length)));
      expect(told.filter((id) => again.has(String(id)))).toEqual([]);
      expect(again.size).toBe(report.added);
      expect(await stateOf(collection)).toEqual(expected);
      await store.close();
    }
  });
});
