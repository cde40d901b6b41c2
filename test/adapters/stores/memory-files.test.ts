import { existsSync } from 'node:fs';
import { mkdir, open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { openTable } from '../../../src/adapters/stores/memory/lmdb-file.js';
import { formatKey } from '../../../src/adapters/stores/memory/lmdb-keys.js';
import { packRow } from '../../../src/adapters/stores/memory/seal.js';
import { toArray } from '../../../src/core/flow.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder, writeIn } from '../../support/folder.js';

const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };

/** A closed store with 200 chunks in 20 documents. */
async function makeStore(): Promise<string> {
  const path = makeFolder();
  const store = await openMemoryStore({ path });
  const collection = await store.open(REQUEST);
  const chunks = Array.from({ length: 10 }, (_, index) => ({
    text: `needle ${index} ${'hay '.repeat(200)}`,
    metadata: { index },
  }));
  await collection.commit({ put: Array.from({ length: 20 }, (_, index) => makeDocument(`doc-${index}.md`, chunks)), drop: [] });
  await store.close();
  return path;
}

describe('the files of a durable memory store', () => {
  it.each([0.1, 0.5, 0.9])('refuses a file that was truncated to %d of its length', async (part) => {
    const path = await makeStore();
    const file = join(path, 'data.mdb');
    await truncate(file, Math.floor((await stat(file)).size * part));
    await expect(openMemoryStore({ path })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(file),
    });
  });

  it.each([
    ['a short text', 'hello'],
    ['a long text', 'hello world '.repeat(10_000)],
    ['zeros', new Uint8Array(100_000)],
  ])('refuses a foreign file: %s', async (_, content) => {
    const path = makeFolder({ 'data.mdb': content });
    await expect(openMemoryStore({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await readFile(join(path, 'data.mdb'))).toEqual(Buffer.from(content));
  });

  it('takes an empty file, which a process leaves that dies at once', async () => {
    const path = makeFolder({ 'data.mdb': '' });
    const store = await openMemoryStore({ path });
    await store.open(REQUEST);
    await store.close();
  });

  it('refuses a path that is a file, or lies under one', async () => {
    const folder = makeFolder({ file: 'x' });
    for (const path of [join(folder, 'file'), join(folder, 'file', 'below')]) {
      await expect(openMemoryStore({ path })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(path),
      });
    }
  });

  it.runIf(process.platform === 'linux')('refuses a place where no folder can be made, instead of trying for ever', async () => {
    await expect(openMemoryStore({ path: '/proc/hotrag/store' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('makes the folder where there is none, whatever its name', async () => {
    const path = join(makeFolder(), 'a', '.hot "rag" 你好.d');
    const store = await openMemoryStore({ path });
    await store.close();
    expect(existsSync(join(path, 'data.mdb'))).toBe(true);
  });

  it('refuses the store of a later version', async () => {
    const path = await makeStore();
    const { table } = await openTable(path);
    await table.put(formatKey(), packRow({ format: 99, revision: 5, nextCollection: 2 }), 5);
    await table.close();
    await expect(openMemoryStore({ path })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('99'),
    });
  });

  it('notices a flipped byte when it reads it, and names the place', async () => {
    const path = await makeStore();
    const file = join(path, 'data.mdb');
    const bytes = await readFile(file);
    const at = bytes.indexOf('needle 3 hay');
    const handle = await open(file, 'r+');
    await handle.write(Buffer.from('X'), 0, 1, at);
    await handle.close();
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    await expect(toArray(collection.scan({}))).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/collection "docs": texts of block \d+/),
    });
    expect((await collection.nearest({ vector: makeVector('q'), limit: 5 })).matches).toHaveLength(5);
    await store.close();
  });

  it('keeps ids of any length, in order', async () => {
    const path = makeFolder();
    const long = 'x'.repeat(5000);
    const ids = [`${long}a`, `${long}b`, `${long}c`, 'short', 'x', `${'x'.repeat(1900)}`, `y${long}`];
    let store = await openMemoryStore({ path });
    let collection = await store.open(REQUEST);
    for (const id of [...ids].reverse()) await collection.commit({ put: [makeDocument(id, [{}])], drop: [] });
    await store.close();
    store = await openMemoryStore({ path });
    collection = await store.open(REQUEST);
    const list = async (after?: string) => (await toArray(collection.documents({ after }))).map((row) => row.id);
    const ordered = [...ids].sort();
    expect(await list()).toEqual(ordered);
    for (const [index, id] of ordered.entries()) expect(await list(id)).toEqual(ordered.slice(index + 1));
    const [chunk] = await collection.get([makeDocument(`${long}b`, [{}]).entries[0]?.id ?? '']);
    expect(chunk?.documentId).toBe(`${long}b`);
    await store.close();
  });

  it('writes a summary beside the store, and does without where it cannot', async () => {
    const path = await makeStore();
    const summary = JSON.parse(await readFile(join(path, 'summary.json'), 'utf8'));
    expect(summary.collections).toEqual([
      expect.objectContaining({ name: 'docs', documents: 20, chunks: 200, embedder: FINGERPRINT.embedder }),
    ]);
    const blocked = makeFolder();
    await mkdir(join(blocked, 'summary.json', 'in the way'), { recursive: true });
    const store = await openMemoryStore({ path: blocked });
    await (await store.open(REQUEST)).commit({ put: [makeDocument('a.md', [{}], undefined, { year: 2020 })], drop: [] });
    await store.close();
    writeIn(blocked, 'still', 'there');
  });

  it('refuses every call once it is closed', async () => {
    const store = await openMemoryStore({ path: makeFolder() });
    const collection = await store.open(REQUEST);
    await store.close();
    await store.close();
    await expect(store.open(REQUEST)).rejects.toMatchObject({ name: 'RagError' });
    await expect(collection.version()).rejects.toMatchObject({ name: 'RagError' });
    await expect(toArray(collection.scan({}))).rejects.toMatchObject({ name: 'RagError' });
  });
});
