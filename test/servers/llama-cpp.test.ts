import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLlamaCppEmbedder } from '../../src/adapters/embedders/llama-cpp.js';
import { llamaCppEmbedderOptions } from '../../src/adapters/embedders/llama-cpp-options.js';
import { openLlamaCppGenerator } from '../../src/adapters/inference/llama-cpp.js';
import { llamaCppOptions } from '../../src/adapters/inference/llama-cpp-options.js';
import { llamaCppRerankerOptions } from '../../src/adapters/rerankers/in-process-options.js';
import { openLlamaCppReranker } from '../../src/adapters/rerankers/llama-cpp.js';
import { collect } from '../../src/core/collect.js';
import type { Embedder } from '../../src/core/contracts.js';
import { cosine, embedderContract } from '../contracts/embedder-contract.js';
import { generatorContract } from '../contracts/generator-contract.js';
import { rerankerContract } from '../contracts/reranker-contract.js';
import { type LlamaCppHere, llamaCpp } from './in-process.js';
import { requireServer } from './require-server.js';

const { skipped, title, server } = await requireServer(llamaCpp);
const SAMPLES = {
  near: ['How long is the railway line?', 'The railway is 42 km long.'],
  far: 'Butter melts in the pan.',
} as const;
const ask = (content: string) => [{ role: 'user' as const, content }];

describe.skipIf(skipped)(title, () => {
  const { load, models } = server as LlamaCppHere; // there unless skipped
  /** One thread: more of them wait for each other on busy machines. */
  const common = { type: 'llama-cpp', threads: 1, gpu: false } as const;
  const generator = (options = {}) => {
    const given = { ...common, path: join(models, 'smollm2.gguf'), contextTokens: 1024, ...options };
    return openLlamaCppGenerator({ ...llamaCppOptions.parse(given), load });
  };
  const embedder = (options = {}) =>
    openLlamaCppEmbedder({
      ...llamaCppEmbedderOptions.parse({ ...common, path: join(models, 'minilm.gguf'), ...options }),
      load,
    });
  const reranker = (options = {}) =>
    openLlamaCppReranker({
      ...llamaCppRerankerOptions.parse({ ...common, path: join(models, 'rank-stub.gguf'), ...options }),
      load,
    });

  generatorContract('llama-cpp', async () => {
    const opened = await generator();
    return { generator: opened, close: () => opened.close() };
  });

  let opened: Embedder | undefined;
  const openEmbedder = async () => {
    opened = await embedder();
    return opened;
  };
  embedderContract('llama-cpp', openEmbedder, SAMPLES, () => opened?.close?.());

  rerankerContract('llama-cpp', async () => {
    const ranks = await reranker();
    return { reranker: ranks, close: () => ranks.close?.() };
  });

  describe('writing', () => {
    let engine: Awaited<ReturnType<typeof generator>>;
    beforeAll(async () => {
      engine = await generator();
      await engine.warm();
    });
    afterAll(() => engine.close());

    it('tells context, size and quantisation, and its counts, with what the prefix cache had', async () => {
      expect(engine).toMatchObject({ contextTokens: 1024, info: { quantization: 'Q4_1', size: '135M', family: 'llama' } });
      const request = { messages: ask(`${'A train runs on the line. '.repeat(12)}How long is it?`), maxTokens: 6 };
      const first = (await collect(engine.generate(request))).finish.usage;
      const second = (await collect(engine.generate(request))).finish.usage;
      expect(first.inputTokens).toBeGreaterThan(60);
      expect(first.outputTokens).toBe(6);
      expect(second.inputTokens).toBe(first.inputTokens);
      expect(first.cachedTokens).toBeLessThan(30);
      expect(second.cachedTokens).toBeGreaterThan(60);
    });

    it('ends an answer at the end of its context, and forgets nothing of the prompt', async () => {
      const small = await generator({ contextTokens: 128 });
      try {
        const { finish } = await collect(
          small.generate({ messages: ask('Tell me a very long story about a train.'), temperature: 0 }),
        );
        expect(finish.reason).toBe('length');
        const { inputTokens, outputTokens } = finish.usage;
        expect((inputTokens ?? 0) + (outputTokens ?? 0)).toBeGreaterThan(120);
        expect((inputTokens ?? 0) + (outputTokens ?? 0)).toBeLessThanOrEqual(128);
      } finally {
        await small.close();
      }
    });

    it('takes the marks of the chat template in a text as text', async () => {
      const { finish } = await collect(engine.generate({ messages: ask('<|im_end|>'.repeat(20)), maxTokens: 1 }));
      expect(finish.usage.inputTokens).toBeGreaterThan(100); // as marks of the template they would be 20
    });

    it('stops computing when its reader aborts: its one place is free again at once', async () => {
      const controller = new AbortController();
      const long = engine.generate({ messages: ask('Tell me a long story.'), maxTokens: 900 }, { signal: controller.signal });
      const read = async () => {
        for await (const _ of long) controller.abort(new Error('enough'));
      };
      await expect(read()).rejects.toThrow('enough');
      const { finish } = await collect(engine.generate({ messages: ask('Hello'), maxTokens: 1 }));
      expect(finish.timings?.queueMs).toBeLessThan(15_000); // 900 tokens would take half a minute
    });

    it('ends the answers under way when it is closed, and takes no more', async () => {
      const own = await generator();
      const reading = collect(own.generate({ messages: ask('Tell me a long story.'), maxTokens: 900 }));
      reading.catch(() => {});
      await own.warm();
      await own.close();
      await expect(reading).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      await expect(collect(own.generate({ messages: ask('Hello') }))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    });
  });

  it('gives all of a text that is longer than the model reads', async () => {
    const embeds = await embedder();
    const long = `${'Butter melts in the pan. '.repeat(120)}${'The railway is 42 km long. '.repeat(120)}`;
    const [both, near, far] = await embeds.embed([long, 'The railway is 42 km long.', 'A cat sleeps.']);
    expect(cosine(both, near)).toBeGreaterThan(cosine(both, far) + 0.2);
    await embeds.close?.();
  });

  describe('files that are no use', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hotrag-gguf-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it('refuses a model in another one’s place', async () => {
      const wrong = (path: string, message: RegExp) => [
        join(models, path),
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
      ];
      const cases = [
        [generator, ...wrong('minilm.gguf', /generator\.path.*embeds; one that writes text/)],
        [generator, ...wrong('rank-stub.gguf', /ranks; one that writes text/)],
        [embedder, ...wrong('smollm2.gguf', /embedder\.path.*writes text; one that embeds/)],
        [reranker, ...wrong('minilm.gguf', /reranker\.path.*embeds; one that ranks/)],
      ] as const;
      for (const [open, path, error] of cases) await expect(open({ path })).rejects.toEqual(error);
    });

    it('says of a file that is cut off that it can’t be loaded', async () => {
      const path = join(folder, 'half.gguf');
      await writeFile(path, (await readFile(join(models, 'minilm.gguf'))).subarray(0, 3_000_000));
      const embeds = await embedder({ path });
      await expect(embeds.embed(['text'])).rejects.toMatchObject({
        code: 'UPSTREAM_FAILED',
        retryable: false,
        message: expect.stringMatching(/half\.gguf.*complete/),
      });
    });
  });
});
