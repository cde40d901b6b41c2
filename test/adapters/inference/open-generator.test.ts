import { afterEach, describe, expect, it } from 'vitest';
import { openGenerator } from '../../../src/adapters/inference/index.js';
import { ollamaAddress } from '../../../src/adapters/inference/ollama-client.js';
import { detectOllama } from '../../../src/adapters/inference/ollama-models.js';
import { ollamaOptions } from '../../../src/adapters/inference/ollama-options.js';
import type { TextGenerator } from '../../../src/core/contracts.js';
import { fixture, healthy, json, type RecordedOllama, type Reply, type SeenRequest, serveRecorded } from './recorded-ollama.js';

const servers: RecordedOllama[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(replyTo: (request: SeenRequest) => Reply = healthy): Promise<RecordedOllama> {
  const server = await serveRecorded(replyTo);
  servers.push(server);
  return server;
}

/** An address where nobody listens any more. */
async function deadUrl(): Promise<string> {
  const server = await serveRecorded(healthy);
  await server.close();
  return server.url;
}

const withTags = (tags: string) => (request: SeenRequest) =>
  request.path === '/api/tags' ? json(fixture(tags)) : healthy(request);
const engine = (options: Record<string, unknown>) => ollamaOptions.parse({ type: 'ollama', ...options });

describe('with nothing configured', () => {
  it('takes a local Ollama: the last pulled model that chats, neither cloud nor embedder, with the context it is made for', async () => {
    const server = await start();
    const generator = await openGenerator(undefined, { ollamaHost: server.url, detectTimeoutMs: 10_000 });
    expect(generator).toMatchObject({ engine: 'ollama', model: 'smollm2:latest', contextTokens: 2048 });
  });

  it('is NO_ENGINE, with what to do, where no Ollama answers', async () => {
    const url = await deadUrl();
    await expect(openGenerator([], { ollamaHost: url })).rejects.toMatchObject({
      code: 'NO_ENGINE',
      message: expect.stringContaining(url),
      hint: expect.stringMatching(/ollama pull/),
    });
  });

  it.each(['tags-empty.json', 'tags-embedding-only.json'])('is NO_ENGINE where no model chats (%s)', async (tags) => {
    const server = await start(withTags(tags));
    await expect(openGenerator(undefined, { ollamaHost: server.url, detectTimeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'NO_ENGINE',
      message: expect.stringMatching(/ollama pull/),
    });
  });

  it('does not wait long for a server that is silent', async () => {
    const server = await start(() => ({ body: [], after: 'hang' }));
    await expect(openGenerator(undefined, { ollamaHost: server.url, detectTimeoutMs: 30 })).rejects.toMatchObject({
      code: 'NO_ENGINE',
    });
    await server.seen[0]?.hungUp;
  });

  it('rejects with the reason of an abort', async () => {
    const reason = new Error('gone');
    const controller = new AbortController();
    const server = await start(() => {
      controller.abort(reason);
      return { body: [], after: 'hang' };
    });
    await expect(openGenerator(undefined, { ollamaHost: server.url }, { signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('with an Ollama configured', () => {
  it('asks the server about the model once, and sends the key', async () => {
    const server = await start();
    const generator = await openGenerator([engine({ url: server.url, model: 'qwen3:4b', apiKey: 'k-1' })]);
    expect(generator).toMatchObject({ model: 'qwen3:4b', contextTokens: 8192 });
    expect(server.seen.map(({ path, headers }) => [path, headers.authorization])).toEqual([['/api/show', 'Bearer k-1']]);
  });

  it('never asks for more context than the model was made for', async () => {
    const server = await start();
    const generator = await openGenerator([engine({ url: server.url, model: 'qwen3:4b', options: { num_ctx: 131_072 } })]);
    expect(generator.contextTokens).toBe(40_960);
  });

  it('chooses an installed model where none is named', async () => {
    const server = await start();
    expect(await openGenerator([engine({ url: server.url })])).toMatchObject({ model: 'smollm2:latest' });
  });

  it('says how to get a model that is not installed', async () => {
    const server = await start();
    await expect(openGenerator([engine({ url: server.url, model: 'mistral' })])).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      retryable: false,
      message: expect.stringMatching(/'mistral' not found.*ollama pull/),
    });
  });

  it('refuses a model that only embeds', async () => {
    const server = await start();
    await expect(openGenerator([engine({ url: server.url, model: 'minilm' })])).rejects.toMatchObject({
      message: expect.stringMatching(/can't chat/),
    });
  });

  it('goes down a list to the first that opens, and tells of all when none does', async () => {
    const [dead, server] = [await deadUrl(), await start()];
    const down = engine({ url: dead, model: 'qwen3:4b' });
    expect(await openGenerator([down, engine({ url: server.url, model: 'smollm2' })])).toMatchObject({ model: 'smollm2' });
    await expect(openGenerator([down, engine({ url: server.url, model: 'mistral' })])).rejects.toMatchObject({
      code: 'NO_ENGINE',
      retryable: true,
      message: expect.stringMatching(/ECONNREFUSED.*mistral/),
    });
  });

  it('takes a generator of the user’s own as it is', async () => {
    const own: TextGenerator = { id: 'own', engine: 'own', model: 'none', generate: async function* () {} };
    expect(await openGenerator([own])).toBe(own);
  });
});

describe('an opened Ollama', () => {
  it('tells size and quantisation of the model, and loads it without writing', async () => {
    const server = await start((request) =>
      request.path === '/api/chat' ? json({ model: 'smollm2', done: true, done_reason: 'load' }) : healthy(request),
    );
    const generator = await openGenerator([engine({ url: server.url, model: 'smollm2', keepAlive: -1 })]);
    expect(generator.info).toMatchObject({ quantization: expect.any(String), size: expect.any(String) });
    await generator.warm?.();
    expect(server.seen.at(-1)).toMatchObject({
      path: '/api/chat',
      body: { model: 'smollm2', messages: [], stream: false, keep_alive: -1, options: { num_ctx: generator.contextTokens } },
    });
  });
});

describe('detectOllama', () => {
  it('goes by the family where a server tells no capabilities', async () => {
    const server = await start((request) =>
      request.path === '/api/show' ? json({ details: {}, model_info: {} }) : healthy(request),
    );
    expect(await detectOllama({ url: server.url, timeoutMs: 10_000 })).toEqual({ found: 'model', model: 'smollm2:latest' });
  });
});

describe('ollamaAddress', () => {
  it.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    [':8080', 'http://127.0.0.1:8080'],
    ['localhost', 'http://localhost:11434'],
    ['gpu.lan:80', 'http://gpu.lan'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['[::]:9000', 'http://[::1]:9000'],
    ['https://ollama.example/api-root/', 'https://ollama.example/api-root'],
    ['http://host', 'http://host'],
  ])('reads %s as Ollama itself does', (text, url) => {
    expect(ollamaAddress({ url: text }).url).toBe(url);
  });

  it.each(['http://', 'ftp://host', 'http://host:99999'])('refuses %s', (url) => {
    expect(() => ollamaAddress({ url })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('ollamaOptions', () => {
  it.each([{ options: { num_ctxx: 1 } }, { options: { num_ctx: 1.5 } }, { options: { num_ctx: true } }, { modle: 'x' }])(
    'refuses %j',
    (options) => {
      expect(ollamaOptions.safeParse({ type: 'ollama', ...options }).success).toBe(false);
    },
  );
});
