import * as z from 'zod';
import { openAiConnection } from '../inference/openai-options.js';

/** Options of a reranking model on a server. */
export const openAiRerankerOptions = z
  .strictObject({
    type: z.literal('openai-compatible'),
    ...openAiConnection,
    model: z.string().min(1).describe('Name of the reranking model as the server lists it.'),
    api: z
      .enum(['rerank', 'score'])
      .default('rerank')
      .describe('Which call ranks: `rerank` (vLLM, llama-server and others), or `score` (vLLM).'),
    timeoutMs: z.int().min(1).max(3_600_000).default(30_000).describe('Milliseconds to wait for the order.'),
    concurrency: z.int().min(1).max(256).default(4).describe('Calls to the server at a time; others wait.'),
    retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed.'),
  })
  .describe('A reranking model (cross-encoder) on a server: vLLM, llama-server and others.');

/** Options of reranking by the model that also writes the answers. */
export const generatorRerankerOptions = z
  .strictObject({
    type: z.literal('generator'),
    maxChars: z
      .int()
      .min(200)
      .max(20_000)
      .default(1_200)
      .describe('Characters of each hit that the model reads; the rest of a longer one is left out, with a mark.'),
  })
  .describe('The configured `generator` puts the hits in order: no second model is needed, but each search waits for it.');

export type OpenAiRerankerOptions = z.output<typeof openAiRerankerOptions>;
export type GeneratorRerankerOptions = z.output<typeof generatorRerankerOptions>;
