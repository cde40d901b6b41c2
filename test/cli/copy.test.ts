import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { readStore } from '../../src/cli/store-argument.js';
import { isRagError } from '../../src/core/errors.js';
import { parsePlainConfig } from '../../src/sdk/config.js';
import { makeFolder } from '../support/folder.js';
import { createLetterEmbedder, openTestRag } from '../support/rag.js';
import { fakeHost } from './fake-host.js';

/** A folder with a store `.hotrag` that holds two documents. */
async function makeStore(): Promise<string> {
  const cwd = makeFolder({ '.hotrag/.keep': '' });
  const store = { type: 'memory', path: `${cwd}/.hotrag` } as const;
  const rag = await openTestRag({ store, embedder: createLetterEmbedder(), collection: 'docs' });
  await rag.ingest([
    { id: 'a', text: 'one' },
    { id: 'b', text: 'two' },
  ]);
  await rag.close();
  return cwd;
}

async function run(cwd: string, words: readonly string[], terminal?: number) {
  const { host, written } = fakeHost({ cwd, ...(terminal === undefined ? {} : { terminal }) });
  return { status: await runProgram(['copy', ...words], host), ...written };
}

describe('hotrag copy', () => {
  it('copies the configured store, and says what came of it', async () => {
    const cwd = await makeStore();
    expect(await run(cwd, ['--collection', 'docs', '--to', 'memory:copy'])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^2 copied, 0 there already; in [\d.]+ s\n2 documents with 2 chunks on both sides; 2 of them compared chunk by chunk: equal to the last bit\n$/,
      ),
    });
    const again = await run(cwd, [
      '--collection',
      'docs',
      '--from',
      'memory:.hotrag',
      '--to',
      '{"type":"memory","path":"copy"}',
      '--json',
    ]);
    expect(again.status).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ documents: 2, copied: 0, skipped: 2, extra: 0 });
    expect(await run(cwd, ['--collection', 'docs', '--to-collection', 'second'])).toMatchObject({ status: 0 });
  });

  it('shows a bar on a terminal, and clears it', async () => {
    const { stderr } = await run(await makeStore(), ['--collection', 'docs', '--to', 'memory:copy'], 100);
    expect(stderr).toMatch(/^\r(?:listing|copying) .*\r *\r$/s);
  });

  it.each([
    [[], 2, 'INPUT_INVALID hotrag copy needs --to'],
    [['--to', 'memory'], 2, 'INPUT_INVALID to: is collection "docs" itself'],
    [['--to', 'mem:x'], 2, 'CONFIG_INVALID --to: "mem" is none of memory, milvus, chroma'],
    [['--to', 'chrom:x'], 2, 'did you mean chroma?'],
    [['--to', 'chroma:'], 2, 'CONFIG_INVALID --to: nothing stands after "chroma:"'],
    [['--to', 'chroma'], 2, 'CONFIG_INVALID to (store.uri): is missing'],
    [['--to', '{"type":'], 2, 'CONFIG_INVALID --to: is no JSON'],
    [['--to', '{"type":"chroma","uri":"http://x","token":"s3cret"}'], 2, 'set HOTRAG_COPY_TO_TOKEN'],
    [['--from', 'chroma:http://me:s3cret@x'], 2, 'set HOTRAG_COPY_FROM_TOKEN'],
    [['--to', 'memory:copy', '--collection', 'dosc'], 1, 'NOT_FOUND there is no collection "dosc"'],
    [['--to', 'chroma:http://127.0.0.1:9'], 1, 'CONNECTION_FAILED'],
  ])('answers %j with status %i', async (words, status, message) => {
    const collection = words.includes('--collection') ? [] : words.length === 0 ? [] : ['--collection', 'docs'];
    const result = await run(await makeStore(), [...words, ...collection]);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('s3cret');
    expect(result).toMatchObject({ status, stdout: '' });
  });

  it('takes tokens from the environment, and a server’s other settings from the configuration that names it', () => {
    const env = { HOTRAG_COPY_TO_TOKEN: 't2' };
    const configured = parsePlainConfig({ store: { type: 'chroma', uri: 'http://x:8000', token: 't1', timeoutMs: 7 } }).store;
    const defaults = { host: { cwd: '/work', env }, configured, storePath: '/data' };
    expect(readStore('from', undefined, defaults)).toMatchObject({ uri: 'http://x:8000', token: 't1', path: '/data' });
    expect(readStore('from', 'chroma:http://x:8000', defaults)).toMatchObject({ token: 't1', timeoutMs: 7, path: '/data' });
    expect(readStore('from', 'chroma:http://y:8000', defaults)).toEqual({ type: 'chroma', uri: 'http://y:8000', path: '/data' });
    expect(readStore('to', 'milvus:y:19530', defaults)).toEqual({ type: 'milvus', uri: 'y:19530', token: 't2', path: '/data' });
    expect(readStore('from', 'memory:C:\\notes', defaults).path).toMatch(/C:\\notes$/);
    let thrown: unknown;
    try {
      readStore('to', 'memory:x', defaults);
    } catch (error) {
      thrown = error;
    }
    expect(isRagError(thrown) && thrown.message).toContain('unset HOTRAG_COPY_TO_TOKEN');
  });

  it('knows its variables: none of them is warned of', async () => {
    const { host, written } = fakeHost({ cwd: await makeStore(), env: { HOTRAG_COPY_FROM_TOKEN: 'x' } });
    await runProgram(['copy', '--help'], host);
    await runProgram(['copy'], host);
    expect(written.stderr).not.toContain('warning');
  });
});
