import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Finding, runChecks } from '../../src/cli/doctor/check.js';
import { runProgram } from '../../src/cli/program.js';
import { openRag } from '../../src/sdk/index.js';
import { makeFolder } from '../support/folder.js';
import { fakeHost } from './fake-host.js';

const NO_OLLAMA = { OLLAMA_HOST: 'http://127.0.0.1:9' };

async function doctor(options: Parameters<typeof fakeHost>[0] = {}, words: readonly string[] = []) {
  const home = options.home ?? makeFolder();
  const { host, written } = fakeHost({ cwd: home, ...options, home, env: { ...NO_OLLAMA, ...options.env } });
  const status = await runProgram(['doctor', '--json', ...words], host);
  const { ok, checks }: { ok: boolean; checks: readonly Finding[] } = JSON.parse(written.stdout);
  const of = (name: string) => checks.find((check) => check.name === name);
  return { home, status, ok, checks, of, written };
}

async function makeStore(home: string): Promise<string> {
  const path = join(home, '.hotrag');
  const rag = await openRag({ store: { type: 'memory', path } });
  await rag.ingest([{ id: 'a', text: 'The line is forty metres long.' }]);
  await rag.close();
  return path;
}

/** Names and contents, the file of readers' places aside. */
function contentsOf(folder: string) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('-lock'),
  );
  return names.map(({ parentPath, name }) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(parentPath, name)))
      .digest('hex'),
  ]);
}

describe('hotrag doctor', () => {
  it('finds all well, with what to do where nothing was made yet, and writes nothing', async () => {
    const { home, status, ok, checks, of } = await doctor();
    expect({ status, ok }).toEqual({ status: 0, ok: true });
    expect(checks.map(({ name }) => name)).toEqual(['node', 'config', 'disk', 'store', 'embedder', 'engine', 'port', 'client']);
    expect(of('node')).toMatchObject({ state: 'ok', message: expect.stringContaining(process.versions.node) });
    expect(of('config')).toEqual({ name: 'config', state: 'ok', message: 'defaults only: no file, no variables, no flags' });
    expect(of('store')).toMatchObject({ state: 'warning', advice: expect.stringContaining('hotrag ingest FOLDER') });
    expect(of('embedder')).toMatchObject({ state: 'ok', message: expect.stringContaining('static:static-en-256') });
    expect(of('engine')).toMatchObject({ state: 'warning', advice: expect.stringContaining('Ollama') });
    expect(of('client')).toMatchObject({ state: 'warning', advice: expect.stringContaining('hotrag init') });
    expect(readdirSync(home)).toEqual([]);
  });

  it('counts what is in a store, and leaves it as it is', async () => {
    const home = makeFolder();
    const path = await makeStore(home);
    const before = contentsOf(path);
    const { of, status } = await doctor({ home });
    expect(of('store')).toEqual({ name: 'store', state: 'ok', message: `memory at ${path}: default (1 documents, 1 chunks)` });
    expect(status).toBe(0);
    expect(contentsOf(path)).toEqual(before);
  });

  it('fails on a store that another process holds, and on a damaged one', async () => {
    const home = makeFolder();
    const path = await makeStore(home);
    const lock = join(path, 'data.mdb-writer');
    // Another machine's, written just now: whether it runs can't be known from here.
    writeFileSync(lock, JSON.stringify({ pid: 1, host: 'another', token: 't', since: '2026-01-01T00:00:00.000Z' }));
    const held = await doctor({ home });
    expect(held.of('store')).toMatchObject({ state: 'failing', message: expect.stringContaining('process 1 on another') });
    rmSync(lock);
    writeFileSync(join(path, 'data.mdb'), 'no store');
    const damaged = await doctor({ home });
    expect(damaged.of('store')).toMatchObject({ state: 'failing', advice: expect.stringContaining('backup') });
    expect({ status: damaged.status, ok: damaged.ok }).toEqual({ status: 1, ok: false });
  });

  it('fails where the collection was made with another embedder', async () => {
    const home = makeFolder();
    await makeStore(home);
    const { of, status } = await doctor({ home, env: { HOTRAG_STORE_METRIC: 'l2' } });
    expect(of('embedder')).toMatchObject({
      state: 'failing',
      message: expect.stringMatching(/collection "default" was made with static:.*cosine\), and static:.*l2\) is configured/),
      advice: expect.stringContaining('embedder'),
    });
    expect(status).toBe(1);
  });

  it('fails where nobody answers: store and engine', async () => {
    const generator = '{"type":"ollama","url":"http://127.0.0.1:9","model":"m","retries":0}';
    const { of, status } = await doctor({ env: { HOTRAG_GENERATOR: generator } }, [
      '--store',
      'chroma',
      '--uri',
      'http://127.0.0.1:9',
    ]);
    expect(status).toBe(1);
    expect(of('store')).toMatchObject({ state: 'failing', message: expect.stringContaining('127.0.0.1:9') });
    expect(of('engine')).toMatchObject({ state: 'failing', message: expect.stringContaining('ollama serve') });
    expect(of('embedder')?.state).toBe('ok');
  });

  it('tells where settings come from and masks secrets', async () => {
    const home = makeFolder({ 'hotrag.config.json': '{ "collection": "c" }' });
    const env = {
      HOTRAG_SERVER_TOKEN: 'a-secret-of-16-letters',
      HOTRAG_GENERATOR: '{"type":"openai-compatible","url":"http://127.0.0.1:9","model":"m","apiKey":"other-secret","retries":0}',
      HOTRAG_CACHES_SHARED: 'redis://user:pass-secret@127.0.0.1:9',
      HOTRAG_STOR_PATH: 'x',
    };
    const { of, written } = await doctor({ home, env }, ['--store-index', 'flat']);
    expect(of('config')?.message).toContain(join(home, 'hotrag.config.json'));
    expect(of('config')?.message).toContain('HOTRAG_SERVER_TOKEN=***');
    expect(of('config')?.message).toContain('--store-index=flat');
    expect(of('config')).toMatchObject({ state: 'warning', message: expect.stringContaining('HOTRAG_STOR_PATH') });
    expect(written.stdout).not.toMatch(/a-secret|other-secret|pass-secret/);
  });

  it.each([
    ['{ "colection": "c" }', 'did you mean'],
    ['{ "collection": }', 'line 1, column 17'],
  ])('goes on when the configuration is wrong: %s', async (text, words) => {
    const home = makeFolder({ 'hotrag.config.json': text });
    const { of, status } = await doctor({ home });
    expect(status).toBe(1);
    expect(of('config')).toMatchObject({ state: 'failing', message: expect.stringContaining(words) });
    expect(of('store')).toMatchObject({ state: 'warning', message: expect.stringContaining('not looked at') });
    expect(of('node')).toMatchObject({ state: 'ok' });
  });

  it('tells of a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { of } = await doctor({ env: { HOTRAG_SERVER_PORT: String(port) } });
    taken.close();
    expect(of('port')).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('EADDRINUSE'),
      advice: expect.stringContaining('--port'),
    });
  });

  it('looks at the entries of assistants', async () => {
    const entry = (...args: string[]) => ({ command: process.execPath, args });
    const home = makeFolder({
      '.cursor/mcp.json': JSON.stringify({ mcpServers: { other: entry('/gone'), hotrag: entry(process.execPath, 'serve') } }),
    });
    const good = await doctor({ home });
    expect(good.of('client')).toMatchObject({ state: 'ok', message: `Cursor ("hotrag" in ${join(home, '.cursor/mcp.json')})` });
    mkdirSync(join(home, '.codeium/windsurf'), { recursive: true });
    writeFileSync(
      join(home, '.codeium/windsurf/mcp_config.json'),
      JSON.stringify({ mcpServers: { notes: entry('/gone/hotrag/dist/cli/main.js') } }),
    );
    const broken = await doctor({ home });
    expect(broken.of('client')).toMatchObject({
      state: 'failing',
      message: expect.stringContaining('/gone/hotrag/dist/cli/main.js'),
      advice: expect.stringContaining('--replace'),
    });
    expect(broken.status).toBe(1);
    writeFileSync(join(home, '.codeium/windsurf/mcp_config.json'), '{');
    expect((await doctor({ home })).of('client')).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('line 1, column 2'),
    });
    writeFileSync(
      join(home, '.codeium/windsurf/mcp_config.json'),
      JSON.stringify({ mcpServers: { hotrag: { command: 'no-such-program' } } }),
    );
    expect((await doctor({ home, env: { PATH: '/usr/bin' } })).of('client')?.state).toBe('failing');
  });

  it('fits a terminal of 40 columns, without colours where none are wanted', async () => {
    const home = makeFolder();
    const { host, written } = fakeHost({ cwd: home, home, terminal: 40, env: { ...NO_OLLAMA, NO_COLOR: '1' } });
    expect(await runProgram(['doctor'], host)).toBe(0);
    const lines = written.stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('ok       node');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(written.stdout).not.toContain('\u001b');
  });

  it('ends with 130 when it is interrupted, however long a check takes', async () => {
    const { host, written } = fakeHost({ home: makeFolder(), env: NO_OLLAMA, signal: AbortSignal.abort('SIGINT') });
    expect(await runProgram(['doctor'], host)).toBe(130);
    expect(written).toEqual({ stdout: '', stderr: 'hotrag: interrupted\n' });
    const stopping = new AbortController();
    const never = runChecks([{ name: 'x', look: () => new Promise(() => {}) }], { signal: stopping.signal });
    stopping.abort('SIGINT');
    await expect(never).rejects.toBe('SIGINT');
  });

  it('ends while a server keeps it waiting', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const stopping = new AbortController();
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => {
      sockets.push(socket);
      stopping.abort('SIGINT');
    });
    const home = makeFolder();
    const env = { OLLAMA_HOST: `http://127.0.0.1:${port}`, HOTRAG_GENERATOR: '{"type":"ollama","model":"m"}' };
    const { host, written } = fakeHost({ cwd: home, home, env, signal: stopping.signal });
    expect(await runProgram(['doctor'], host)).toBe(130);
    expect(written.stdout).toBe('');
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(readdirSync(home)).toEqual([]);
  });

  it('waits for each check for a bounded time', async () => {
    const { signal } = new AbortController();
    const findings = await runChecks([{ name: 'x', look: () => new Promise(() => {}) }], { signal, timeoutMs: 1 });
    expect(findings).toEqual([{ name: 'x', state: 'failing', message: 'no answer within 0.001 s', advice: expect.any(String) }]);
  });
});
