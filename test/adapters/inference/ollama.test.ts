import { afterEach, describe, expect, it, vi } from 'vitest';
import { createOllamaGenerator, openOllamaGenerator } from '../../../src/adapters/inference/ollama.js';
import { collect } from '../../../src/core/collect.js';
import { generatorContract } from '../../contracts/generator-contract.js';
import {
  fixture,
  healthy,
  json,
  type RecordedOllama,
  type Reply,
  type SeenRequest,
  serveRecorded,
  stream,
} from './recorded-ollama.js';

generatorContract('ollama, recorded', async () => {
  const server = await serveRecorded(healthy);
  return { generator: await openOllamaGenerator({ url: server.url, model: 'smollm2' }), close: () => server.close() };
});

const HELLO = { messages: [{ role: 'user' as const, content: 'How long is the line?' }] };
const servers: RecordedOllama[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(
  replyTo: (request: SeenRequest) => Reply,
  options: Partial<Parameters<typeof createOllamaGenerator>[0]> = {},
) {
  const server = await serveRecorded(replyTo);
  servers.push(server);
  return { server, generator: createOllamaGenerator({ url: server.url, model: 'smollm2', ...options }) };
}

describe('a generator on a recorded Ollama', () => {
  it('gives the deltas in order, unicode whole, and the figures of the last line', async () => {
    const { generator } = await start(healthy);
    const { text, finish } = await collect(generator.generate(HELLO));
    expect(text).toBe('The line is 42 km long [1]. Straße 北京 🚄');
    expect(finish).toMatchObject({
      reason: 'stop',
      usage: { inputTokens: 81, outputTokens: 12 },
      timings: { ttftMs: 540, tpotMs: 18, queueMs: expect.any(Number) },
    });
  });

  it('puts characters together that were split between chunks', async () => {
    const bytes = new TextEncoder().encode(fixture('chat-answer.ndjson'));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => bytes.subarray(index * 7, index * 7 + 7));
    const { generator } = await start(() => ({ type: 'application/x-ndjson', body: pieces }));
    expect((await collect(generator.generate(HELLO))).text).toContain('Straße 北京 🚄');
  });

  it('sends a constant context, forbids cutting, and lets the request win over the options', async () => {
    const { generator, server } = await start(healthy, {
      keepAlive: '10m',
      options: { num_ctx: 4096, seed: 7, temperature: 0.9, stop: ['END'] },
    });
    await collect(generator.generate({ ...HELLO, maxTokens: 9, temperature: 0 }));
    expect(server.seen[0]?.body).toEqual({
      model: 'smollm2',
      messages: HELLO.messages,
      stream: true,
      think: false,
      truncate: false,
      shift: false,
      keep_alive: '10m',
      options: { num_ctx: 4096, seed: 7, temperature: 0, stop: ['END'], num_predict: 9 },
    });
    expect(generator.contextTokens).toBe(4096);
  });

  it('leaves thoughts out of the text and the first thought out of TTFT', async () => {
    const { generator } = await start(() => stream('chat-thinking.ndjson'), { think: true });
    const { text, finish } = await collect(generator.generate(HELLO));
    expect(text).toBe('It is 42 km [1].');
    expect(finish.timings).toMatchObject({ ttftMs: null, tpotMs: 18 });
  });

  it('finishes without text or figures when the server gives none', async () => {
    const silent = await start(() => stream('chat-no-text.ndjson'));
    expect(await collect(silent.generator.generate(HELLO))).toMatchObject({
      text: '',
      finish: { reason: 'stop', timings: { tpotMs: null } },
    });
    const old = await start(() => stream('chat-no-figures.ndjson'));
    const { finish } = await collect(old.generator.generate(HELLO));
    expect(finish).toMatchObject({ usage: { inputTokens: null, outputTokens: null }, timings: { ttftMs: null, tpotMs: null } });
  });

  it('closes the connection when aborted before the first byte', async () => {
    const controller = new AbortController();
    const { generator, server } = await start(() => {
      controller.abort(new Error('gone'));
      return { type: 'application/x-ndjson', body: [], after: 'hang' };
    });
    await expect(collect(generator.generate(HELLO, { signal: controller.signal }))).rejects.toThrow('gone');
    await server.seen[0]?.hungUp;
  });

  it('closes the connection when aborted, and when left, in the middle of the text', async () => {
    const { generator, server } = await start(() => stream('chat-cut-off.ndjson', 'hang'));
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of generator.generate(HELLO, { signal: controller.signal })) controller.abort(new Error('gone'));
    };
    await expect(read()).rejects.toThrow('gone');
    for await (const _ of generator.generate(HELLO)) break;
    await Promise.all(server.seen.map(({ hungUp }) => hungUp));
    expect(server.seen).toHaveLength(2);
  });

  it('runs no more than `concurrency` at once, tells the wait, and lets go of those who leave the queue', async () => {
    const { generator, server } = await start(() => stream('chat-cut-off.ndjson', 'hang'), { concurrency: 1 });
    const first = generator.generate(HELLO)[Symbol.asyncIterator]();
    await first.next();
    const controller = new AbortController();
    const second = collect(generator.generate(HELLO, { signal: controller.signal }));
    controller.abort(new Error('tired of waiting'));
    await expect(second).rejects.toThrow('tired of waiting');
    const third = generator.generate(HELLO)[Symbol.asyncIterator]();
    const thirdText = third.next();
    expect(server.seen).toHaveLength(1);
    await first.return?.();
    expect((await thirdText).value).toEqual({ type: 'text-delta', text: 'The' });
    expect(server.seen).toHaveLength(2);
    await third.return?.();
  });
});

describe('what goes wrong on the way to Ollama', () => {
  const ERROR = (status: number, error: string) => () => json({ error }, status);

  it.each<[string, () => Reply, Record<string, unknown>, RegExp]>([
    ['a wrong key', ERROR(401, 'unauthorized'), { code: 'UNAUTHORIZED', retryable: false }, /401: unauthorized/],
    ['a missing model', ERROR(404, "model 'smollm2' not found"), { code: 'UPSTREAM_FAILED', retryable: false }, /ollama pull/],
    [
      'an address of something else',
      () => ({ status: 404, type: 'text/html', body: ['<h1>Nothing here</h1>'] }),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /is it an Ollama/,
    ],
    ['too many requests', ERROR(429, 'slow down'), { code: 'UPSTREAM_FAILED', retryable: true }, /429: slow down/],
    ['a full queue', ERROR(503, 'server busy, please try again'), { code: 'UPSTREAM_FAILED', retryable: true }, /server busy/],
    [
      'a model that embeds only',
      ERROR(400, '"minilm" does not support chat'),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /does not support chat/,
    ],
    [
      'a prompt that is too long',
      ERROR(400, 'the input length exceeds the context length'),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /num_ctx/,
    ],
    [
      'a gateway that gave up',
      () => ({ status: 504, type: 'text/html', body: ['x'.repeat(100_000)] }),
      { code: 'TIMEOUT', retryable: true },
      /504/,
    ],
    [
      'a crash in the middle',
      () => stream('chat-error.ndjson'),
      { code: 'UPSTREAM_FAILED', retryable: true },
      /runner process has terminated/,
    ],
    ['a broken line', () => stream('chat-malformed.ndjson'), { code: 'UPSTREAM_FAILED' }, /not JSON/],
    ['a line that is no object', () => ({ body: ['null\n'] }), { code: 'UPSTREAM_FAILED' }, /no object/],
    [
      'bytes that are not text',
      () => ({ body: [new Uint8Array([0x7b, 0xff, 0xfe, 0x0a])] }),
      { code: 'UPSTREAM_FAILED' },
      /UTF-8/,
    ],
    [
      'a line without an end',
      () => ({ body: ['{"'.padEnd(1_500_000, 'x')], after: 'hang' }),
      { code: 'UPSTREAM_FAILED' },
      /a line of over/,
    ],
    [
      'a page of HTML',
      () => ({ type: 'text/html', body: ['<html>Please log in</html>'] }),
      { code: 'UPSTREAM_FAILED' },
      /not JSON/,
    ],
    ['an end without done', () => stream('chat-cut-off.ndjson'), { code: 'UPSTREAM_FAILED' }, /done/],
    [
      'a dropped connection',
      () => stream('chat-cut-off.ndjson', 'drop'),
      { code: 'CONNECTION_FAILED', retryable: true },
      /middle of its answer/,
    ],
    ['an unloaded model', () => stream('chat-unload.ndjson'), { code: 'UPSTREAM_FAILED' }, /unload/],
  ])('%s is an error that says what to do, and prints nothing', async (_, replyTo, expected, message) => {
    const printed = ['log', 'warn', 'error'].map((level) => vi.spyOn(console, level as 'log').mockImplementation(() => {}));
    const { generator } = await start(replyTo);
    const failure: unknown = await collect(generator.generate(HELLO)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'RagError', adapter: 'ollama', ...expected, message: expect.stringMatching(message) });
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });

  it('a server that is down is CONNECTION_FAILED', async () => {
    const { generator, server } = await start(healthy);
    await server.close();
    await expect(collect(generator.generate(HELLO))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      retryable: true,
      message: expect.stringMatching(/ECONNREFUSED.*ollama serve/),
    });
  });

  it('silence before the first word, and after one, is TIMEOUT and closes the connection', async () => {
    const slow = await start(() => ({ type: 'application/x-ndjson', body: [], after: 'hang' }), { timeoutMs: 30 });
    await expect(collect(slow.generator.generate(HELLO))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/first word/),
    });
    await slow.server.seen[0]?.hungUp;
    const stalled = await start(() => stream('chat-cut-off.ndjson', 'hang'), { stallMs: 30 });
    await expect(collect(stalled.generator.generate(HELLO))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/next word/),
    });
    await stalled.server.seen[0]?.hungUp;
  });

  it('a user and password in the address are sent as a header and told in no message', async () => {
    const { server } = await start(ERROR(403, 'no entry'));
    const generator = createOllamaGenerator({ url: server.url.replace('//', '//ann:s%20cret@'), model: 'smollm2' });
    const failure: unknown = await collect(generator.generate(HELLO)).catch((error: unknown) => error);
    expect(String(failure)).toMatch(/403/);
    expect(String(failure)).not.toMatch(/cret/);
    expect(server.seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:s cret').toString('base64')}`);
  });
});
