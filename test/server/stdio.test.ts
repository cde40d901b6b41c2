import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentPage, DocumentText, IngestReport, SearchResult } from '../../src/core/types.js';

/** The official client against the built bin, as an assistant starts it. */

const bin = resolve('dist/cli/main.js');
beforeAll(() => {
  if (!existsSync(bin)) throw new Error(`${bin} is missing: run \`npm run build\` first`);
});

let folder: string;
let clients: Client[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hotrag-stdio-'));
  await mkdir(join(folder, 'notes'));
  await writeFile(join(folder, 'notes', 'ropes.md'), '---\nyear: 2023\n---\n# Ropes\n\nA single rope is sixty metres long.\n');
  await writeFile(join(folder, 'notes', 'tea.md'), '---\nyear: 2019\n---\n# Tea\n\nGreen tea is brewed at eighty degrees.\n');
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  clients = [];
  await rm(folder, { recursive: true, force: true });
});

/** Nothing of this machine: its settings, its store, its language model. */
const environment = () => ({
  PATH: process.env.PATH ?? '',
  HOME: folder,
  OLLAMA_HOST: 'http://127.0.0.1:9',
  HOTRAG_GENERATOR: JSON.stringify({ type: 'ollama', model: 'none', url: 'http://127.0.0.1:9' }),
});

const serveArguments = (...more: string[]) => [bin, 'serve', '--path', join(folder, 'store'), ...more];

async function start(...more: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: serveArguments(...more),
    env: environment(),
    cwd: folder,
    stderr: 'pipe',
  });
  await client.connect(transport);
  await client.listTools(); // from here on the client checks structured results against the output schemas
  return client;
}

async function call<Output>(client: Client, name: string, input: Record<string, unknown> = {}): Promise<Output> {
  const result = await client.callTool({ name, arguments: input });
  if (result.isError === true) throw new Error(JSON.stringify(result.content));
  return result.structuredContent as Output;
}

async function failure(client: Client, name: string, input: Record<string, unknown> = {}) {
  const { isError, content, _meta, structuredContent } = await client.callTool({ name, arguments: input });
  expect(isError).toBe(true);
  expect(structuredContent).toBeUndefined();
  return { code: _meta?.['hotrag/error'], text: (content as { text: string }[])[0]?.text ?? '' };
}

describe('the built bin over stdio', () => {
  it('runs every tool', async () => {
    const client = await start('--root', folder);
    const seen: number[] = [];
    const ingested = await client.callTool({ name: 'ingest', arguments: { sources: [join(folder, 'notes')] } }, undefined, {
      onprogress: ({ progress }) => seen.push(progress),
    });
    expect(ingested.structuredContent).toMatchObject({ added: 2, failed: [] });
    expect(seen.at(-1)).toBe(2);

    const { hits } = await call<SearchResult>(client, 'search', { query: 'how long is a rope?', topK: 1 });
    expect(hits[0]?.text).toContain('sixty metres');
    const { hits: older } = await call<SearchResult>(client, 'search', {
      query: 'how long is a rope?',
      filter: { year: { $lt: 2020 } },
    });
    expect(older.every(({ metadata }) => metadata.year === 2019)).toBe(true);
    expect(older).not.toEqual([]);

    const documentId = hits[0]?.documentId ?? '';
    const read = await call<DocumentText>(client, 'read-document', { id: documentId, around: hits[0]?.id });
    expect(read.text).toContain('A single rope is sixty metres long.');
    const { documents } = await call<DocumentPage>(client, 'list-documents');
    expect(documents.map(({ metadata }) => metadata.year).sort()).toEqual([2019, 2023]);
    expect(await call(client, 'cache-stats')).toMatchObject({ collection: 'default' });

    const answer = await failure(client, 'generate', { question: 'how long is a rope?' });
    expect(['NO_ENGINE', 'CONNECTION_FAILED']).toContain(answer.code);
    expect(answer.text).toContain('sixty metres');

    expect(await call(client, 'delete-documents', { ids: [documentId] })).toEqual({ removed: 1 });
    expect((await call<DocumentPage>(client, 'list-documents')).documents).toHaveLength(1);
  });

  it('starts hot: a second process gives the same hits, and finds nothing to do', async () => {
    const first = await start('--root', folder);
    await call(first, 'ingest', { sources: [join(folder, 'notes')] });
    const query = { query: 'rope or tea', topK: 5 };
    const before = await call<SearchResult>(first, 'search', query);
    await first.close();
    const second = await start('--root', folder);
    expect((await call<SearchResult>(second, 'search', query)).hits).toEqual(before.hits);
    expect(second.getInstructions()).toContain('default');
    const again = await call<IngestReport>(second, 'ingest', { sources: [join(folder, 'notes')] });
    expect(again).toMatchObject({ added: 0, changed: 0, unchanged: 2, chunks: 0 });
  });

  it('stops an ingest that is cancelled', async () => {
    const client = await start();
    const total = 5_000;
    const documents = Array.from({ length: total }, (_, index) => ({ id: `d${index}`, text: `Text ${index}. `.repeat(60) }));
    const cancel = new AbortController();
    const ingest = client.callTool({ name: 'ingest', arguments: { documents } }, undefined, {
      signal: cancel.signal,
      onprogress: () => cancel.abort(),
    });
    await expect(ingest).rejects.toThrow();
    const count = async () => {
      let found = 0;
      for (let cursor: string | undefined; ; ) {
        const page = await call<DocumentPage>(client, 'list-documents', { limit: 1000, ...(cursor !== undefined && { cursor }) });
        found += page.documents.length;
        cursor = page.nextCursor;
        if (cursor === undefined) return found;
      }
    };
    const left = await count();
    expect(left).toBeLessThan(total);
    await call(client, 'ingest', { documents: documents.slice(0, 1) }); // had the work gone on, it would hold the store meanwhile
    expect(await count()).toBeLessThanOrEqual(Math.max(left, 1));
  });

  it('refuses what must not be read, by its code', async () => {
    const client = await start(join(folder, 'notes'));
    const outside = await failure(client, 'ingest', { sources: [join(folder, 'elsewhere')] });
    expect(outside.code).toBe('FORBIDDEN');
    expect((await failure(client, 'ingest', { sources: ['/etc/passwd'] })).code).toBe('FORBIDDEN');
    expect((await failure(client, 'ingest', { sources: ['https://example.org/a.md'] })).code).toBe('INPUT_INVALID');
    for (const input of [{ query: ' ' }, { query: 'a', topK: 0 }, { query: 'a', filter: { year: { $gtee: 1 } } }]) {
      expect((await failure(client, 'search', input)).code).toBe('INPUT_INVALID');
    }
    expect((await failure(client, 'search', { query: 'a', collection: 'nowhere' })).code).toBe('NOT_FOUND');
    expect((await failure(client, 'read-document', { id: 'nowhere.md' })).code).toBe('NOT_FOUND');
    for (const selection of [{}, { filter: {} }, { ids: ['a'], filter: { year: 1 } }]) {
      expect((await failure(client, 'delete-documents', selection)).code).toBe('INPUT_INVALID');
    }
  });

  it('writes nothing but JSON-RPC to stdout, and answers what was piped in', async () => {
    const messages = [
      {
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } },
      },
      { method: 'notifications/initialized' },
      { id: 2, method: 'tools/list' },
      { id: 3, method: 'tools/call', params: { name: 'cache-stats', arguments: {} } },
    ];
    const child = spawn(process.execPath, serveArguments(join(folder, 'notes')), { cwd: folder, env: environment() });
    const exited = new Promise((settle) => child.on('exit', settle));
    let written = '';
    child.stdout.on('data', (chunk) => {
      written += chunk;
      // The end of input comes when all is answered: how long the grace after it lasts depends on the machine.
      if (written.includes('"id":3')) child.stdin.end();
    });
    child.stdin.write(messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join(''));
    expect(await exited).toBe(0);
    const lines = written.split('\n').filter((line) => line !== '');
    expect(lines.map((line) => JSON.parse(line)).map(({ jsonrpc, id }) => [jsonrpc, id])).toEqual([
      ['2.0', 1],
      ['2.0', 2],
      ['2.0', 3],
    ]);
  });
});

describe('package', () => {
  it('tells its version at the handshake', async () => {
    const client = await start();
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(client.getServerVersion()).toMatchObject({ name: 'hotrag', version });
  });
});
