import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openLlamaCppEmbedder } from '../../../src/adapters/embedders/llama-cpp.js';
import { llamaCppEmbedderOptions } from '../../../src/adapters/embedders/llama-cpp-options.js';
import { openGenerator } from '../../../src/adapters/inference/index.js';
import { openLlamaCppGenerator } from '../../../src/adapters/inference/llama-cpp.js';
import { llamaCppOptions } from '../../../src/adapters/inference/llama-cpp-options.js';
import { llamaCppRerankerOptions } from '../../../src/adapters/rerankers/in-process-options.js';
import { openLlamaCppReranker } from '../../../src/adapters/rerankers/llama-cpp.js';
import { collect } from '../../../src/core/collect.js';
import { openRag } from '../../../src/sdk/index.js';
import { cosine, embedderContract } from '../../contracts/embedder-contract.js';
import { generatorContract } from '../../contracts/generator-contract.js';
import { rerankerContract } from '../../contracts/reranker-contract.js';
import { createFakeLlama, type FakeLlama, HEADERS } from './fake-llama-cpp.js';

const folder = mkdtempSync(join(tmpdir(), 'hotrag-gguf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content = 'GGUF and so on') => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const gguf = file('model-Q4_K_M.gguf');
const of = (fake: FakeLlama) => ({ load: async () => fake.module });
const generator = (fake = createFakeLlama(HEADERS.chat), options = {}) =>
  openLlamaCppGenerator({ ...llamaCppOptions.parse({ type: 'llama-cpp', path: gguf, ...options }), ...of(fake) });
const embedder = (fake = createFakeLlama(HEADERS.embed), options = {}) =>
  openLlamaCppEmbedder({ ...llamaCppEmbedderOptions.parse({ type: 'llama-cpp', path: gguf, ...options }), ...of(fake) });
const reranker = (fake = createFakeLlama(HEADERS.rank), options = {}) =>
  openLlamaCppReranker({ ...llamaCppRerankerOptions.parse({ type: 'llama-cpp', path: gguf, ...options }), ...of(fake) });
const ask = (content: string) => ({ messages: [{ role: 'user' as const, content }] });

generatorContract('llama-cpp (stand-in)', async () => {
  const opened = await generator(createFakeLlama(HEADERS.chat, 60));
  return { generator: opened, close: () => opened.close() };
});
embedderContract('llama-cpp (stand-in)', () => embedder(), {
  near: ['How long is the railway line?', 'The railway is 42 km long.'],
  far: 'Butter melts in the pan.',
});
rerankerContract('llama-cpp (stand-in)', async () => ({ reranker: await reranker(), close: () => {} }), {
  query: 'How long is the line?',
  best: 'The line is 42 km long.',
  others: ['Bread is baked.', 'A rope'],
});

describe('a generator in process', () => {
  it('reads the header only, and loads the model once, with the first answer or before it', async () => {
    const fake = createFakeLlama(HEADERS.chat);
    const opened = await generator(fake);
    expect(opened).toMatchObject({
      model: 'model-Q4_K_M',
      contextTokens: 200,
      info: { quantization: 'Q4_K_M', size: '4B', family: 'qwen3' },
    });
    expect(fake.seen.loads).toBe(0);
    await Promise.all([opened.warm(), opened.warm()]);
    const { finish } = await collect(opened.generate(ask('a b c')));
    expect(fake.seen.loads).toBe(1);
    expect(finish).toMatchObject({ reason: 'stop', usage: { inputTokens: 3, outputTokens: 5, cachedTokens: 0 } });
    expect(finish.timings?.loadMs).toBeNull();
  });

  it('gives roles, sampling and what room is left', async () => {
    const fake = createFakeLlama(HEADERS.chat);
    const opened = await generator(fake, { contextTokens: 100, options: { topK: 20, temperature: 1 } });
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ] as const;
    await collect(opened.generate({ messages, temperature: 0 }));
    expect(fake.seen.options[0]).toMatchObject({
      history: [
        { type: 'system', text: 'Be brief.' },
        { type: 'user', text: 'one' },
        { type: 'model', response: ['two'] },
        { type: 'user', text: 'three' },
        { type: 'model', response: [] },
      ],
      topK: 20,
      temperature: 0,
      maxTokens: 100 - 5 - 2,
    });
    expect(fake.seen.options[0]).not.toHaveProperty('seed');
  });

  it('frees the model when it is closed, after what computes has ended', async () => {
    const fake = createFakeLlama(HEADERS.chat, 100_000);
    fake.metadata.qwen3 = { context_length: 1_000_000, embedding_length: 64 };
    const opened = await generator(fake, { contextTokens: 1_000_000 });
    let closing: Promise<void> | undefined;
    const read = async () => {
      for await (const _ of opened.generate(ask('a'))) closing ??= opened.close();
    };
    await expect(read()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await closing;
    expect(fake.seen).toMatchObject({ disposed: 1, running: 0 });
    await opened.close();
    expect(fake.seen.disposed).toBe(1);
  });

  it('is found by one line of configuration, and closed with the list it stands in', async () => {
    const other = {
      id: 'x',
      engine: 'x',
      model: 'y',
      async *generate() {},
      closed: 0,
      async close() {
        this.closed++;
      },
    };
    const list = await openGenerator([other, llamaCppOptions.parse({ type: 'llama-cpp', path: gguf })]);
    await list.close?.();
    expect(other.closed).toBe(1);
  });

  it('tells a failure to load, and tries again with the next answer', async () => {
    const fake = createFakeLlama(HEADERS.chat);
    fake.load = async () => {
      throw new Error('out of memory');
    };
    const opened = await generator(fake);
    await expect(collect(opened.generate(ask('a')))).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      retryable: false,
      message: expect.stringMatching(/model-Q4_K_M\.gguf: out of memory/),
    });
    fake.load = async () => {};
    expect((await collect(opened.generate(ask('a')))).text).not.toBe('');
  });
});

describe('configured in one line', () => {
  it('has the hits where it can’t answer, and says what is wrong', async () => {
    const path = join(folder, 'none.gguf');
    const rag = await openRag({ generator: { type: 'llama-cpp', path }, reranker: { type: 'llama-cpp', path } });
    await rag.ingest({ id: 'line', text: 'The railway is 42 km long.' });
    await expect(rag.generate('How long is the railway?', { rerank: false })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/generator\.path.*none\.gguf/),
      hits: [expect.objectContaining({ documentId: 'line' })],
    });
    await expect(rag.search('How long is the railway?')).rejects.toMatchObject({
      message: expect.stringMatching(/reranker\.path/),
    });
    await rag.close();
  });

  it('refuses an embedder that is not there at once', async () => {
    const pattern = (message: RegExp) => ({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
    const path = join(folder, 'none.gguf');
    await expect(openRag({ embedder: { type: 'llama-cpp', path } })).rejects.toMatchObject(pattern(/embedder\.path/));
    await expect(openRag({ embedder: { type: 'onnx', folder } })).rejects.toMatchObject(pattern(/embedder\.folder/));
    await expect(openRag({ embedder: { type: 'onnx', folder, treads: 1 } as never })).rejects.toMatchObject(pattern(/threads/)); // a misspelt one
  });
});

describe('an embedder in process', () => {
  it('has an id of the model and not of its name', async () => {
    const [first, renamed, changed] = await Promise.all([
      embedder(),
      embedder(undefined, { path: file('renamed.gguf') }),
      embedder(undefined, { path: file('changed.gguf', 'GGUF and something else') }),
    ]);
    expect(renamed.id).toBe(first.id);
    expect(changed.id).not.toBe(first.id);
    expect((await embedder(undefined, { queryPrefix: 'query: ' })).id).not.toBe(first.id);
  });

  it('splits a text that is longer than the model reads, and counts all of it', async () => {
    const opened = await embedder();
    const [both, railway, pan] = await opened.embed([`${'railway '.repeat(60)}${'pan '.repeat(60)}`, 'railway', 'pan']);
    expect(cosine(both, railway)).toBeGreaterThan(0.3);
    expect(cosine(both, pan)).toBeGreaterThan(0.3);
  });
});

describe('files that are no use in process', () => {
  const pattern = (message: RegExp) => ({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });

  it('says that there is no such file, or none that is a GGUF', async () => {
    const missing = join(folder, 'none.gguf');
    await expect(generator(undefined, { path: missing })).rejects.toMatchObject(pattern(/generator\.path.*none\.gguf.*ENOENT/));
    await expect(embedder(undefined, { path: folder })).rejects.toMatchObject(pattern(/embedder\.path.*EISDIR/));
    const text = file('text.gguf', 'PK a zip, really');
    await expect(reranker(undefined, { path: text })).rejects.toMatchObject(pattern(/reranker\.path.*not a GGUF/));
    await expect(reranker(undefined, { path: file('empty.gguf', '') })).rejects.toMatchObject(pattern(/not a GGUF/));
  });

  it('refuses a model in another one’s place', async () => {
    await expect(generator(createFakeLlama(HEADERS.embed))).rejects.toMatchObject(pattern(/embeds; one that writes text/));
    await expect(embedder(createFakeLlama(HEADERS.chat))).rejects.toMatchObject(pattern(/writes text; one that embeds/));
    await expect(reranker(createFakeLlama(HEADERS.embed))).rejects.toMatchObject(pattern(/embeds; one that ranks/));
    await expect(embedder(createFakeLlama(HEADERS.rank))).rejects.toMatchObject(pattern(/ranks; one that embeds/));
  });

  it('says how to get the package that is not installed', async () => {
    const options = llamaCppOptions.parse({ type: 'llama-cpp', path: gguf });
    await expect(openLlamaCppGenerator(options)).rejects.toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringMatching(/npm install node-llama-cpp@3\.22\.1/),
    });
  });
});
