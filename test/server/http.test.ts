import { connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Rag } from '../../src/core/types.js';
import { createServer, type HttpService, type ServeHttpOptions, type ServerOptions, serveHttp } from '../../src/server/index.js';
import { createFakeRag } from './fake-rag.js';

/** Who may use a server over HTTP, what it refuses, and how it ends: in raw requests, as an attacker would send them. */

const ALL = 'all-rights-0123456789';
const READER = 'reader-0123456789abcdef';
const NOTES = 'notes-only-0123456789';
const tokens = [
  { token: ALL, name: 'owner' },
  { token: READER, access: 'read', name: 'reader' },
  { token: NOTES, collections: ['notes'], name: 'notes' },
] as const;

let service: HttpService | undefined;
afterEach(async () => {
  await service?.close({ graceMs: 0 });
  service = undefined;
});

async function start(http: ServeHttpOptions = {}, overrides: Partial<Rag> = {}, options: ServerOptions = {}) {
  const { rag, calls } = createFakeRag(overrides);
  const opened = await serveHttp(createServer(rag, { roots: ['/docs'], ...options }), { port: 0, ...http });
  service = opened;
  const { port } = new URL(opened.url);
  return { url: opened.url, port: Number(port), calls, service: opened };
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** One request of 2026-07-28, which needs no session. */
function message(method: string, params: Record<string, unknown> = {}, capabilities: object = {}, id: unknown = 1) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta } };
}

function post(url: string, body: unknown, headers: Record<string, string> = {}, path = '/mcp'): Promise<Response> {
  const { method = '', params = {} } = body as { method?: string; params?: { name?: string } };
  const standard = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(params.name !== undefined && { 'mcp-name': params.name }),
  };
  return fetch(new URL(path, url), {
    method: 'POST',
    headers: { ...HEADERS, ...standard, ...headers },
    body: JSON.stringify(body),
  });
}

async function callTool(url: string, name: string, input: object, token?: string, capabilities: object = {}) {
  const bearer: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await post(url, message('tools/call', { name, arguments: input }, capabilities), bearer);
  const text = await response.text();
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  const { result } = JSON.parse(data);
  return { status: response.status, code: result?._meta?.['hotrag/error'], text: result?.content?.[0]?.text ?? text, result };
}

/** Writes bytes as they are, and gives all that came back when the server ended the connection. */
function raw(port: number, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {}); // an attacker is cut off
    socket.on('close', () => resolve(received));
    for (const part of parts) socket.write(part);
  });
}

describe('the address', () => {
  it('is this machine only, unless there is a token', async () => {
    const { rag } = createFakeRag();
    await expect(serveHttp(createServer(rag), { host: '0.0.0.0', port: 0 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('a token is needed'),
    });
    const open = await start({ host: '0.0.0.0', tokens });
    expect((await callTool(`http://127.0.0.1:${open.port}`, 'cache-stats', {}, ALL)).code).toBeUndefined();
  });

  it('that is in use is told, with what to do', async () => {
    const { port } = await start();
    const { rag } = createFakeRag();
    await expect(serveHttp(createServer(rag), { port })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/port is in use; stop what listens there .* --port/),
    });
  });

  it.each([
    ['evil.example', 403],
    ['evil.example:7411', 403],
    ['localhost.evil.example', 403],
    ['10.0.0.1', 403],
    ['user@localhost', 403],
    ['', 400],
    ['localhost', 200],
    ['127.0.0.1', 200],
    ['[::1]', 200],
  ])('reached as %j is answered %i', async (host, status) => {
    const { port } = await start();
    const answer = await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${host === '' ? '4\\d\\d' : status} `));
  });

  it.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['http://localhost.evil.example', 403],
    ['file://', 403],
    ['http://localhost:5173', 200],
    ['https://app.example', 200],
  ])('used by the page %j is answered %i', async (origin, status) => {
    const { url } = await start({ origins: ['https://app.example'] });
    const response = await fetch(new URL('/healthz', url), { headers: { origin } });
    expect(response.status).toBe(status);
    const readable = response.headers.get('access-control-allow-origin');
    expect(readable).toBe(origin === 'https://app.example' ? origin : null);
  });
});

describe('tokens', () => {
  it.each([[undefined], ['wrong-token-0123456789'], [`${ALL}x`], [ALL.slice(0, -1)]])('%j opens nothing', async (token) => {
    const { url, calls } = await start({ tokens });
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    for (const path of ['/mcp', '/sse', '/messages']) {
      const response = await fetch(new URL(path, url), {
        method: path === '/sse' ? 'GET' : 'POST',
        headers: { ...HEADERS, ...headers },
        body: path === '/sse' ? null : '{}',
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.text()).not.toContain('0123456789');
    }
    expect(calls).toEqual([]);
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
  });

  it('that may only read neither ingest nor delete', async () => {
    const { url, calls } = await start({ tokens });
    expect((await callTool(url, 'search', { query: 'a' }, READER)).code).toBeUndefined();
    expect((await callTool(url, 'ingest', { documents: [{ text: 'a' }] }, READER)).code).toBe('FORBIDDEN');
    expect((await callTool(url, 'delete-documents', { all: true }, READER)).code).toBe('FORBIDDEN');
    expect(calls.map(([method]) => method)).toEqual(['search']);
  });

  it('of one collection open no other, and say the same of one that exists and one that does not', async () => {
    const collections = ['default', 'notes'].map((name) => ({ name, documents: 1, chunks: 1, embedder: 'static' }));
    const { rag } = createFakeRag();
    const { url, calls } = await start({ tokens }, { collections: { ...rag.collections, list: async () => collections } });
    await callTool(url, 'search', { query: 'a' }, NOTES);
    expect(calls).toEqual([['search', 'a', { collection: 'notes' }]]);
    for (const [tool, input] of [
      ['search', { query: 'a' }],
      ['generate', { question: 'a' }],
      ['list-documents', {}],
      ['read-document', { id: 'a' }],
      ['ingest', { documents: [{ text: 'a' }] }],
      ['delete-documents', { all: true }],
      ['cache-stats', {}],
    ] as const) {
      const theirs = await callTool(url, tool, { ...input, collection: 'default' }, NOTES);
      const nobodys = await callTool(url, tool, { ...input, collection: 'nowhere' }, NOTES);
      expect(theirs.code).toBe('FORBIDDEN');
      expect(theirs.text.replace('"default"', '')).toBe(nobodys.text.replace('"nowhere"', ''));
    }
    expect(calls).toHaveLength(1);
    const listed = await (await post(url, message('resources/list'), { authorization: `Bearer ${NOTES}` })).text();
    expect(listed).toContain('hotrag://notes');
    expect(listed).not.toContain('hotrag://default');
    const theirs = await (
      await post(url, readOf('hotrag://default/guide.md'), bearer(NOTES, 'hotrag://default/guide.md'))
    ).text();
    const nobodys = await (
      await post(url, readOf('hotrag://nowhere/guide.md'), bearer(NOTES, 'hotrag://nowhere/guide.md'))
    ).text();
    expect(theirs.replaceAll('default', 'nowhere')).toBe(nobodys);
  });

  it('of one collection hear nothing of what changes in another', async () => {
    const { rag } = createFakeRag();
    const server = createServer(rag);
    service = await serveHttp(server, { port: 0, tokens });
    const theirs = 'hotrag://default/a.md';
    const mine = 'hotrag://notes/a.md';
    const listen = message('subscriptions/listen', {
      notifications: { resourcesListChanged: true, resourceSubscriptions: [theirs, mine] },
    });
    const response = await post(service.url, listen, bearer(NOTES));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await reader?.read(); // acknowledged
    server.changes.publish({ collection: 'default', documents: ['a.md'] });
    server.changes.publish({ collection: 'notes', documents: ['a.md'] });
    let heard = '';
    while (!heard.includes(mine)) heard += (await reader?.read())?.value ?? '';
    expect(heard).not.toContain('hotrag://default');
    expect(heard.match(/list_changed/g)).toHaveLength(1);
    await reader?.cancel();
  });

  it('keep their conversations apart', async () => {
    const { url, calls } = await start({ tokens });
    await callTool(url, 'generate', { question: 'a', session: 's' }, ALL);
    await callTool(url, 'generate', { question: 'a', session: 's' }, READER);
    const sessions = calls.map(([, , options]) => (options as { session?: string }).session);
    expect(new Set(sessions).size).toBe(2);
  });

  it('are refused where they are weak, doubled or unclear', async () => {
    const { rag } = createFakeRag();
    const refused = (rules: ServeHttpOptions['tokens']) =>
      expect(serveHttp(createServer(rag), { port: 0, tokens: rules ?? [] })).rejects;
    await refused([{ token: 'short' }]).toThrow(/at least 16/);
    await refused([{ token: ALL }, { token: ALL }]).toThrow(/the same token/);
    await refused([{}]).toThrow(/either `token` or `sha256`/);
    await refused([{ token: ALL, collections: [] }]).toThrow(/is empty/);
  });

  it('may be given as their hash', async () => {
    const { createHash } = await import('node:crypto');
    const { url } = await start({ tokens: [{ sha256: createHash('sha256').update(ALL).digest('hex') }] });
    expect((await callTool(url, 'cache-stats', {}, ALL)).status).toBe(200);
  });

  it('are limited in requests a second and at a time', async () => {
    const { url } = await start({ tokens, limits: { requestsPerSecond: 1, concurrent: 100 } });
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await callTool(url, 'cache-stats', {}, ALL)).status));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect((await callTool(url, 'cache-stats', {}, READER)).status).toBe(200);
  });
});

describe('files', () => {
  it('of roots that a client claims over HTTP are not read', async () => {
    const { url, calls } = await start();
    const params = { name: 'ingest', arguments: { sources: ['/etc/passwd'] } };
    const claimed = message(
      'tools/call',
      { ...params, inputResponses: { roots: { roots: [{ uri: 'file:///' }] } } },
      { roots: {} },
    );
    await (await post(url, claimed)).text();
    expect(calls).toEqual([['ingest', ['/etc/passwd'], { roots: ['/docs'] }]]);
  });
});

describe('requests that hold a server', () => {
  it('by a body that is too large are refused before it is read', async () => {
    const { port, url } = await start({ limits: { bodyBytes: 10_000 } });
    const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    expect(await raw(port, `${head}Content-Length: 1073741824\r\n\r\n{`)).toMatch(/^HTTP\/1.1 413 /);
    const chunk = `2710\r\n${'x'.repeat(10_000)}\r\n`;
    expect(await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\n`, chunk, chunk)).toMatch(/^HTTP\/1.1 413 /);
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
  });

  it('by headers that never end, or are too many, are ended', async () => {
    const { port } = await start({ timeouts: { headersMs: 200, requestMs: 300 } });
    expect(await raw(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')).toMatch(/^HTTP\/1.1 408 /);
    expect(await raw(port, `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Bomb: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(
      await raw(port, 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'),
    ).toMatch(/^HTTP\/1.1 408 |^$/);
  });

  it('by never reading the answer are cut off', async () => {
    const { rag } = createFakeRag();
    const text = 'x'.repeat(16_000_000);
    const documents: Rag['documents'] = {
      ...rag.documents,
      read: async (id) => ({ id, uri: id, text, lines: [1, 1], metadata: {} }),
    };
    const { port, url } = await start({ timeouts: { stallMs: 200 }, limits: { concurrent: 1 } }, { documents });
    const body = JSON.stringify(message('tools/call', { name: 'read-document', arguments: { id: 'a', maxChars: 20_000_000 } }));
    const head = [
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      'MCP-Protocol-Version: 2026-07-28',
      'Mcp-Method: tools/call',
      'Mcp-Name: read-document',
      `Content-Length: ${body.length}`,
    ];
    const socket = connectSocket(port, '127.0.0.1').pause();
    socket.on('error', () => {}); // it is cut off
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    const status = async () => (await callTool(url, 'cache-stats', {})).status;
    await expect.poll(status).toBe(429); // its place is taken
    await expect.poll(status, { timeout: 10_000 }).toBe(200);
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(received).toBeLessThan(16_000_000);
  });

  it.each([
    ['no JSON', '{"jsonrpc"', 400],
    ['no UTF-8', '"\xff"', 400],
    ['no message', '{"hello":1}', 400],
    ['deeply nested', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    ['null', 'null', 400],
  ])('with %s are answered', async (_, body, status) => {
    const { url } = await start();
    const response = await fetch(new URL('/mcp', url), { method: 'POST', headers: HEADERS, body: Buffer.from(body, 'latin1') });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
  });

  it('of another kind, method or path are refused', async () => {
    const { url } = await start();
    const statusOf = async (path: string, init: RequestInit) => (await fetch(new URL(path, url), init)).status;
    expect(await statusOf('/mcp', { method: 'PUT' })).toBe(405);
    expect(await statusOf('/mcp', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' })).toBe(415);
    expect(await statusOf('/..%2f..%2fetc/passwd', {})).toBe(404);
    expect(await statusOf('/messages?sessionId=none', { method: 'POST', headers: HEADERS, body: '{}' })).toBe(404);
  });

  it('get the headers that keep browsers from misusing the answer', async () => {
    const { url } = await start();
    const { headers } = await fetch(new URL('/healthz', url));
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('sessions of the older generation', () => {
  const initialize = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  };
  const old = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(new URL('/mcp', url), { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) });
  const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };

  it('are begun by initialize, and are not another client’s to use', async () => {
    const { url } = await start({ tokens });
    expect((await old(url, ping, bearer(ALL))).status).toBe(400);
    const session = { 'mcp-session-id': (await old(url, initialize, bearer(ALL))).headers.get('mcp-session-id') ?? '' };
    expect((await old(url, ping, { ...bearer(ALL), ...session })).status).toBe(200);
    expect((await old(url, ping, { ...bearer(READER), ...session })).status).toBe(404);
    expect((await old(url, ping, { ...bearer(ALL), 'mcp-session-id': 'nobodys' })).status).toBe(404);
  });

  it('refuse a request id that is under way, and ignore a cancel of none', async () => {
    let release = () => {};
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { rag } = createFakeRag();
    const search: Rag['search'] = async (query, options) => {
      begun();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return rag.search(query, options);
    };
    const { url } = await start({}, { search });
    const session = { 'mcp-session-id': (await old(url, initialize)).headers.get('mcp-session-id') ?? '' };
    const call = {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'search', arguments: { query: 'a' }, _meta: { progressToken: 1 } },
    };
    const first = old(url, call, session);
    await started;
    const second = await old(url, call, session);
    expect(second.status).toBe(400);
    expect(await second.json()).toMatchObject({ id: 7, error: { code: -32600 } });
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } };
    expect((await old(url, cancel, session)).status).toBe(202);
    // A progress token that another request has, too, is echoed to both.
    const reused = old(url, { ...call, id: 8, params: { ...call.params, name: 'cache-stats', arguments: {} } }, session);
    expect(await (await reused).text()).toContain('"version":"7"');
    release();
    expect(await (await first).text()).toContain('"id":7');
  });

  it('can be left out, for replicas: every request stands alone', async () => {
    const { url } = await start({ sessions: false });
    expect((await old(url, initialize)).headers.get('mcp-session-id')).toBeNull();
    const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'cache-stats', arguments: {} } };
    expect(await (await old(url, call)).text()).toContain('"version":"7"');
  });
});

describe('health', () => {
  it('is live at once, and ready when the engine opens', async () => {
    let broken = true;
    const { rag } = createFakeRag();
    const server = createServer(async () => {
      if (broken) throw new Error('secret of /home/someone');
      return rag;
    });
    service = await serveHttp(server, { port: 0 });
    const get = (path: string) => fetch(new URL(path, service?.url));
    expect((await get('/healthz')).status).toBe(200);
    const notReady = await get('/readyz');
    expect(notReady.status).toBe(503);
    expect(await notReady.text()).not.toContain('secret');
    broken = false;
    expect((await get('/readyz')).status).toBe(200);
  });
});

describe('the audit log', () => {
  it('holds every call that could change data, and no text of it', async () => {
    const entries: unknown[] = [];
    const { url } = await start({ tokens }, {}, { audit: (entry) => entries.push(entry) });
    await callTool(url, 'search', { query: 'a' }, ALL);
    await callTool(url, 'ingest', { documents: [{ text: 'very secret', metadata: { key: 'hidden' } }] }, ALL);
    await callTool(url, 'delete-documents', { ids: ['a.md\nforged'] }, READER);
    expect(entries).toMatchObject([
      { caller: 'owner', tool: 'ingest', target: { texts: 1 }, outcome: 'done' },
      { caller: 'reader', tool: 'delete-documents', target: { ids: ['a.md forged'] }, outcome: 'FORBIDDEN' },
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/secret|hidden|0123456789/);
  });
});

describe('the end', () => {
  it('lets answers under way finish, and refuses new ones', async () => {
    let release = () => {};
    const starts: (() => void)[] = [];
    const begun = Promise.all(Array.from({ length: 50 }, () => new Promise<void>((resolve) => starts.push(resolve))));
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { rag } = createFakeRag();
    const stream: Rag['stream'] = async function* (question, options) {
      yield { type: 'text-delta', text: 'Sixty ' };
      starts.pop()?.();
      await gate;
      yield* rag.stream(question, options);
    };
    const { url, service } = await start({}, { stream });
    const answers = Array.from({ length: 50 }, () => callTool(url, 'generate', { question: 'how long?' }));
    await begun;
    const closing = service.close({ graceMs: 30_000 });
    await expect(fetch(new URL('/healthz', url))).rejects.toThrow();
    release();
    for (const { result } of await Promise.all(answers)) expect(result.structuredContent.text).toBe('Sixty metres [1].');
    await closing;
  });

  it('tells answers that take longer than the grace time why they ended', async () => {
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const search: Rag['search'] = (_query, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        begun();
      });
    const { url, service } = await start({}, { search });
    const answer = callTool(url, 'search', { query: 'a' });
    await started;
    await service.close({ graceMs: 0 });
    expect(await answer).toMatchObject({ code: 'TIMEOUT', text: expect.stringContaining('the server is stopping') });
  });
});

function bearer(token: string, name?: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, ...(name !== undefined && { 'mcp-name': name }) };
}

function readOf(uri: string) {
  return message('resources/read', { uri });
}
