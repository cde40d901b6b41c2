import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { makeFolder } from '../support/folder.js';
import { createLetterEmbedder, openTestRag } from '../support/rag.js';
import { fakeHost } from './fake-host.js';

/** A folder with a store `.hotrag` that holds two documents. */
async function makeStore(): Promise<string> {
  const cwd = makeFolder({ '.hotrag/.keep': '' });
  const rag = await openTestRag({
    store: { type: 'memory', path: `${cwd}/.hotrag` },
    embedder: createLetterEmbedder(),
    collection: 'docs',
  });
  await rag.ingest([
    { id: 'a', text: 'one' },
    { id: 'b', text: 'two' },
  ]);
  await rag.close();
  return cwd;
}

async function run(cwd: string, ...words: readonly string[]) {
  const { host, written } = fakeHost({ cwd });
  return { status: await runProgram(words, host), ...written };
}

describe('hotrag backup and restore', () => {
  it('write one file and read it back, and say what is in it', async () => {
    const cwd = await makeStore();
    expect(await run(cwd, 'backup', 'docs.backup')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^backed up to .*docs\.backup\ndocs: 2 documents with 2 chunks\n1 collections, 0\.0 MB, every checksum right; in [\d.]+ s\n$/,
      ),
    });
    const restored = await run(cwd, 'restore', 'docs.backup', '--path', 'other', '--json');
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(restored.stdout)).toMatchObject({
      file: join(cwd, 'docs.backup'),
      collections: [{ name: 'docs', documents: 2, chunks: 2 }],
      replaced: [],
    });
    expect(existsSync(join(cwd, 'other', 'data.mdb'))).toBe(true);
  });

  it('overwrite nothing unless they are told to', async () => {
    const cwd = await makeStore();
    await run(cwd, 'backup', 'docs.backup');
    expect(await run(cwd, 'backup', 'docs.backup')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('--force'),
    });
    expect(await run(cwd, 'restore', 'docs.backup')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('--force'),
    });
    expect(await run(cwd, 'backup', 'docs.backup', '--force')).toMatchObject({ status: 0 });
    expect(await run(cwd, 'restore', 'docs.backup', '--force')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('replaced docs'),
    });
  });

  it('know their arguments, and are for the embedded store', async () => {
    const cwd = makeFolder();
    expect(await run(cwd, 'backup')).toMatchObject({ status: 2 });
    expect(await run(cwd, 'restore', 'a', 'b')).toMatchObject({ status: 2 });
    expect(await run(cwd, 'backup', 'a')).toMatchObject({ status: 1, stderr: expect.stringContaining('no store') });
    const remote = await run(cwd, 'backup', 'a', '--store', 'chroma', '--uri', 'http://127.0.0.1:9');
    expect(remote).toMatchObject({ status: 1, stderr: expect.stringContaining('hotrag copy') });
  });
});
