import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOpenAiEmbedder } from '../../src/adapters/embedders/openai-compatible.js';
import { openAiEmbedderOptions } from '../../src/adapters/embedders/remote-options.js';
import { openGenerator } from '../../src/adapters/inference/index.js';
import { createOpenAiHttp, readMetrics } from '../../src/adapters/inference/openai-client.js';
import { createOpenAiGenerator, openOpenAiGenerator } from '../../src/adapters/inference/openai-compatible.js';
import { openAiOptions } from '../../src/adapters/inference/openai-options.js';
import { createOpenAiReranker } from '../../src/adapters/rerankers/openai-compatible.js';
import { openAiRerankerOptions } from '../../src/adapters/rerankers/options.js';
import { collect } from '../../src/core/collect.js';
import { cosine, embedderContract } from '../contracts/embedder-contract.js';
import { generatorContract } from '../contracts/generator-contract.js';
import { rerankerContract } from '../contracts/reranker-contract.js';
import { LLAMA_KEY, type LlamaServers, llamaServer, type StartedLlamaServer } from './engines.js';
import { freePort } from './process.js';
import { requireServer } from './require-server.js';

const { skipped, title, server } = await requireServer(llamaServer);
const SAMPLES = {
  near: ['How long is the railway line?', 'The railway is 42 km long.'],
  far: 'Butter melts in the pan.',
} as const;
const TELL = { messages: [{ role: 'user' as const, content: 'Tell me a long story about a train.' }] };

describe.skipIf(skipped)(title, () => {
  const servers = server as LlamaServers; // there unless skipped
  let chat: StartedLlamaServer;

  beforeAll(async () => {
    chat = await servers.start('chat');
  });
  afterAll(() => chat.stop());

  const options = () => ({ url: chat.url, apiKey: LLAMA_KEY, model: 'smollm2' });
  /** The server's own word that it has stopped: 1,500 tokens would keep it busy for half a minute and more. */
  const idle = () => expect.poll(() => chat.busy(), { timeout: 20_000, interval: 100 }).toBe(0);

  generatorContract('llama-server', async () => {
    const own = await servers.start('chat');
    return { generator: await openOpenAiGenerator({ url: own.url, apiKey: LLAMA_KEY }), close: () => own.stop() };
  });

  it('tells its context, its quantisation, its times, and what it read from its prefix cache', async () => {
    const generator = await openOpenAiGenerator(options());
    expect(generator).toMatchObject({ contextTokens: 2048, info: { quantization: 'Q4_1' } });
    await generator.warm();
    await generator.health();
    const request = {
      messages: [{ role: 'user' as const, content: `${'A train runs on the line. '.repeat(12)}How long is it?` }],
      maxTokens: 6,
    };
    await collect(generator.generate(request));
    const { finish } = await collect(generator.generate(request));
    expect(finish.usage.inputTokens).toBeGreaterThan(60);
    expect(finish.usage.outputTokens).toBe(6);
    expect(finish.usage.cachedTokens).toBeGreaterThan(50);
    expect(finish.timings?.ttftMs).toBeGreaterThan(0);
    expect(finish.timings?.tpotMs).toBeGreaterThan(0);
  });

  it('keeps characters whole that come in several tokens', async () => {
    const grammar = 'root ::= "Die Straße nach 北京 🚄 ist 42 km lang [1]."';
    const generator = createOpenAiGenerator({ ...options(), options: { grammar } });
    const { text } = await collect(generator.generate({ ...TELL, maxTokens: 80 }));
    expect(text).toBe('Die Straße nach 北京 🚄 ist 42 km lang [1].');
  });

  it('writes by a JSON schema', async () => {
    const schema = { type: 'object', properties: { km: { type: 'integer' } }, required: ['km'], additionalProperties: false };
    const generator = createOpenAiGenerator({
      ...options(),
      options: { response_format: { type: 'json_schema', json_schema: { name: 'length', schema } } },
    });
    const { text } = await collect(generator.generate({ ...TELL, maxTokens: 40, temperature: 0 }));
    expect(JSON.parse(text)).toEqual({ km: expect.any(Number) });
  });

  it('stops writing when its reader aborts, leaves, or gives up before the first word', async () => {
    const generator = createOpenAiGenerator(options());
    const controller = new AbortController();
    let wasBusy = 0;
    const read = async () => {
      for await (const _ of generator.generate({ ...TELL, maxTokens: 1500 }, { signal: controller.signal })) {
        wasBusy = await chat.busy();
        controller.abort(new Error('enough'));
      }
    };
    await expect(read()).rejects.toThrow('enough');
    expect(wasBusy).toBe(1);
    await idle();

    for await (const _ of generator.generate({ ...TELL, maxTokens: 1500 })) break;
    await idle();

    const impatient = createOpenAiGenerator({ ...options(), timeoutMs: 1 });
    await expect(collect(impatient.generate({ ...TELL, maxTokens: 1500 }))).rejects.toMatchObject({ code: 'TIMEOUT' });
    await idle();
  });

  it('is told apart from a wrong key, another model, and another role', async () => {
    await expect(openOpenAiGenerator({ ...options(), apiKey: 'wrong' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(openOpenAiGenerator({ ...options(), model: 'gpt-4' })).rejects.toMatchObject({
      message: expect.stringMatching(/serves smollm2/),
    });
    const embedder = openAiEmbedderOptions.parse({ type: 'openai-compatible', ...options() });
    await expect(openOpenAiEmbedder(embedder)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/does not support embeddings/),
    });
  });

  it('gives its own figures', async () => {
    expect(await readMetrics(createOpenAiHttp(options(), 'generator'))).toContain('llamacpp:');
  });

  describe('embeddings', () => {
    let embeddings: StartedLlamaServer;
    const open = (more = {}) =>
      openOpenAiEmbedder(
        openAiEmbedderOptions.parse({
          type: 'openai-compatible',
          url: embeddings.url,
          apiKey: LLAMA_KEY,
          model: 'minilm',
          ...more,
        }),
      );
    beforeAll(async () => {
      embeddings = await servers.start('embeddings');
    });
    afterAll(() => embeddings.stop());

    embedderContract('llama-server', () => open(), SAMPLES);
    embedderContract('llama-server, as numbers', () => open({ encoding: 'float' }), SAMPLES);

    it('gives all of a text that is longer than the model reads', async () => {
      const [long, near, far] = await (await open()).embed([
        `${'Butter melts in the pan. '.repeat(120)}${'The railway is 42 km long. '.repeat(120)}`,
        'The railway is 42 km long.',
        'A cat sleeps.',
      ]);
      expect(cosine(long, near)).toBeGreaterThan(cosine(long, far) + 0.2);
    });

    it('refuses to write', async () => {
      const writer = createOpenAiGenerator({ url: embeddings.url, apiKey: LLAMA_KEY, model: 'minilm' });
      await expect(collect(writer.generate(TELL))).rejects.toMatchObject({
        retryable: false,
        message: expect.stringMatching(/only embeds/),
      });
    });
  });

  rerankerContract('llama-server with random weights', async () => {
    const rerank = await servers.start('rerank');
    const reranker = openAiRerankerOptions.parse({
      type: 'openai-compatible',
      url: rerank.url,
      apiKey: LLAMA_KEY,
      model: 'rank-stub',
    });
    return { reranker: createOpenAiReranker(reranker), close: () => rerank.stop() };
  });

  it('has another one answer when it is killed, tells whose answer broke off, and answers again when it is back', async () => {
    const port = await freePort();
    const first = await servers.start('chat', { port });
    const engine = (url: string) => openAiOptions.parse({ type: 'openai-compatible', url, apiKey: LLAMA_KEY, model: 'smollm2' });
    let laterMs = 0;
    const generator = await openGenerator([engine(first.url), engine(chat.url)], { clock: () => performance.now() + laterMs });
    const ask = () => collect(generator.generate({ ...TELL, maxTokens: 2 }));

    const cut = async () => {
      for await (const _ of generator.generate({ ...TELL, maxTokens: 1500 })) await first.kill();
    };
    await expect(cut()).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    for (let call = 0; call < 4; call++) expect((await ask()).finish.usage.outputTokens).toBe(2);

    const back = await servers.start('chat', { port });
    try {
      laterMs = 60_000;
      const http = createOpenAiHttp({ url: back.url, apiKey: LLAMA_KEY }, 'generator');
      const answered = async () => {
        await ask();
        return Number(/^llamacpp:tokens_predicted_total (\d+)/m.exec(await readMetrics(http))?.[1]);
      };
      await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(0);
    } finally {
      await back.stop();
    }
  });
});
