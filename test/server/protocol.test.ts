import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { Rag } from '../../src/core/types.js';
import { createServer } from '../../src/server/index.js';
import { type Connection, connect, connectRaw } from './connect.js';
import { createFakeRag } from './fake-rag.js';

const initialize = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

/** What every request of the 2026-07-28 generation carries. */
const envelope = (capabilities: object = {}) => ({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
});

/** An engine whose search goes on until it is aborted. */
function endlessRag() {
  const told = deferred();
  const aborted = deferred<unknown>();
  const search: Rag['search'] = (_query, { signal } = {}) =>
    new Promise((_resolve, reject) => {
      told.resolve();
      signal?.addEventListener('abort', () => {
        aborted.resolve(signal.reason);
        reject(signal.reason);
      });
    });
  return { ...createFakeRag({ search }), started: told.promise, aborted: aborted.promise };
}

function deferred<Value = void>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  connection = undefined;
});

describe('start', () => {
  it('answers handshake and tool list without opening the engine, with instructions', async () => {
    let opened = 0;
    const rag = async () => {
      opened++;
      return createFakeRag().rag;
    };
    connection = await connect(createServer(rag, { version: '1.2.3', instructions: async () => 'Read this.' }));
    await connection.client.listTools();
    expect(opened).toBe(0);
    expect(connection.client.getInstructions()).toBe('Read this.');
    expect(connection.client.getServerVersion()).toMatchObject({ name: 'hotrag', version: '1.2.3' });
    await Promise.all([1, 2, 3].map(() => connection?.client.callTool({ name: 'search', arguments: { query: 'a' } })));
    expect(opened).toBe(1);
  });
});

describe('cancellation', () => {
  it('does not wait for an engine that is still being opened', async () => {
    const asked = deferred();
    const server = createServer(() => {
      asked.resolve();
      return new Promise<Rag>(() => {});
    });
    connection = await connect(server);
    const call = connection.client.callTool({ name: 'search', arguments: { query: 'a' } }).catch(() => 'ended');
    await asked.promise;
    connection.stop.abort();
    await connection.served;
    await connection.client.close();
    expect(await call).toBe('ended');
  });

  it('reaches the engine when the client cancels', async () => {
    const { rag, started, aborted } = endlessRag();
    connection = await connect(createServer(rag));
    const cancel = new AbortController();
    const call = connection.client.callTool({ name: 'search', arguments: { query: 'a' } }, undefined, { signal: cancel.signal });
    const refused = expect(call).rejects.toThrow();
    await started;
    cancel.abort();
    await refused;
    await aborted;
  });

  it('reaches the engine when the server is stopped, which waits for the work to end', async () => {
    const { rag, started, aborted } = endlessRag();
    connection = await connect(createServer(rag));
    const call = connection.client.callTool({ name: 'search', arguments: { query: 'a' } }).catch(() => 'ended');
    await started;
    connection.stop.abort();
    await connection.served;
    await aborted;
    await connection.client.close();
    expect(await call).toBe('ended');
  });

  it('leaves the loop of a streamed answer', async () => {
    const left = deferred();
    const waiting = deferred();
    const stream: Rag['stream'] = async function* (_question, { signal } = {}) {
      try {
        yield { type: 'text-delta', text: 'first' };
        waiting.resolve();
        await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      } finally {
        left.resolve();
      }
    };
    connection = await connect(createServer(createFakeRag({ stream }).rag));
    const cancel = new AbortController();
    const call = connection.client.callTool({ name: 'generate', arguments: { question: 'a' } }, undefined, {
      signal: cancel.signal,
    });
    const refused = expect(call).rejects.toThrow();
    await waiting.promise;
    cancel.abort();
    await refused;
    await left.promise;
  });
});

describe('end of input', () => {
  it('answers the requests before it', async () => {
    const { send, finish } = connectRaw(createServer(createFakeRag().rag));
    send(initialize);
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/call', params: { name: 'search', arguments: { query: 'rope' } } });
    const messages = await finish();
    expect(messages.map(({ id }) => id)).toEqual([1, 2]);
    expect(messages[1]).toMatchObject({ result: { structuredContent: { cached: false } } });
  });

  it('survives lines that are no messages', async () => {
    const { toServer, send, finish } = connectRaw(createServer(createFakeRag().rag));
    send(initialize);
    toServer.write('not json\n{"jsonrpc":"2.0"}\n[]\n\n');
    send({ id: 3, method: 'tools/list' });
    const messages = await finish();
    expect(messages.map(({ id }) => id)).toEqual([1, 3]);
  });
});

describe('requests out of order', () => {
  const search = { method: 'tools/call', params: { name: 'search', arguments: { query: 'rope' }, _meta: { progressToken: 1 } } };

  it('before initialize are answered, as the tools need no session', async () => {
    const { send, finish } = connectRaw(createServer(createFakeRag().rag));
    send({ id: 1, ...search });
    const [first] = await finish();
    expect(first).toMatchObject({ id: 1 });
  });

  it('under an id that is taken are refused, and the first is answered', async () => {
    let release = () => {};
    const { rag } = createFakeRag();
    const begun = deferred();
    const slow: Rag['search'] = async (query, options) => {
      begun.resolve();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return rag.search(query, options);
    };
    const { send, finish } = connectRaw(createServer({ ...rag, search: slow }));
    send(initialize);
    send({ id: 2, ...search });
    await begun.promise;
    send({ id: 2, ...search });
    send({ method: 'notifications/cancelled', params: { requestId: 99 } });
    send({ id: 3, method: 'tools/call', params: { name: 'cache-stats', arguments: {}, _meta: { progressToken: 1 } } });
    const messages = finish();
    release();
    const answers = (await messages).filter(({ id }) => id === 2);
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatchObject({ error: { code: -32600 } });
    expect(answers[1]).toMatchObject({ result: { structuredContent: { cached: false } } });
    expect((await messages).find(({ id }) => id === 3)).toMatchObject({ result: { structuredContent: { version: '7' } } });
  });
});

describe('protocol 2026-07-28', () => {
  it('lists and calls the tools', async () => {
    const { send, finish } = connectRaw(createServer(createFakeRag().rag, { instructions: 'Read this.' }));
    send({ id: 1, method: 'server/discover', params: { _meta: envelope() } });
    send({ id: 2, method: 'tools/list', params: { _meta: envelope() } });
    send({ id: 3, method: 'tools/call', params: { name: 'cache-stats', arguments: {}, _meta: envelope() } });
    const messages = await finish();
    const results = new Map(messages.map(({ id, result }) => [id, result]));
    expect(results.get(1)).toMatchObject({ instructions: 'Read this.' });
    expect(results.get(2)).toMatchObject({ tools: { length: 7 } });
    expect(results.get(3)).toMatchObject({ structuredContent: { version: '7' } });
  });

  it('asks for roots by a round trip, and uses the answer', async () => {
    const { rag, calls } = createFakeRag();
    const { send, finish } = connectRaw(createServer(rag, { roots: ['/configured'] }));
    const params = { name: 'ingest', arguments: { sources: ['a.md'] }, _meta: envelope({ roots: {} }) };
    send({ id: 1, method: 'tools/call', params });
    send({ id: 2, method: 'tools/call', params: { ...params, inputResponses: { roots: { roots: [{ uri: 'file:///open' }] } } } });
    const messages = await finish();
    const results = new Map(messages.map(({ id, result }) => [id, result]));
    expect(results.get(1)).toMatchObject({ resultType: 'input_required', inputRequests: { roots: { method: 'roots/list' } } });
    expect(results.get(2)).toMatchObject({ structuredContent: { added: 2 } });
    expect(calls).toEqual([['ingest', ['a.md'], { roots: ['/configured', '/open'] }]]);
  });
});

describe('roots', () => {
  it('of the client are asked for and added to the configured ones', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hotrag-roots-'));
    const warned: string[] = [];
    const { rag, calls } = createFakeRag();
    const logger = { warn: (line: string) => warned.push(line), error: () => {} };
    const roots = [{ uri: pathToFileURL(folder).href }, { uri: 'file://elsewhere/share' }];
    connection = await connect(createServer(rag, { roots: ['/configured'], logger }), { roots: {} }, (client) =>
      client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots })),
    );
    await connection.client.callTool({ name: 'ingest', arguments: { sources: ['a.md'] } });
    expect(calls).toEqual([['ingest', ['a.md'], { roots: ['/configured', folder] }]]);
    expect(warned.join()).toContain('file://elsewhere/share');
    await rm(folder, { recursive: true });
  });

  it('are not asked for when only texts are ingested', async () => {
    const { rag, calls } = createFakeRag();
    connection = await connect(createServer(rag), { roots: {} });
    await connection.client.callTool({ name: 'ingest', arguments: { documents: [{ text: 'a' }] } });
    expect(calls).toEqual([['ingest', [{ text: 'a', metadata: {} }], {}]]);
    expect(connection.lines.filter((line) => line.includes('roots/list'))).toEqual([]);
  });
});

describe('output', () => {
  it('is JSON-RPC, line by line', async () => {
    const { rag } = createFakeRag();
    connection = await connect(createServer(rag));
    await connection.client.listTools();
    await connection.client.callTool({ name: 'search', arguments: { query: 'a' } });
    expect(connection.lines.length).toBeGreaterThan(2);
    for (const line of connection.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  });
});
