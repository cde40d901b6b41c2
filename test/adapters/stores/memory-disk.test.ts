import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { openTable } from '../../../src/adapters/stores/memory/lmdb-file.js';
import { formatKey } from '../../../src/adapters/stores/memory/lmdb-keys.js';
import { packRow } from '../../../src/adapters/stores/memory/seal.js';
import { toArray } from '../../../src/core/flow.js';
import { bundleChild, type ChildProgram } from '../../support/child.js';
import { FINGERPRINT, makeDocument } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';

const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };
const LIMIT_KIB = 4096;

async function makeStore(): Promise<string> {
  const path = makeFolder();
  const store = await openMemoryStore({ path });
  await (await store.open(REQUEST)).commit({ put: [makeDocument('a.md', [{ text: 'one needle' }])], drop: [] });
  await store.close();
  return path;
}

describe.runIf(process.platform === 'linux')('a full disk', { timeout: 60_000 }, () => {
  let program: ChildProgram;
  beforeAll(async () => {
    program = await bundleChild('./filling-process.ts');
  });
  afterAll(() => program.remove());

  it('fails the write and no more: nothing acknowledged is lost, reading goes on, and there is room again when something is removed', async () => {
    const path = makeFolder();
    // A limit on the size of files is a full disk to the process, and needs no rights to set up.
    const child = spawn(
      'bash',
      ['-c', `ulimit -f ${LIMIT_KIB} && exec "$0" "$@"`, process.execPath, program.file, path, REQUEST.collection],
      { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
    );
    const { acknowledged, rows, failures } = await new Promise<{ acknowledged: string[]; rows: string[]; failures: string[] }>(
      (resolve, reject) => {
        child.on('message', (message) => resolve(message as never)); // what the program sends
        child.on('exit', () => reject(new Error('the child ended')));
      },
    );
    expect(failures).toHaveLength(2);
    for (const failure of failures) expect(failure).toMatch(/^UPSTREAM_FAILED writing to collection "docs": the disk is full/);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(rows).toEqual([...acknowledged].sort());
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    const expected = [...acknowledged.slice(3), 'after'].sort();
    expect((await toArray(collection.documents({}))).map((row) => row.id)).toEqual(expected);
    expect(await toArray(collection.scan({}))).toHaveLength(20 * (expected.length - 1) + 1);
    await collection.commit({ put: [makeDocument('later', [{}])], drop: [] });
    await store.close();
  });
});

describe('a store that can only be read', () => {
  // Rights mean nothing to root; what root can do is to give them up.
  const isRoot = process.getuid?.() === 0;
  const canDropRights = isRoot && spawnSync('setpriv', ['--version']).status === 0;

  it.runIf(process.platform !== 'win32' && !isRoot)('is searched, and every write is refused', async () => {
    const path = await makeStore();
    for (const name of readdirSync(path)) chmodSync(join(path, name), 0o444);
    chmodSync(path, 0o555);
    try {
      await readAndTryToWrite(path);
    } finally {
      chmodSync(path, 0o755);
    }
  });

  it.runIf(canDropRights)('is searched by another user, and every write is refused', { timeout: 60_000 }, async () => {
    const path = await makeStore();
    const program = await bundleChild('./reading-process.ts');
    try {
      chmodSync(path, 0o555);
      for (const name of readdirSync(path)) chmodSync(join(path, name), 0o444);
      chmodSync(join(program.file, '..'), 0o755);
      const command = [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        program.file,
        path,
        REQUEST.collection,
      ];
      const { stdout } = spawnSync('setpriv', command, { encoding: 'utf8' });
      expect(JSON.parse(stdout)).toEqual({
        found: 1,
        failures: [
          expect.stringMatching(/^CONFIG_INVALID .*only be read/),
          expect.stringMatching(/^CONFIG_INVALID .*only be read/),
        ],
      });
    } finally {
      await program.remove();
    }
  });

  async function readAndTryToWrite(path: string): Promise<void> {
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    expect((await collection.keywords({ text: 'needle', limit: 5 })).matches).toHaveLength(1);
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('only be read') };
    await expect(collection.commit({ put: [makeDocument('b.md', [{}])], drop: [] })).rejects.toMatchObject(refused);
    await expect(store.open({ ...REQUEST, collection: 'new' })).rejects.toMatchObject(refused);
    await store.close();
  }
});

describe('a store whose file is not what it was', () => {
  it('is refused when its file is empty, though it held collections', async () => {
    const path = await makeStore();
    await truncate(join(path, 'data.mdb'), 0);
    await expect(openMemoryStore({ path })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/empty or gone.*summary\.json/),
    });
  });

  it('is refused when its file is gone, though it held collections', async () => {
    const path = await makeStore();
    await rm(join(path, 'data.mdb'));
    await expect(openMemoryStore({ path })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readdirSync(path)).not.toContain('data.mdb');
  });

  it('is made anew beside a summary that tells of nothing', async () => {
    for (const summary of ['{"collections":[]}', 'null', 'nonsense']) {
      const path = makeFolder({ 'summary.json': summary });
      const store = await openMemoryStore({ path });
      await store.open(REQUEST);
      await store.close();
    }
  });

  it.each([
    [0, 'older'],
    [99, 'newer'],
  ])('is refused when it has format %d: %s', async (format, words) => {
    const path = await makeStore();
    const { table } = await openTable(path);
    await table.put(formatKey(), packRow({ format, revision: 5, nextCollection: 2 }), 5);
    await table.close();
    await expect(openMemoryStore({ path })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(new RegExp(`format ${format}.*${words}`)),
    });
  });

  it('tells of a damaged row of documents by its collection and id', async () => {
    const path = await makeStore();
    const bytes = await readFile(join(path, 'data.mdb'));
    const at = bytes.indexOf('"loader":"test"');
    bytes.write('X', at + 10);
    writeFileSync(join(path, 'data.mdb'), bytes);
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    await expect(toArray(collection.documents({ ids: ['a.md'] }))).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('collection "docs": document a.md'),
    });
    await store.close();
  });
});
