import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { openOllamaEmbedder } from '../../../src/adapters/embedders/ollama.js';
import { openOpenAiEmbedder } from '../../../src/adapters/embedders/openai-compatible.js';
import { ollamaEmbedderOptions, openAiEmbedderOptions } from '../../../src/adapters/embedders/remote-options.js';
import { embedderContract } from '../../contracts/embedder-contract.js';
import { fixture, json, type RecordedOllama, type Reply, type SeenRequest, serveRecorded } from '../inference/recorded-ollama.js';
import { VLLM_KEY, vllm } from '../inference/vllm-stub.js';

const SAMPLES = { near: ['ropes for climbing', 'climbing ropes are long'], far: 'bread and butter' } as const;
const servers: RecordedOllama[] = [];

async function start(replyTo: (request: SeenRequest) => Reply): Promise<RecordedOllama> {
  const server = await serveRecorded(replyTo);
  servers.push(server);
  return server;
}
const closeAll = async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
};

const openAi = (server: RecordedOllama, options = {}) =>
  openOpenAiEmbedder(
    openAiEmbedderOptions.parse({ type: 'openai-compatible', url: server.url, apiKey: VLLM_KEY, model: 'embed', ...options }),
  );
const fromOllama = (server: RecordedOllama, options = {}) =>
  openOllamaEmbedder(ollamaEmbedderOptions.parse({ type: 'ollama', url: server.url, model: 'minilm', ...options }));

/** Ollama with an embedding model, which counts words as the stub of vLLM does. */
function ollama(request: SeenRequest): Reply {
  if (request.path === '/api/show') {
    const [name] = String(request.body.model).split(':');
    return name === 'minilm' || name === 'smollm2'
      ? json(fixture(`show-${name}.json`))
      : json({ error: `model '${name}' not found` }, 404);
  }
  if (request.path !== '/api/embed') return json({ error: 'not found' }, 404);
  const asked = {
    ...request,
    path: '/v1/embeddings',
    body: { ...request.body, model: 'embed' },
    headers: { authorization: `Bearer ${VLLM_KEY}` },
  };
  const reply = vllm(asked);
  if (reply.status !== 200) return json({ error: 'the input length exceeds the context length' }, 400);
  const { data } = JSON.parse(String(reply.body[0])) as { data: { index: number; embedding: number[] }[] }; // the stub's
  return json({ embeddings: data.sort((left, right) => left.index - right.index).map(({ embedding }) => embedding) });
}

for (const encoding of ['base64', 'float'] as const) {
  embedderContract(
    `a server with vLLM's interface (${encoding})`,
    async () => openAi(await start(vllm), { encoding }),
    SAMPLES,
    closeAll,
  );
}
embedderContract('ollama, recorded', async () => fromOllama(await start(ollama)), SAMPLES, closeAll);

describe('an embedder on a server', () => {
  afterEach(closeAll);

  it('sends 64 texts that are asked for at once in one call', async () => {
    const server = await start(vllm);
    const embedder = await openAi(server);
    const vectors = await Promise.all(Array.from({ length: 64 }, (_, index) => embedder.embed([`text ${index}`])));
    expect(vectors).toHaveLength(64);
    expect(server.seen.map(({ body }) => (body.input as string[]).length)).toEqual([1, 64]);
  });

  it('asks nothing before the first text when told the dimensions', async () => {
    const server = await start(vllm);
    const embedder = await openAi(server, { dimensions: 16 });
    expect(server.seen).toHaveLength(0);
    expect((await embedder.embed(['x']))[0]).toHaveLength(16);
  });

  it('puts prefixes before texts, and into its id', async () => {
    const server = await start(vllm);
    const embedder = await openAi(server, { dimensions: 16, queryPrefix: 'query: ', documentPrefix: 'passage: ' });
    await embedder.embed(['x'], { role: 'query' });
    await embedder.embed(['y']);
    expect(server.seen.map(({ body }) => body.input)).toEqual([['query: x'], ['passage: y']]);
    expect(embedder.id).not.toBe((await openAi(server, { dimensions: 16 })).id);
  });

  it.each([
    ['openai-compatible', vllm, openAi],
    ['ollama', ollama, fromOllama],
  ] as const)('gives all of a text to %s that is longer than the model reads', async (_, replyTo, open) => {
    const embedder = await open(await start(replyTo));
    const long = `${'bread and butter '.repeat(300)}${'ropes for climbing '.repeat(300)}`;
    const [before, vector, after] = await embedder.embed(['short', long, 'short']);
    const [bread, ropes] = await embedder.embed(['bread and butter', 'ropes for climbing']);
    expect(before).toEqual(after);
    // Both halves count: cut off at 512 words, ropes would have left no trace.
    for (const part of [bread, ropes]) expect(cosine(vector, part)).toBeGreaterThan(0.5);
  });

  it('splits here for a server that would cut without a word', async () => {
    const server = await start(vllm);
    const embedder = await openAi(server, { dimensions: 16, maxInputTokens: 64 });
    await embedder.embed(['many words follow here '.repeat(20)]);
    const texts = server.seen[0]?.body.input as string[];
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join('')).toBe('many words follow here '.repeat(20));
  });

  it('refuses a chat model', async () => {
    await expect(fromOllama(await start(ollama), { model: 'smollm2' })).rejects.toMatchObject({
      message: expect.stringMatching(/chats and does not embed/),
      retryable: false,
    });
    await expect(openAi(await start(vllm), { model: 'chat' })).rejects.toMatchObject({
      message: expect.stringMatching(/does not support Embeddings/),
      retryable: false,
    });
  });

  it('names the quantisation in the id of an Ollama model', async () => {
    expect((await fromOllama(await start(ollama))).id).toMatch(/^ollama\/minilm:latest@F16$/);
  });

  it.each<[string, unknown, RegExp]>([
    ['too few vectors', { data: [{ index: 0, embedding: [1, 2] }] }, /no vector for text 2/],
    ['one for a text that it was not given', { data: [{ index: 5, embedding: [1] }] }, /not given/],
    ['one of something else', { data: [{ embedding: ['a'] }, { embedding: null }] }, /no vector for text 1/],
    ['an empty one', { data: [{ embedding: [] }, { embedding: [] }] }, /is this an embedding model/],
    ['half a number', { data: [{ embedding: 'AAAA' }, { embedding: 'AAA=' }] }, /no vector/],
    ['no list', { embeddings: 1 }, /no vector/],
  ])('refuses %s', async (_, reply, message) => {
    const embedder = await openAi(await start(() => json(reply)), { dimensions: 2, retries: 0 });
    await expect(embedder.embed(['a', 'b'])).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringMatching(message),
    });
  });

  it('tries again what may pass', async () => {
    let calls = 0;
    const server = await start((request) =>
      calls++ === 0 ? { ...json({ error: 'busy' }, 503), headers: { 'retry-after': '0' } } : vllm(request),
    );
    expect(await (await openAi(server, { dimensions: 16 })).embed(['x'])).toHaveLength(1);
    expect(calls).toBe(2);
  });

  it('gives up on a silent server, and hangs up when its caller leaves', async () => {
    const server = await start(() => ({ body: [], after: 'hang' }));
    const embedder = await openAi(server, { dimensions: 2, timeoutMs: 30, retries: 0 });
    await expect(embedder.embed(['x'])).rejects.toMatchObject({ code: 'TIMEOUT' });
    const patient = await openAi(server, { dimensions: 2 });
    const controller = new AbortController();
    const asked = patient.embed(['x'], { signal: controller.signal });
    while (server.seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
    await server.seen[1]?.hungUp;
  });

  it('reads vectors as the package `openai` does', async () => {
    const server = await start(vllm);
    const [own] = await (await openAi(server)).embed(['ropes for climbing']);
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: VLLM_KEY, maxRetries: 0 });
    const theirs = await client.embeddings.create({ model: 'embed', input: ['ropes for climbing'] });
    expect([...(own ?? [])]).toEqual(theirs.data[0]?.embedding);
  });
});

function cosine(left: Float32Array | undefined, right: Float32Array | undefined): number {
  let [dot, lefts, rights] = [0, 0, 0];
  for (const [index, value] of (left ?? []).entries()) {
    const other = right?.[index] ?? 0;
    dot += value * other;
    lefts += value * value;
    rights += other * other;
  }
  return dot / Math.sqrt(lefts * rights);
}
