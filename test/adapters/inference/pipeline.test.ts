import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRag } from '../../../src/sdk/index.js';
import { type RecordedOllama, serveRecorded } from './recorded-ollama.js';
import { VLLM_KEY, vllm } from './vllm-stub.js';

describe('hotrag on a server with vLLM’s interface', () => {
  let server: RecordedOllama;
  let down: RecordedOllama;
  beforeAll(async () => {
    [server, down] = [await serveRecorded(vllm), await serveRecorded(vllm)];
    await down.close();
  });
  afterAll(() => server.close());

  const part = (model: string, { url }: RecordedOllama = server) =>
    ({ type: 'openai-compatible', url, apiKey: VLLM_KEY, model }) as const;

  it('embeds, reranks and answers, from configuration alone', async () => {
    const rag = await openRag({
      embedder: part('embed'),
      reranker: part('rank'),
      generator: [{ ...part('chat', down), retries: 0 }, part('chat')],
    });
    try {
      await rag.ingest([
        { id: 'bread', text: 'Bread is baked in an oven. The line of buns is long.' },
        { id: 'line', text: 'How long is the line? The line is 42 km long.' },
        { id: 'rope', text: 'Ropes are sixty metres.' },
      ]);
      await rag.warm();
      const { hits } = await rag.search('how long is the line', { topK: 2 });
      expect(hits.map(({ documentId }) => documentId)).toEqual(['line', 'bread']);
      const answer = await rag.generate('how long is the line', { topK: 2 });
      expect(answer).toMatchObject({
        text: 'The line is 42 km long [1]. Straße 北京 🚄',
        engine: 'openai-compatible',
        model: 'chat',
        sources: [
          { documentId: 'line', cited: true },
          { documentId: 'bread', cited: false },
        ],
        metrics: {
          ttftMs: 41.5,
          tpotMs: 12,
          inputTokens: 61,
          cachedTokens: 48,
          outputTokens: 12,
          loadMs: null,
          source: 'engine',
        },
      });
    } finally {
      await rag.close();
    }
    expect(new Set(server.seen.map(({ path }) => path))).toEqual(
      new Set(['/v1/embeddings', '/v1/models', '/v1/chat/completions', '/v1/rerank']),
    );
  });

  it('carries the hits in the error when no engine answers, and never its key', async () => {
    const rag = await openRag({ generator: { ...part('chat', down), retries: 0 } });
    try {
      await rag.ingest({ id: 'line', text: 'The line is 42 km long.' });
      const failure: unknown = await rag.generate('how long is the line').catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'CONNECTION_FAILED', hits: [{ documentId: 'line' }] });
      expect(String(failure)).not.toContain(VLLM_KEY);
    } finally {
      await rag.close();
    }
  });

  it('is refused as an embedder when its model chats, or its options are wrong', async () => {
    await expect(openRag({ embedder: part('chat') })).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    await expect(openRag({ embedder: { ...part('embed'), dimensions: 0 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
