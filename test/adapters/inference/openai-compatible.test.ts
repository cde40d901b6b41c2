import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { openAiBase } from '../../../src/adapters/inference/openai-address.js';
import { checkHealth, createOpenAiHttp, readMetrics } from '../../../src/adapters/inference/openai-client.js';
import { createOpenAiGenerator, openOpenAiGenerator } from '../../../src/adapters/inference/openai-compatible.js';
import { openAiOptions } from '../../../src/adapters/inference/openai-options.js';
import { collect } from '../../../src/core/collect.js';
import { generatorContract } from '../../contracts/generator-contract.js';
import { fixture, json, type RecordedOllama, type Reply, type SeenRequest, serveRecorded } from './recorded-ollama.js';
import { delta, sse, USAGE, VLLM_KEY, vllm } from './vllm-stub.js';

for (const api of ['chat', 'completions'] as const) {
  generatorContract(`a server with vLLM's interface (${api})`, async () => {
    const server = await serveRecorded(vllm);
    const options = { url: `${server.url}/v1`, apiKey: VLLM_KEY, model: 'chat', api };
    return { generator: await openOpenAiGenerator(options), close: () => server.close() };
  });
}

const HELLO = { messages: [{ role: 'user' as const, content: 'How long is the line?' }] };
const servers: RecordedOllama[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(
  replyTo: (request: SeenRequest) => Reply = vllm,
  options: Partial<Parameters<typeof createOpenAiGenerator>[0]> = {},
) {
  const server = await serveRecorded(replyTo);
  servers.push(server);
  const url = `${server.url}/v1`;
  return { server, url, generator: createOpenAiGenerator({ url, model: 'chat', apiKey: VLLM_KEY, ...options }) };
}

const recorded = (): Reply => ({ type: 'text/event-stream', body: fixture('llama-server-chat.sse').match(/.*\n\n/g) ?? [] });

describe('a generator on a server with OpenAI’s interface', () => {
  it('gives the deltas in order, unicode whole, and vLLM’s own figures', async () => {
    const { generator } = await start();
    const { text, finish } = await collect(generator.generate(HELLO));
    expect(text).toBe('The line is 42 km long [1]. Straße 北京 🚄');
    expect(finish).toMatchObject({
      reason: 'stop',
      usage: { inputTokens: 61, outputTokens: 12, cachedTokens: 48 },
      timings: { ttftMs: 41.5, tpotMs: 12 },
    });
    expect(finish.timings?.queueMs).toBeGreaterThanOrEqual(3.5);
  });

  it('gives what a real llama-server sent, with its timings', async () => {
    const { generator } = await start(recorded);
    const { text, finish } = await collect(generator.generate(HELLO));
    expect(text).toBe('Die Straße nach 北京 🚄 ist 42 km lang [1].');
    expect(finish.usage).toEqual({ inputTokens: 32, outputTokens: 39, cachedTokens: 24 });
    expect(finish.timings?.ttftMs).toBeCloseTo(447.6, 0);
    expect(finish.timings?.tpotMs).toBeCloseTo(59.6, 0);
  });

  it.each([
    ['vLLM’s interface', vllm],
    ['a real llama-server', recorded],
  ])('reads %s as the package `openai` does', async (_, replyTo) => {
    const { generator, url } = await start(replyTo);
    const { text, finish } = await collect(generator.generate(HELLO));
    const client = new OpenAI({ baseURL: url, apiKey: VLLM_KEY, maxRetries: 0 });
    const theirs = await client.chat.completions.create({
      model: 'chat',
      ...HELLO,
      stream: true,
      stream_options: { include_usage: true },
    });
    let theirText = '';
    let usage: { prompt_tokens: number; completion_tokens: number } | null | undefined;
    let reason: string | null | undefined;
    for await (const chunk of theirs) {
      theirText += chunk.choices[0]?.delta.content ?? '';
      reason = chunk.choices[0]?.finish_reason ?? reason;
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(theirText);
    expect(finish.reason).toBe(reason);
    expect(finish.usage).toMatchObject({ inputTokens: usage?.prompt_tokens, outputTokens: usage?.completion_tokens });
  });

  it('sends the engine’s parameters, and lets the request win over them', async () => {
    const options = { top_k: 20, temperature: 0.9, chat_template_kwargs: { enable_thinking: false }, cache_salt: 'team-a' };
    const { generator, server } = await start(vllm, { options, extra: { my_field: [1] } });
    await collect(generator.generate({ ...HELLO, maxTokens: 9, temperature: 0 }));
    expect(server.seen[0]?.body).toEqual({
      my_field: [1],
      top_k: 20,
      temperature: 0,
      chat_template_kwargs: { enable_thinking: false },
      cache_salt: 'team-a',
      model: 'chat',
      messages: HELLO.messages,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
    });
  });

  it.each(['reasoning', 'reasoning_content'])(
    'leaves thoughts (%s) out of the text and the first thought out of TTFT',
    async (name) => {
      const { generator } = await start(() =>
        sse([
          delta({ [name]: 'Hmm.' }),
          delta({ content: '42 km.' }),
          delta({}, 'stop'),
          { choices: [], usage: USAGE, metrics: { time_to_first_token_ms: 5 } },
          '[DONE]',
        ]),
      );
      const { text, finish } = await collect(generator.generate(HELLO));
      expect(text).toBe('42 km.');
      expect(finish.timings?.ttftMs).toBeNull();
    },
  );

  it('needs neither [DONE] nor usage, and takes figures from the last text’s event', async () => {
    const { generator } = await start(() => sse([delta({ content: 'Yes.' }), { ...delta({}, 'length'), usage: USAGE }]));
    expect(await collect(generator.generate(HELLO))).toMatchObject({
      text: 'Yes.',
      finish: { reason: 'length', usage: { inputTokens: 61 } },
    });
    const bare = await start(() => sse([delta({ content: 'Yes.' }, 'stop')]));
    expect((await collect(bare.generator.generate(HELLO))).finish.usage).toEqual({ inputTokens: null, outputTokens: null });
  });

  it('uses connections again', async () => {
    const { generator, server } = await start();
    for (let call = 0; call < 8; call++) await collect(generator.generate(HELLO));
    // Two: a connection is back in the pool only a moment after its answer has ended.
    expect(new Set(server.seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
  });

  it('closes the connection when aborted before the first byte, in the middle, and when left', async () => {
    const { generator, server } = await start(() => sse([delta({ content: 'The' })], 'hang'));
    const early = new AbortController();
    const asked = collect(generator.generate(HELLO, { signal: early.signal }));
    early.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of generator.generate(HELLO, { signal: controller.signal })) controller.abort(new Error('gone'));
    };
    await expect(read()).rejects.toThrow('gone');
    for await (const _ of generator.generate(HELLO)) break;
    await Promise.all(server.seen.map(({ hungUp }) => hungUp));
    expect(server.seen.length).toBeGreaterThanOrEqual(2);
  });

  it('warms up with one token, and asks after the health where there is no such call too', async () => {
    const { generator, server } = await start();
    await generator.warm();
    expect(server.seen[0]?.body).toMatchObject({ max_tokens: 1 });
    await generator.health();
    const other = await start((request) => (request.path === '/health' ? json({ detail: 'Not Found' }, 404) : vllm(request)));
    await other.generator.health();
    expect(other.server.seen.map(({ path }) => path)).toEqual(['/health', '/v1/models']);
  });

  it('reads the server’s own figures', async () => {
    const { url } = await start();
    const http = createOpenAiHttp({ url, apiKey: VLLM_KEY }, 'generator');
    expect(await readMetrics(http)).toContain('vllm:num_requests_running');
    await checkHealth(http);
  });
});

describe('opening it', () => {
  it('takes the context that the server tells, unless another one is configured', async () => {
    const { url } = await start();
    expect(await openOpenAiGenerator({ url, apiKey: VLLM_KEY, model: 'chat' })).toMatchObject({
      contextTokens: 2048,
      engine: 'openai-compatible',
    });
    expect(await openOpenAiGenerator({ url, apiKey: VLLM_KEY, model: 'chat', contextTokens: 1024 })).toMatchObject({
      contextTokens: 1024,
    });
  });

  const LLAMA = { id: 'smollm2', owned_by: 'llamacpp', meta: { n_ctx: 8192, ftype: 'Q4_1', n_params: 134515008 } };
  const llama = ({ path }: SeenRequest): Reply =>
    path === '/props' ? json({ default_generation_settings: { n_ctx: 2048 } }) : json({ object: 'list', data: [LLAMA] });

  it('takes the only model, the context of one place and the quantisation that llama-server tells', async () => {
    const { url } = await start(llama);
    expect(await openOpenAiGenerator({ url })).toMatchObject({
      model: 'smollm2',
      contextTokens: 2048,
      info: { quantization: 'Q4_1', size: '0.13B' },
    });
  });

  it('refuses a model that llama-server would pretend to be', async () => {
    const { url } = await start(llama);
    await expect(openOpenAiGenerator({ url, model: 'gpt-4' })).rejects.toMatchObject({
      message: expect.stringMatching(/serves smollm2, not gpt-4/),
      retryable: false,
    });
  });

  it('asks for a name where several models are served', async () => {
    const { url } = await start();
    await expect(openOpenAiGenerator({ url, apiKey: VLLM_KEY })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/chat, embed, rank/),
    });
  });

  it('takes a model at its word where the server has no list, but not a wrong key', async () => {
    const { url } = await start((request) =>
      request.path === '/v1/models' ? json({ detail: 'Not Found' }, 404) : vllm(request),
    );
    expect(await openOpenAiGenerator({ url, model: 'chat' })).toMatchObject({ model: 'chat', contextTokens: 8192 });
    const guarded = await start();
    await expect(openOpenAiGenerator({ url: guarded.url, model: 'chat', apiKey: 'wrong' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(/401: Unauthorized/),
    });
  });
});

describe('what goes wrong on the way to it', () => {
  const failing =
    (status: number, error: unknown, headers = {}) =>
    () => ({ ...json({ error }, status), headers });
  const middle = delta({ content: 'The' });

  it.each<[string, () => Reply, Record<string, unknown>, RegExp]>([
    ['a wrong key', failing(401, 'Unauthorized'), { code: 'UNAUTHORIZED', retryable: false }, /401: Unauthorized/],
    [
      'a missing model',
      failing(404, { message: 'The model `x` does not exist.' }),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /Name a model/,
    ],
    [
      'an address of something else',
      () => ({ status: 404, type: 'text/html', body: ['<h1>Nothing</h1>'] }),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /Correct `url`/,
    ],
    ['too many requests', failing(429, { message: 'slow down' }), { code: 'UPSTREAM_FAILED', retryable: true }, /slow down/],
    [
      'a prompt that is too long',
      failing(400, { message: 'exceeds the available context size (2048 tokens)' }),
      { code: 'UPSTREAM_FAILED', retryable: false },
      /context.*topK/,
    ],
    [
      'an embedding model',
      failing(500, { message: 'the current context does not logits computation. skipping' }),
      { retryable: false },
      /only embeds/,
    ],
    ['a server that can’t', failing(501, { message: 'not supported' }), { retryable: false }, /501/],
    [
      'a crash before',
      failing(500, { message: 'EngineDeadError' }),
      { code: 'UPSTREAM_FAILED', retryable: true },
      /EngineDeadError/,
    ],
    [
      'a gateway that gave up',
      () => ({ status: 504, type: 'text/html', body: ['x'.repeat(100_000)] }),
      { code: 'TIMEOUT' },
      /504/,
    ],
    [
      'a crash in the middle',
      () => sse([middle, { error: { message: 'EngineCore died', code: 500 } }, '[DONE]']),
      { code: 'UPSTREAM_FAILED', retryable: true },
      /EngineCore died/,
    ],
    ['an event that is not JSON', () => sse([middle, '{"choices":']), { code: 'UPSTREAM_FAILED' }, /not JSON/],
    [
      'a page of HTML',
      () => ({ type: 'text/html', body: ['<html>Please log in</html>\n'] }),
      { code: 'UPSTREAM_FAILED' },
      /no event stream/,
    ],
    [
      'bytes that are not text',
      () => ({ body: ['data: ', new Uint8Array([0xff, 0xfe, 0x0a])] }),
      { code: 'UPSTREAM_FAILED' },
      /UTF-8/,
    ],
    [
      'an event without an end',
      () => ({ body: ['data: '.padEnd(1_500_000, 'x')], after: 'hang' }),
      { code: 'UPSTREAM_FAILED' },
      /an event of over/,
    ],
    ['an end before the end', () => sse([middle]), { code: 'UPSTREAM_FAILED', retryable: true }, /early/],
    ['[DONE] before the end', () => sse([middle, '[DONE]']), { code: 'UPSTREAM_FAILED' }, /early/],
    ['a dropped connection', () => sse([middle], 'drop'), { code: 'CONNECTION_FAILED', retryable: true }, /middle of its answer/],
    [
      'a call of a tool',
      () => sse([delta({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }), delta({}, 'tool_calls')]),
      { retryable: false },
      /call of a tool/,
    ],
    [
      'a call of a tool in an answer',
      () => sse([middle, delta({ tool_calls: [{ index: 0 }] }), delta({}, 'stop')]),
      { retryable: false },
      /call of a tool/,
    ],
    ['an answer cut by a filter', () => sse([middle, delta({}, 'content_filter')]), { retryable: false }, /content filter/],
    ['a given-up answer', () => sse([middle, delta({}, 'abort')]), { retryable: true }, /gave up/],
  ])('%s is an error that says what to do', async (_, replyTo, expected, message) => {
    const { generator } = await start(replyTo);
    const failure: unknown = await collect(generator.generate(HELLO)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'RagError',
      adapter: 'openai-compatible',
      ...expected,
      message: expect.stringMatching(message),
    });
    expect(String(failure)).not.toContain(VLLM_KEY);
  });

  it('100 MB are not read', async () => {
    const line = `data: ${JSON.stringify(delta({ content: 'x'.repeat(100_000) }))}\n\n`;
    const { generator } = await start(() => ({ type: 'text/event-stream', body: Array.from({ length: 1000 }, () => line) }));
    await expect(collect(generator.generate(HELLO))).rejects.toMatchObject({
      message: expect.stringMatching(/an answer of over/),
    });
  });

  it('a server that is down is CONNECTION_FAILED', async () => {
    const { generator, server } = await start();
    await server.close();
    await expect(collect(generator.generate(HELLO))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringMatching(/ECONNREFUSED.*generator\.url/),
    });
  });

  it('silence before the first word, and after one, is TIMEOUT and closes the connection; pings are silence too', async () => {
    const slow = await start(() => ({ type: 'text/event-stream', body: [], after: 'hang' }), { timeoutMs: 30 });
    await expect(collect(slow.generator.generate(HELLO))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/first word/),
    });
    const stalled = await start(() => ({ ...sse([middle], 'hang'), body: [...sse([middle]).body, ': ping\n\n', ': ping\n\n'] }), {
      stallMs: 30,
    });
    await expect(collect(stalled.generator.generate(HELLO))).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/next word/),
    });
    await Promise.all([slow.server.seen[0]?.hungUp, stalled.server.seen[0]?.hungUp]);
  });
});

describe('openAiBase', () => {
  it.each([
    ['http://gpu:8000', 'http://gpu:8000/v1'],
    ['http://gpu:8000/', 'http://gpu:8000/v1'],
    ['http://gpu:8000/v1/', 'http://gpu:8000/v1'],
    ['https://gateway.example/team/openai/v1//', 'https://gateway.example/team/openai/v1'],
    ['http://gpu:8000/v1/chat/completions', 'http://gpu:8000/v1'],
    ['http://0.0.0.0:8000/v1', 'http://127.0.0.1:8000/v1'],
  ])('reads %s', (text, base) => {
    expect(openAiBase(text)).toEqual({ base, headers: {} });
  });

  it('turns user and password into a header', () => {
    expect(openAiBase('http://ann:s%20cret@gpu/v1')).toEqual({
      base: 'http://gpu/v1',
      headers: { authorization: `Basic ${Buffer.from('ann:s cret').toString('base64')}` },
    });
  });

  it.each(['gpu:8000', 'ftp://gpu', 'http://', 'http://gpu/v1?key=1', 'http://%zz:x@gpu'])('refuses %s', (url) => {
    expect(openAiBase(url)).toHaveProperty('problem');
    expect(openAiOptions.safeParse({ type: 'openai-compatible', url }).success).toBe(false);
  });

  it('refuses parameters that engines would ignore', () => {
    const url = 'http://gpu:8000';
    for (const options of [{ temprature: 1 }, { guided_json: {} }, { truncate_prompt_tokens: 5 }]) {
      expect(openAiOptions.safeParse({ type: 'openai-compatible', url, options }).success).toBe(false);
    }
    expect(
      openAiOptions.safeParse({ type: 'openai-compatible', url, options: { structured_outputs: { choice: ['a'] } } }).success,
    ).toBe(true);
  });
});
