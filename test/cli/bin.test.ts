import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const VERSION = /^\d+\.\d+\.\d+\n$/;

let folder: string;
beforeAll(() => {
  if (!existsSync(BIN))
    throw new Error('dist/cli/main.js is missing: these tests run the built command line; run `npm run build` first');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotrag-cli-'));
  mkdirSync(join(folder, 'docs'));
  mkdirSync(join(folder, '.hotrag'));
  writeFileSync(join(folder, 'docs', 'line.md'), '# Guide\n\n## Line\n\nThe line is forty metres long.\n');
  writeFileSync(join(folder, 'docs', 'warranty.md'), '---\nyear: 2021\n---\n# Warranty\n\nThe warranty lasts two years.\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  words: readonly string[],
  nodeFlags: readonly string[] = [],
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  // No engine answers there, whatever runs on this machine.
  const env = { PATH: process.env.PATH, HOME: folder, OLLAMA_HOST: 'http://127.0.0.1:9' };
  const child = spawn(process.execPath, [...nodeFlags, BIN, ...words], { cwd: folder, env });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    written.stdout += data;
  });
  child.stderr.on('data', (data) => {
    written.stderr += data;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (status) => resolve({ status, ...written })));
  return { child, ended };
}
const hotrag = (...words: string[]) => start(words).ended;

const REQUESTS = {
  initialize: {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  },
  initialized: { jsonrpc: '2.0', method: 'notifications/initialized' },
  tools: { jsonrpc: '2.0', id: 2, method: 'tools/list' },
};

describe('the built command line', () => {
  it('tells its version, and an old Node in one line that it is too old', async () => {
    expect(await hotrag('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(VERSION), stderr: '' });
    const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.19.0"}})';
    expect(await start(['--version'], ['--import', older]).ended).toEqual({
      status: 1,
      stdout: '',
      stderr: 'hotrag: needs Node 20.19 or newer; this is 18.19.0\n',
    });
  });

  it('ingests, searches with a filter, lists, reads and deletes; with --json in the SDK’s shapes', async () => {
    const first = await hotrag('ingest', 'docs', '--json');
    expect(first.stderr).toBe('');
    expect(JSON.parse(first.stdout)).toMatchObject({ added: 2, changed: 0, failed: [] });
    expect((await hotrag('ingest', 'docs')).stdout).toMatch(/^2 unchanged; 0 chunks written in /);

    const found = JSON.parse((await hotrag('search', 'how long is the line?', '--top-k', '1', '--json')).stdout);
    expect(found).toMatchObject({ cached: false, hits: [{ text: expect.stringContaining('forty metres') }] });
    const filtered = JSON.parse((await hotrag('search', 'how long?', '--filter', '{"year":{"$gte":2020}}', '--json')).stdout);
    expect(filtered.hits.map((hit: { metadata: object }) => hit.metadata)).toEqual([{ year: 2021 }]);
    const shown = await hotrag('search', 'line', '--explain');
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^1\. \S*line\.md:\d/);
    expect(shown.stdout).toMatch(/\nstage +ms\n/);

    const id: string = found.hits[0].documentId;
    const listed = JSON.parse((await hotrag('documents', 'list', '--json')).stdout);
    expect(listed.documents.map((document: { id: string }) => document.id)).toContain(id);
    expect((await hotrag('documents', 'read', id)).stdout).toContain('# Guide');
    expect((await hotrag('documents', 'delete', id)).stdout).toBe('1 removed\n');
    expect(await hotrag('documents', 'read', id)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('hotrag: NOT_FOUND'),
    });
    expect(JSON.parse((await hotrag('stats', '--json')).stdout)).toMatchObject({
      collections: [{ name: 'default', documents: 1 }],
    });
  });

  it('reports what failed and does the rest, with status 1', async () => {
    const { status, stdout, stderr } = await hotrag('ingest', 'docs', 'missing.md', '--json');
    expect(stderr).toContain('failed: missing.md: NOT_FOUND');
    expect(JSON.parse(stdout)).toMatchObject({ added: 2, failed: [{ code: 'NOT_FOUND' }] });
    expect(status).toBe(1);
  });

  it('gives the hits when there is no engine to answer', async () => {
    await hotrag('ingest', 'docs');
    const { status, stdout, stderr } = await hotrag('ask', 'how long is the line?');
    expect(stdout).toContain('forty metres');
    expect(stderr).toContain('hotrag: NO_ENGINE');
    expect(status).toBe(1);
    expect(JSON.parse((await hotrag('ask', 'how long is the line?', '--json')).stdout)).toMatchObject({
      code: 'NO_ENGINE',
      hits: expect.any(Array),
    });
  });

  it('takes what the engine refuses for wrong usage', async () => {
    await hotrag('ingest', 'docs');
    expect(await hotrag('search', 'x', '--top-k', '0')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('topK'),
    });
    expect(await hotrag('search', 'x', '--filter', '{"a":{"$near":1}}')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('$near'),
    });
    expect(await hotrag('documents', 'delete')).toMatchObject({ status: 2, stderr: expect.stringContaining('ids') });
  });

  it('is quiet when the reader of its output leaves', async () => {
    const { child, ended } = start(['--help']);
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('hotrag serve', () => {
  const serve = (...words: string[]) => {
    const { child, ended } = start(['serve', ...words]);
    const send = (...requests: object[]) =>
      child.stdin?.write(requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
    const output = (text: string, stream: 'stdout' | 'stderr' = 'stdout') =>
      new Promise<string>((resolve) => {
        let seen = '';
        child[stream]?.on('data', (data) => {
          seen += data;
          if (seen.includes(text)) resolve(seen);
        });
      });
    return { child, ended, send, output };
  };

  it('answers over stdio, writes nothing but the protocol to stdout, and ends with its input', async () => {
    const { child, ended, send, output } = serve();
    const listed = output('"id":2');
    send(REQUESTS.initialize, REQUESTS.initialized, REQUESTS.tools);
    await listed;
    child.stdin?.end();
    const { status, stdout } = await ended;
    expect(status).toBe(0);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages.map(({ id }) => id)).toEqual([1, 2]);
    expect(messages[1].result.tools).toHaveLength(7);
  });

  it('indexes the folders it is given, and another process finds what it indexed', async () => {
    const { child, ended, send, output } = serve('docs');
    const indexed = output('indexed: 2 added', 'stderr');
    send(REQUESTS.initialize, REQUESTS.initialized);
    await indexed;
    expect(JSON.parse((await hotrag('search', 'warranty', '--json')).stdout).hits).not.toEqual([]);
    child.stdin?.end();
    expect((await ended).status).toBe(0);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('ends well on %s', async (signal, status) => {
    const { child, ended, send, output } = serve();
    const connected = output('"id":1');
    send(REQUESTS.initialize);
    await connected;
    child.kill(signal);
    expect((await ended).status).toBe(status);
  });

  it('refuses a folder that isn’t there', async () => {
    expect(await serve('nowhere').ended).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('there is no such folder'),
    });
  });
});
