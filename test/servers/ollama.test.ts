import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOllamaEmbedder } from '../../src/adapters/embedders/ollama.js';
import { ollamaEmbedderOptions } from '../../src/adapters/embedders/remote-options.js';
import { createOllamaGenerator, openOllamaGenerator } from '../../src/adapters/inference/ollama.js';
import { createOpenAiGenerator, openOpenAiGenerator } from '../../src/adapters/inference/openai-compatible.js';
import { collect } from '../../src/core/collect.js';
import { cosine, embedderContract } from '../contracts/embedder-contract.js';
import { generatorContract } from '../contracts/generator-contract.js';
import { ollama, type StartedOllama, type StartOllama } from './engines.js';
import { requireServer } from './require-server.js';

const { skipped, title, server } = await requireServer(ollama);
const SAMPLES = {
  near: ['How long is the railway line?', 'The railway is 42 km long.'],
  far: 'Butter melts in the pan.',
} as const;
/** A line of Ollama's log: it has ended the work for a request, or was told that nobody waits for it. */
const ENDED = /POST\s+"\/api\/chat"/g;
const TELL = { messages: [{ role: 'user' as const, content: 'Tell me a long story about a train.' }] };

describe.skipIf(skipped)(title, () => {
  const start = server as StartOllama; // there unless skipped
  let running: StartedOllama;

  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running.stop());

  const embedder = (options = {}) =>
    openOllamaEmbedder(ollamaEmbedderOptions.parse({ type: 'ollama', url: running.url, model: 'minilm', ...options }));

  generatorContract('ollama', async () => ({
    generator: await openOllamaGenerator({ url: running.url, model: 'smollm2' }),
    close: async () => {},
  }));

  embedderContract('ollama', () => embedder(), SAMPLES);

  it('tells size and quantisation, loads the model before the first question, and how long that took', async () => {
    const generator = await openOllamaGenerator({ url: running.url, model: 'smollm2' });
    expect(generator).toMatchObject({ contextTokens: 2048, info: { quantization: 'Q4_1', size: '134.52M' } });
    await generator.health();
    await generator.warm();
    const { models } = (await (await fetch(`${running.url}/api/ps`)).json()) as { models: { name: string }[] }; // its documented form
    expect(models.map(({ name }) => name)).toContain('smollm2:latest');
    const { finish } = await collect(generator.generate({ ...TELL, maxTokens: 4 }));
    expect(finish.usage.outputTokens).toBe(4);
    expect(finish.timings?.ttftMs).toBeGreaterThan(0);
    expect(finish.timings?.loadMs).toBeGreaterThanOrEqual(0);
  });

  it('stops writing when its reader aborts, or leaves', async () => {
    const generator = createOllamaGenerator({ url: running.url, model: 'smollm2', contextTokens: 2048 });
    const before = running.log().match(ENDED)?.length ?? 0;
    const ended = () => (running.log().match(ENDED)?.length ?? 0) - before;
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of generator.generate({ ...TELL, maxTokens: 1500 }, { signal: controller.signal }))
        controller.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
    // 1,500 tokens would take half a minute and more.
    await expect.poll(ended, { timeout: 10_000 }).toBe(1);
    for await (const _ of generator.generate({ ...TELL, maxTokens: 1500 })) break;
    await expect.poll(ended, { timeout: 10_000 }).toBe(2);
    // Its one place is free: this does not wait for the others' end.
    await collect(generator.generate({ ...TELL, maxTokens: 1 }));
    await expect.poll(ended).toBe(3);
  });

  it('says how to get a model that is not there, and refuses models in another one’s place', async () => {
    await expect(openOllamaGenerator({ url: running.url, model: 'nobody' })).rejects.toMatchObject({
      message: expect.stringMatching(/ollama pull/),
      retryable: false,
    });
    await expect(openOllamaGenerator({ url: running.url, model: 'minilm' })).rejects.toMatchObject({
      message: expect.stringMatching(/can't chat/),
    });
    await expect(embedder({ model: 'smollm2' })).rejects.toMatchObject({ message: expect.stringMatching(/does not embed/) });
  });

  it('gives all of a text that is longer than the model reads', async () => {
    const [long, near, far] = await (await embedder()).embed([
      `${'Butter melts in the pan. '.repeat(120)}${'The railway is 42 km long. '.repeat(120)}`,
      'The railway is 42 km long.',
      'A cat sleeps.',
    ]);
    expect(cosine(long, near)).toBeGreaterThan(cosine(long, far) + 0.2);
  });

  describe('through OpenAI’s interface', () => {
    it('answers, tells its counts, and says of a missing model what to do', async () => {
      const generator = await openOpenAiGenerator({ url: running.url, model: 'smollm2:latest' });
      const { text, finish } = await collect(generator.generate({ ...TELL, maxTokens: 8 }));
      expect(text).not.toBe('');
      expect(finish).toMatchObject({ reason: 'length', usage: { outputTokens: 8 } });
      const missing = createOpenAiGenerator({ url: running.url, model: 'nobody' });
      await expect(collect(missing.generate(TELL))).rejects.toMatchObject({
        retryable: false,
        message: expect.stringMatching(/404.*nobody/),
      });
    });
  });
});
