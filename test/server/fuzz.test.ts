import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRag } from '../../src/sdk/index.js';
import { createServer, type RagServer, serveHttp, serveStdio } from '../../src/server/index.js';
import { makeFolder } from '../support/folder.js';

/**
 * Malformed messages, on a real engine: no crash (an error that nobody catches fails the run), no hang (every batch ends with a question
 * that must be answered), and no reply that tells a path of this machine, a stack or a token. `HOTRAG_FUZZ=100000` sends that many.
 */
const MESSAGES = Number(process.env['HOTRAG_FUZZ'] ?? 3_000);
const BATCH = 50;
const TOKEN = 'token-of-the-fuzz-test-0123456789';
const HIDDEN = 'the hidden text beside the root';
const LAST = 'the last question';
/** Longer than any of these may take on a busy machine; what passes it hangs. */
const HANGS_MS = 20_000;
const SETTINGS = { numRuns: Math.ceil(MESSAGES / 3 / BATCH), endOnFailure: true };
const TIMEOUT_MS = 60_000 + MESSAGES * 20;

// ── What is sent ────────────────────────────────────────────────────────────────────────────────────────────────

const TOOLS = ['ingest', 'search', 'read-document', 'generate', 'cache-stats', 'list-documents', 'delete-documents'];
const METHODS = [
  ...['initialize', 'ping', 'server/discover', 'tools/list', 'tools/call', 'resources/list', 'resources/read', 'prompts/get'],
  ...['resources/templates/list', 'resources/subscribe', 'prompts/list', 'completion/complete', 'logging/setLevel', 'nothing'],
  ...['notifications/cancelled', 'notifications/initialized', 'notifications/progress', 'notifications/roots/list_changed'],
];
const KEYS = [
  ...[
    'query',
    'question',
    'filter',
    'topK',
    'mode',
    'groups',
    'explain',
    'maxChars',
    'collection',
    'id',
    'around',
    'lines',
    'ids',
  ],
  ...[
    'sources',
    'documents',
    'metadata',
    'prune',
    'all',
    'limit',
    'cursor',
    'session',
    'text',
    'uri',
    '$and',
    '$not',
    '$in',
    '$gt',
  ],
  ...['__proto__', 'constructor', 'toString', '', 'name', 'arguments', '_meta', 'progressToken', 'requestId', 'ref', 'argument'],
];
const TEXTS = [
  ...[
    '',
    'ropes',
    '../secret.md',
    '..%2f..%2fetc%2fpasswd',
    '/etc/passwd',
    'a\0b',
    '\\\\host\\share',
    'file:///etc/passwd',
    '**/*',
  ],
  ...[
    'hotrag://default',
    'hotrag://default/..%2f..%2fsecret.md',
    'hotrag://%/%',
    '1-0',
    '9e999',
    '\ud800',
    '\u202e',
    '$where',
    '{}',
  ],
];

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 40 }));
const scalar = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom(1e308, -1, 2 ** 53));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { maxKeys: 4 }),
  ),
}));
const ids = fc.oneof(fc.integer({ min: 0, max: 5 }), text, value);
const meta = fc.oneof(
  fc.constant({
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }),
  value,
);
const sane = {
  query: fc.oneof(text, value),
  topK: fc.oneof(fc.integer(), value),
  filter: value,
  id: text,
  uri: text,
  sources: fc.array(fc.oneof(text, value), { maxLength: 3 }),
};
const params = fc.oneof(
  value,
  fc.record(
    {
      name: fc.oneof(fc.constantFrom(...TOOLS, 'answer-from-sources', 'compare'), value),
      arguments: fc.oneof(value, fc.record(sane, { requiredKeys: [] })),
      uri: text,
      cursor: value,
      protocolVersion: fc.constantFrom('2025-11-25', '2024-11-05', '2026-07-28', '1', '\0'),
      capabilities: value,
      clientInfo: value,
      requestId: ids,
      _meta: meta,
    },
    { requiredKeys: [] },
  ),
);
const message = fc.record(
  { jsonrpc: fc.oneof(fc.constant('2.0'), value), id: ids, method: fc.oneof(fc.constantFrom(...METHODS), value), params },
  { requiredKeys: [] },
);
const json = fc.oneof(message, value, fc.array(message, { maxLength: 3 })).map((one) => Buffer.from(JSON.stringify(one) ?? ''));
const broken = fc.tuple(json, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, place, byte]) => {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[place % copy.length] = byte;
  return copy.subarray(0, byte < 64 ? place % (copy.length + 1) : copy.length);
});
const deep = fc.integer({ min: 1, max: 20_000 }).map((depth) => Buffer.from('[{"params":'.repeat(depth)));
const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const bytes = fc.oneof(
  { weight: 20, arbitrary: json },
  { weight: 6, arbitrary: broken },
  { weight: 3, arbitrary: noise },
  { weight: 1, arbitrary: deep },
);
const batches = fc.array(bytes, { minLength: BATCH, maxLength: BATCH });

// ── What must hold ──────────────────────────────────────────────────────────────────────────────────────────────

async function openServer(): Promise<{ readonly server: RagServer; readonly leaks: (replies: string) => readonly string[] }> {
  const folder = makeFolder({ 'secret.md': HIDDEN, 'root/ropes.md': '# Ropes\n\nA rope is sixty metres long.\n' });
  mkdirSync(join(folder, 'root', 'sub'));
  writeFileSync(join(folder, 'root', 'sub', 'tea.md'), 'Green tea.\n');
  const rag = await openRag({
    store: { type: 'memory' },
    embedder: { id: 'ones', dimensions: 2, maxBatch: 64, embed: async (texts) => texts.map(() => Float32Array.of(1, 1)) },
    generator: {
      ...{ id: 'echo', engine: 'echo', model: 'none' },
      async *generate() {
        yield { type: 'text-delta', text: 'Sixty [1].' };
        yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: 1 } };
      },
    },
  });
  onTestFinished(() => rag.close());
  await rag.ingest([join(folder, 'root')]);
  const server = createServer(rag, { roots: [join(folder, 'root')] });
  const secrets = [folder, process.cwd(), homedir(), HIDDEN, TOKEN, 'node_modules', 'node:internal'];
  return {
    server,
    leaks: (replies) => [
      ...secrets.filter((secret) => replies.includes(secret)),
      ...(/\n {4}at |\\n {4}at /.test(replies) ? ['a stack'] : []),
    ],
  };
}

describe('malformed messages', () => {
  it('on stdio are answered or passed over', { timeout: TIMEOUT_MS }, async () => {
    const { server, leaks } = await openServer();
    const property = fc.asyncProperty(batches, fc.boolean(), async (batch, begins) => {
      const input = new PassThrough();
      const output = new PassThrough();
      let replies = '';
      output.on('data', (chunk) => {
        replies += chunk;
      });
      const served = serveStdio(server, { input, output });
      if (begins) input.write(`${JSON.stringify(INITIALIZE)}\n`);
      for (const part of batch) input.write(Buffer.concat([part, Buffer.from('\n')]));
      input.end(`${JSON.stringify({ jsonrpc: '2.0', id: LAST, method: 'ping' })}\n`);
      await unlessHanging(served);
      expect(leaks(replies)).toEqual([]);
      expect(replies).toContain(`"id":${JSON.stringify(LAST)}`);
      for (const line of replies.split('\n').filter(Boolean)) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    });
    await fc.assert(property, SETTINGS);
  });

  it('on HTTP are answered', { timeout: TIMEOUT_MS }, async () => {
    const { server, leaks } = await openServer();
    const { port } = await open(server);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    onTestFinished(() => agent.destroy());
    const property = fc.asyncProperty(
      batches,
      fc.array(variants, { minLength: BATCH, maxLength: BATCH }),
      async (batch, kinds) => {
        const asked = batch.map((body, index) => {
          const { path, method, headers } = kinds[index] ?? PLAIN;
          return send(agent, port, path, method, index % 2 === 0 ? headers : { ...headers, ...standardHeaders(body) }, body);
        });
        for (const { status, reply } of await unlessHanging(Promise.all(asked))) {
          expect(status).toBeGreaterThanOrEqual(200);
          expect([500, 502, 504]).not.toContain(status);
          expect(leaks(reply)).toEqual([]);
        }
        expect((await send(agent, port, '/healthz', 'GET', {}, undefined)).status).toBe(200);
      },
    );
    await fc.assert(property, SETTINGS);
  });

  it('on SSE, and bytes that are no HTTP, end nothing but themselves', { timeout: TIMEOUT_MS }, async () => {
    const { server, leaks } = await openServer();
    const { url, port } = await open(server);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    onTestFinished(() => agent.destroy());
    const property = fc.asyncProperty(batches, async (batch) => {
      const stream = await openStream(url);
      await send(agent, port, stream.endpoint, 'POST', PLAIN.headers, Buffer.from(JSON.stringify(INITIALIZE)));
      const asked = batch.map((body, index) =>
        index % 5 === 0 ? sendRaw(port, body) : send(agent, port, stream.endpoint, 'POST', PLAIN.headers, body),
      );
      for (const { reply } of await unlessHanging(Promise.all(asked))) expect(leaks(reply)).toEqual([]);
      const ping = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: LAST, method: 'ping' }));
      expect((await send(agent, port, stream.endpoint, 'POST', PLAIN.headers, ping)).status).toBe(202);
      await unlessHanging(stream.until(`"id":${JSON.stringify(LAST)}`));
      expect(leaks(stream.received())).toEqual([]);
      stream.close();
    });
    await fc.assert(property, SETTINGS);
  });
});

// ── How it is sent ──────────────────────────────────────────────────────────────────────────────────────────────

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'begin',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
};

interface Variant {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const PLAIN: Variant = {
  path: '/mcp',
  method: 'POST',
  headers: {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  },
};
/** What may stand in a header, odd as it is. */
const headerText = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.constantFrom('2026-07-28', '2025-11-25', 'tools/call', 'search', '0'),
);
const odd = fc.dictionary(
  fc.constantFrom('mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name', 'accept', 'content-type', 'authorization'),
  headerText,
  { maxKeys: 2 },
);
const variants: fc.Arbitrary<Variant> = fc
  .record({
    path: fc.oneof(
      { weight: 8, arbitrary: fc.constant('/mcp') },
      {
        weight: 2,
        arbitrary: fc.constantFrom('/messages', '/messages?sessionId=1', '/', '/..%2f..%2fetc/passwd', '/%00', '//', '/sse'),
      },
    ),
    method: fc.oneof({ weight: 20, arbitrary: fc.constant('POST') }, fc.constantFrom('PUT', 'DELETE', 'OPTIONS', 'PATCH')),
    headers: odd,
  })
  .map(({ path, method, headers }) => ({ path, method, headers: { ...PLAIN.headers, ...headers } }));

/** Those that the generation of 2026-07-28 wants to agree with the body: without them it looks no further. */
function standardHeaders(body: Buffer): Readonly<Record<string, string>> {
  const found = (name: string) => new RegExp(`"${name}":"([\\w/-]+)"`).exec(body.toString())?.[1];
  const [method, name] = [found('method'), found('name')];
  return {
    'mcp-protocol-version': '2026-07-28',
    ...(method !== undefined && { 'mcp-method': method }),
    ...(name !== undefined && { 'mcp-name': name }),
  };
}

async function open(server: RagServer) {
  const service = await serveHttp(server, { port: 0, tokens: [{ token: TOKEN }], limits: { requestsPerSecond: 1e9 } });
  onTestFinished(() => service.close({ graceMs: 0 }));
  return { url: service.url, port: Number(new URL(service.url).port) };
}

function send(agent: Agent, port: number, path: string, method: string, headers: Variant['headers'], body: Buffer | undefined) {
  return new Promise<{ readonly status: number; readonly reply: string }>((resolve, reject) => {
    const asked = request({
      ...{ host: '127.0.0.1', port, path, agent, method },
      headers: { ...headers, ...(body && { 'content-length': body.length }) },
    });
    asked.on('error', reject);
    asked.on('response', async (response: IncomingMessage) => {
      let reply = JSON.stringify(response.headers);
      for await (const chunk of response) reply += chunk;
      resolve({ status: response.statusCode ?? 0, reply });
    });
    asked.end(body);
  });
}

/** As the first bytes of a connection. */
function sendRaw(port: number, bytes: Buffer) {
  return new Promise<{ readonly reply: string }>((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk;
    });
    socket.on('error', () => {}); // it is cut off
    socket.on('close', () => resolve({ reply }));
    socket.end(bytes);
  });
}

async function openStream(url: string) {
  let received = '';
  let look = () => {};
  const asked = request(new URL('/sse', url), { headers: { authorization: PLAIN.headers['authorization'] } });
  asked.on('error', () => {}); // ended by ourselves
  asked.on('response', (response) => {
    response.on('error', () => {});
    response.on('data', (chunk) => {
      received += chunk;
      look();
    });
  });
  asked.end();
  const until = (part: string) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (received.includes(part)) resolve();
      };
      look();
    });
  await until('\n\n');
  return { endpoint: /data: (\S+)/.exec(received)?.[1] ?? '', until, received: () => received, close: () => asked.destroy() };
}

async function unlessHanging<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${HANGS_MS} ms`)), HANGS_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
