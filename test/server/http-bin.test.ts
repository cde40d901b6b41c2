import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

/** The built bin over HTTP, as an operator starts and stops it. */

const bin = resolve(process.env['TEST_BIN'] ?? 'dist/cli/main.js');
beforeAll(() => {
  if (!existsSync(bin)) throw new Error(`${bin} is missing: run \`npm run build\` first`);
});

const TOKEN = 'a-token-of-this-test-0123456789';

let folder: string;
let engine: Server | undefined;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hotrag-http-'));
  await mkdir(join(folder, 'notes'));
  await writeFile(join(folder, 'notes', 'ropes.md'), '# Ropes\n\nA single rope is sixty metres long.\n');
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  engine?.closeAllConnections();
  engine?.close();
  engine = undefined;
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly exited: Promise<readonly [number | null]>;
}

async function serve(config: object, ...more: string[]): Promise<Running> {
  const file = join(folder, 'hotrag.config.json');
  await writeFile(file, JSON.stringify({ store: { type: 'memory', path: join(folder, 'store') }, ...config }));
  const args = [bin, 'serve', join(folder, 'notes'), '--transport', 'http', '--port', '0', '--config', file, ...more];
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder } });
  children.push(child);
  let text = '';
  const exited = once(child, 'exit') as Promise<[number | null]>; // what the event carries
  const url = await new Promise<string>((settle, reject) => {
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = /listening on (\S+)/.exec(text)?.[1];
      if (found !== undefined) settle(found);
    });
    exited.then(([code]) => reject(new Error(`ended with ${code}: ${text}`)));
  });
  return { url, child, stderr: () => text, exited };
}

async function connect(url: string, token?: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit }) as Transport); // its optional fields
  return client;
}

/** A language model that has begun to answer, and ends when it is told. */
async function slowEngine() {
  let release = () => {};
  const gate = new Promise<void>((settle) => {
    release = settle;
  });
  let asked = 0;
  engine = createHttpServer(async (request, response) => {
    if (request.url !== '/api/chat') {
      const model = { name: 'tiny', model: 'tiny', size: 1, digest: 'x', modified_at: '2026-01-01T00:00:00Z', details: {} };
      return void response.end(
        JSON.stringify(request.url === '/api/tags' ? { models: [model] } : { details: {}, model_info: {} }),
      );
    }
    asked++;
    const line = (content: string, done: boolean) =>
      `${JSON.stringify({ model: 'tiny', message: { role: 'assistant', content }, done, done_reason: 'stop' })}\n`;
    response.write(line('Sixty ', false));
    await gate;
    response.end(line('metres [1].', true));
  });
  engine.listen(0, '127.0.0.1');
  await once(engine, 'listening');
  const { port } = engine.address() as AddressInfo; // a port was listened on
  return { url: `http://127.0.0.1:${port}`, release, asked: () => asked };
}

describe('the built bin over HTTP', () => {
  it('serves with a token, logs what changes data, and exits with 0', async () => {
    const audit = join(folder, 'audit.log');
    const { url, child, exited } = await serve({ server: { token: TOKEN, audit } });
    await expect(connect(url)).rejects.toThrow();
    const client = await connect(url, TOKEN);
    const text = 'Green tea is brewed at eighty degrees.';
    const { structuredContent } = await client.callTool({ name: 'ingest', arguments: { documents: [{ id: 'tea', text }] } });
    expect(structuredContent).toMatchObject({ added: 1 });
    expect((await fetch(new URL('/readyz', url))).status).toBe(200);
    await client.close();
    child.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
    const log = await readFile(audit, 'utf8');
    expect(JSON.parse(log)).toMatchObject({ audit: true, tool: 'ingest', target: { texts: 1 }, outcome: 'done' });
    expect(log).not.toContain(TOKEN);

    const again = await serve({ server: { token: TOKEN } });
    const hot = await connect(again.url, TOKEN);
    const found = await hot.callTool({ name: 'search', arguments: { query: 'green tea' } });
    expect(JSON.stringify(found.structuredContent)).toContain('eighty degrees');
    await hot.close();
  });

  it('refuses what would leave it open, or cannot be', async () => {
    await expect(serve({}, '--host', '0.0.0.0')).rejects.toThrow(/ended with 2: .*a token is needed/s);
    await expect(serve({}, '--token', 'short')).rejects.toThrow(/at least 16/);
    const { url } = await serve({});
    const { port } = new URL(url);
    const args = [bin, 'serve', '--transport', 'http', '--port', port, '--path', join(folder, 'other')];
    const second = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder } });
    children.push(second);
    let said = '';
    second.stderr.on('data', (chunk) => {
      said += chunk;
    });
    expect((await once(second, 'exit'))[0]).not.toBe(0);
    expect(said).toMatch(/port is in use; stop what listens there/);
  });

  it('lets fifty streaming answers finish after SIGTERM', async () => {
    const model = await slowEngine();
    const generator = { type: 'ollama', url: model.url, model: 'tiny', concurrency: 64 };
    const { url, child, exited, stderr } = await serve({ generator });
    await expect.poll(stderr, { timeout: 10_000 }).toContain('indexed: 1 added');
    const client = await connect(url);
    let streaming = 0;
    let allStreaming = () => {};
    const begun = new Promise<void>((settle) => {
      allStreaming = settle;
    });
    const onprogress = () => {
      streaming++;
      if (streaming === 50) allStreaming();
    };
    const answers = Array.from({ length: 50 }, (_, index) =>
      client.callTool({ name: 'generate', arguments: { question: `how long is rope ${index}?`, mode: 'keyword' } }, undefined, {
        onprogress,
      }),
    );
    await Promise.race([begun, ...answers.map(async (answer) => expect((await answer).isError).toBeUndefined())]);
    child.kill('SIGTERM');
    await expect.poll(stderr).toContain('stopping');
    model.release();
    for (const answer of await Promise.all(answers)) {
      expect((answer.structuredContent as { text: string }).text).toBe('Sixty metres [1].');
    }
    expect((await exited)[0]).toBe(0);
  });

  it('tells answers that never end why they are cut off, and still exits with 0', async () => {
    const model = await slowEngine();
    const { url, child, exited, stderr } = await serve({
      generator: { type: 'ollama', url: model.url, model: 'tiny' },
      server: { graceMs: 200 },
    });
    await expect.poll(stderr, { timeout: 10_000 }).toContain('indexed: 1 added');
    const client = await connect(url);
    const answer = await new Promise<Promise<Awaited<ReturnType<Client['callTool']>>>[]>((settle) => {
      const call = client.callTool(
        { name: 'generate', arguments: { question: 'how long is a rope?', mode: 'keyword' } },
        undefined,
        {
          onprogress: () => settle([call as Promise<Awaited<ReturnType<Client['callTool']>>>]),
        },
      );
    });
    child.kill('SIGTERM');
    expect(await answer[0]).toMatchObject({ isError: true, _meta: { 'hotrag/error': 'TIMEOUT', 'hotrag/retryable': true } });
    expect((await exited)[0]).toBe(0);
  });
});
