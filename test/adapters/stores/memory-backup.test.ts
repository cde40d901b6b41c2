import { existsSync } from 'node:fs';
import { readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import type { Collection } from '../../../src/core/contracts.js';
import { toArray } from '../../../src/core/flow.js';
import { backupStore, openRag, restoreStore } from '../../../src/sdk/index.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';
import { openTestRag } from '../../support/rag.js';

const request = (collection: string, create = true) => ({ collection, fingerprint: FINGERPRINT, fields: [], create });
const textsOf = (id: string) =>
  Array.from({ length: 20 }, (_, index) => ({ text: `needle ${index} of ${id} ${'hay '.repeat(50)}` }));

/** A closed store with two collections; `docs` holds ten documents. */
async function makeStore(names = Array.from({ length: 10 }, (_, index) => `doc-${index}.md`)): Promise<string> {
  const path = makeFolder();
  const store = await openMemoryStore({ path });
  const docs = await store.open(request('docs'));
  await docs.commit({ put: names.map((name) => makeDocument(name, textsOf(name))), drop: [] });
  const notes = await store.open(request('notes'));
  await notes.commit({ put: [makeDocument(`${'x'.repeat(3000)}.md`, [{ text: 'one note' }])], drop: [] });
  await store.close();
  return path;
}

async function makeBackup(path: string, file = join(makeFolder(), 'docs.backup')) {
  await backupStore({ store: { type: 'memory', path }, file });
  return file;
}

const restoreInto = (path: string, file: string, force = false) => restoreStore({ store: { type: 'memory', path }, file, force });

async function idsOf(collection: Collection): Promise<readonly string[]> {
  return (await toArray(collection.documents({}))).map((row) => row.id);
}

/** Everything that a store holds, through the front door. */
async function contentsOf(path: string) {
  const store = await openMemoryStore({ path });
  try {
    const contents: Record<string, unknown> = {};
    for (const { collection } of await store.collections()) {
      const opened = await store.open(request(collection, false));
      const near = await opened.nearest({ vector: makeVector('q'), limit: 1000 });
      const worded = await opened.keywords({ text: 'needle note', limit: 1000 });
      contents[collection] = [await toArray(opened.documents({})), await toArray(opened.scan({})), near.matches, worded.matches];
    }
    return contents;
  } finally {
    await store.close();
  }
}

describe('backup and restore of the embedded store', () => {
  it('brings back everything, in a folder where there was nothing', async () => {
    const path = await makeStore();
    const file = await makeBackup(path);
    const target = join(makeFolder(), 'new');
    const report = await restoreInto(target, file);
    expect(report.collections).toEqual([
      { name: 'docs', documents: 10, chunks: 200 },
      { name: 'notes', documents: 1, chunks: 1 },
    ]);
    expect(report.replaced).toEqual([]);
    expect(await contentsOf(target)).toEqual(await contentsOf(path));
    expect(JSON.parse(await readFile(join(target, 'summary.json'), 'utf8')).collections).toHaveLength(2);
    // And goes on from there.
    const store = await openMemoryStore({ path: target });
    const docs = await store.open(request('docs', false));
    await docs.commit({ put: [makeDocument('later.md', [{}])], drop: ['doc-0.md'] });
    expect(await idsOf(docs)).toHaveLength(10);
    await store.close();
  });

  it('holds one moment while others write, and stops nobody', async () => {
    const path = await makeStore([]);
    const store = await openMemoryStore({ path });
    const collection = await store.open(request('docs'));
    const commit = (n: number) => {
      const hash = String(n).padStart(12, '0');
      return collection.commit({ put: ['a.md', 'b.md'].map((id) => makeDocument(id, textsOf(`${id} v${n}`), hash)), drop: [] });
    };
    await commit(0);
    let done = false;
    let n = 0;
    const writing = (async () => {
      while (!done) await commit(++n);
    })();
    const files: string[] = [];
    for (let round = 0; round < 5; round++) files.push(await makeBackup(path));
    done = true;
    await writing;
    await store.close();
    expect(n).toBeGreaterThan(5);
    for (const file of files) {
      const target = makeFolder();
      await restoreInto(target, file);
      const restored = await openMemoryStore({ path: target });
      const rows = await toArray((await restored.open(request('docs', false))).documents({}));
      expect(rows.map((row) => row.id)).toEqual(['a.md', 'b.md']);
      expect(rows[0]?.hash).toBe(rows[1]?.hash);
      await restored.close();
    }
  });

  it('lets a process that has the store open go on with the restored one at its next query', async () => {
    const path = makeFolder();
    const store = { type: 'memory', path } as const;
    const rag = await openTestRag({ store });
    await rag.ingest([{ id: 'old', text: 'The old harbour was built of oak.' }]);
    const file = join(makeFolder(), 'b');
    await backupStore({ store, file });
    await rag.ingest([{ id: 'new', text: 'The new harbour was built of steel.' }]);
    expect((await rag.search('harbour')).hits.map((hit) => hit.documentId).sort()).toEqual(['new', 'old']);
    const report = await restoreStore({ store, file, force: true });
    expect(report.replaced).toEqual(['default']);
    expect((await rag.search('harbour')).hits.map((hit) => hit.documentId)).toEqual(['old']);
    // The version is the one that the newer state had: nothing that was cached under it may come back.
    await rag.ingest([{ id: 'other', text: 'Another harbour was built of stone.' }]);
    expect((await rag.search('harbour')).hits.map((hit) => hit.documentId).sort()).toEqual(['old', 'other']);
    const other = await openRag({ store });
    expect((await other.documents.list()).documents.map((document) => document.id)).toEqual(['old', 'other']);
    await other.close();
  });

  it('refuses to overwrite a store or a file unless it is told to', async () => {
    const path = await makeStore();
    const file = await makeBackup(path);
    const target = await makeStore(['mine.md']);
    const before = await contentsOf(target);
    await expect(restoreInto(target, file)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/"docs", "notes".*--force/),
    });
    expect(await contentsOf(target)).toEqual(before);
    await expect(makeBackup(path, file)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(file) });
    const report = await restoreInto(target, file, true);
    expect(report.replaced).toEqual(['docs', 'notes']);
    expect(await contentsOf(target)).toEqual(await contentsOf(path));
    await backupStore({ store: { type: 'memory', path: target }, file, force: true });
  });

  it('refuses a backup with a byte flipped anywhere, or an end missing, and touches nothing', async () => {
    const good = await readFile(await makeBackup(await makeStore()));
    const target = await makeStore(['mine.md']);
    const before = await contentsOf(target);
    const file = join(makeFolder(), 'bad');
    const places = [
      8,
      9,
      12,
      16,
      17,
      40,
      ...Array.from({ length: 30 }, (_, index) => Math.floor((good.length * (index + 0.5)) / 30)),
      good.length - 1,
    ];
    for (const at of places) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 0x10, at);
      await writeFile(file, bad);
      await expect(restoreInto(target, file, true), `byte ${at}`).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(`${file} is damaged at byte`),
      });
    }
    for (const length of [9, 20, Math.floor(good.length / 2), good.length - 1]) {
      await writeFile(file, good);
      await truncate(file, length);
      await expect(restoreInto(target, file, true), `cut to ${length}`).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    await writeFile(file, Buffer.concat([good, Buffer.from('more')]));
    await expect(restoreInto(target, file, true)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await contentsOf(target)).toEqual(before);
    expect((await readdir(target)).sort()).toEqual(['data.mdb', 'data.mdb-lock', 'summary.json']);
  });

  it('refuses what is no backup, and one of another version', async () => {
    const folder = makeFolder({ text: 'hello, this is a text', empty: '', image: new Uint8Array(5000) });
    for (const name of ['text', 'empty', 'image', '.']) {
      await expect(restoreInto(makeFolder(), join(folder, name)), name).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    }
    await expect(restoreInto(makeFolder(), join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const file = await makeBackup(await makeStore());
    const bytes = await readFile(file);
    const head = bytes.subarray(16, 16 + bytes.readUInt32LE(8));
    head.write('9', head.indexOf('"format":1') + '"format":'.length);
    bytes.writeUInt32LE(crc32(head), 12);
    await writeFile(file, bytes);
    await expect(restoreInto(makeFolder(), file)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('9'),
    });
  });

  it('replaces a store that is damaged when it is told to, and keeps the damaged file', async () => {
    const path = await makeStore();
    const file = await makeBackup(path);
    const expected = await contentsOf(path);
    const damaged = await readFile(join(path, 'data.mdb'));
    damaged.fill(0, 0, 4096);
    const other = makeFolder({ 'data.mdb': damaged });
    await expect(restoreInto(other, file)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('--force'),
    });
    const report = await restoreInto(other, file, true);
    expect(report.damaged).toBe(join(other, 'data.mdb.damaged'));
    expect(damaged.equals(await readFile(join(other, 'data.mdb.damaged')))).toBe(true);
    expect(await contentsOf(other)).toEqual(expected);
    expect((await readdir(other)).sort()).toEqual(['data.mdb', 'data.mdb-lock', 'data.mdb.damaged', 'summary.json']);
  });

  it('refuses whoever still has the replaced file open: what they write would go nowhere', async () => {
    const path = await makeStore();
    const file = await makeBackup(path);
    const store = await openMemoryStore({ path });
    const collection = await store.open(request('docs', false));
    // As a restore over a damaged file does it.
    const fresh = makeFolder();
    await restoreInto(fresh, file);
    await rename(join(fresh, 'data.mdb'), join(path, 'data.mdb'));
    const change = { put: [makeDocument('lost.md', [{}])], drop: [] };
    await expect(collection.commit(change)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('open it again'),
    });
    await expect(collection.version()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await store.close();
  });

  it('makes no backup of a store with a flipped byte, and names the place', async () => {
    const path = await makeStore();
    const bytes = await readFile(join(path, 'data.mdb'));
    for (const place of [bytes.indexOf('needle 3 of doc-1'), bytes.indexOf('"position":7')]) {
      const copy = makeFolder();
      const bad = Buffer.from(bytes);
      bad.writeUInt8(bad.readUInt8(place) ^ 1, place);
      await writeFile(join(copy, 'data.mdb'), bad);
      const file = join(makeFolder(), 'b');
      await expect(makeBackup(copy, file)).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringMatching(/collection "docs": (texts|heads) of block \d+/),
      });
      expect(existsSync(file)).toBe(false);
      expect(await readdir(join(file, '..'))).toEqual([]);
    }
  });

  it('says what it needs', async () => {
    const file = join(makeFolder(), 'b');
    await expect(backupStore({ store: { type: 'chroma', uri: 'http://localhost:1' }, file })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('hotrag copy'),
    });
    await expect(restoreStore({ store: { type: 'milvus', uri: 'localhost:1' }, file })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(backupStore({ store: { type: 'memory' }, file })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const nowhere = join(makeFolder(), 'none');
    await expect(makeBackup(nowhere, file)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(nowhere)).toBe(false);
    const path = await makeStore();
    await expect(makeBackup(path, join(makeFolder(), 'no', 'such', 'folder'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(backupStore({ store: { type: 'memory', path }, file, signal: aborted })).rejects.toThrow('enough');
  });
});
