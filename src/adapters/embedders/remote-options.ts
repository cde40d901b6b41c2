import * as z from 'zod';
import { ollamaUrl } from '../inference/ollama-options.js';
import { openAiConnection } from '../inference/openai-options.js';

/** What every embedder with a model of the user's has. */
export const embedderText = {
  queryPrefix: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Put before each query, where the model was trained so, such as `search_query: `; fixed when a collection is made.',
    ),
  documentPrefix: z
    .string()
    .min(1)
    .optional()
    .describe('Put before each text of a document, such as `search_document: `; fixed when a collection is made.'),
  hybridWeight: z.number().min(0).max(1).optional().describe('Weight of the vectors in hybrid search, 0 to 1; 0.4 without it.'),
};

/** What every embedder on a server has. */
const common = {
  ...embedderText,
  maxBatch: z.int().min(1).max(2048).default(64).describe('Most texts in one call.'),
  batchWaitMs: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe('Milliseconds to wait for more texts before a call; with 0, those asked for at the same moment share one.'),
  concurrency: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('Calls to the server at a time; texts wait meanwhile and share the next one.'),
  retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed.'),
  timeoutMs: z
    .int()
    .min(1)
    .max(3_600_000)
    .default(60_000)
    .describe('Milliseconds to wait for the vectors of a call, loading the model included.'),
};

/** Options of an embedder on an Ollama server. */
export const ollamaEmbedderOptions = z
  .strictObject({
    type: z.literal('ollama'),
    url: ollamaUrl,
    apiKey: z.string().min(1).optional().meta({ secret: true }).describe('Bearer token, where a proxy asks for one.'),
    model: z.string().min(1).describe('Name of an embedding model that was pulled, such as `all-minilm`.'),
    keepAlive: z
      .union([z.string().min(1), z.int()])
      .optional()
      .describe('How long the server keeps the model loaded after a call: seconds, or a time such as `10m`; -1 = always.'),
    ...common,
  })
  .describe('An embedding model on an Ollama server.');

/** Options of an embedder on a server with OpenAI's interface. */
export const openAiEmbedderOptions = z
  .strictObject({
    type: z.literal('openai-compatible'),
    ...openAiConnection,
    model: z.string().min(1).describe('Name of the embedding model as the server lists it.'),
    dimensions: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe('Numbers in a vector. Without it, the server is asked when the store is opened.'),
    maxInputTokens: z
      .int()
      .min(32)
      .optional()
      .describe('Tokens that the model reads, for servers that cut longer texts without a word: these are split here.'),
    encoding: z
      .enum(['base64', 'float'])
      .default('base64')
      .describe('How vectors travel; every server reads `float`, `base64` is faster.'),
    ...common,
  })
  .describe('An embedding model on a server with OpenAI’s interface: vLLM, llama-server and others.');

export type OllamaEmbedderOptions = z.output<typeof ollamaEmbedderOptions>;
export type OpenAiEmbedderOptions = z.output<typeof openAiEmbedderOptions>;
export type RemoteEmbedderOptions = Pick<
  OllamaEmbedderOptions,
  'queryPrefix' | 'documentPrefix' | 'hybridWeight' | 'maxBatch' | 'batchWaitMs' | 'concurrency' | 'retries' | 'timeoutMs'
>;
