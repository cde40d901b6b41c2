import * as z from 'zod';

/** Ollama's own parameters. It ignores names that it doesn't know, so a misspelt one is refused here. */
const PARAMETERS = [
  'num_ctx',
  'num_predict',
  'num_keep',
  'num_batch',
  'num_gpu',
  'num_thread',
  'main_gpu',
  'use_mmap',
  'seed',
  'stop',
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'repeat_penalty',
  'presence_penalty',
  'frequency_penalty',
] as const;

/** Where an Ollama server is. */
export const ollamaUrl = z
  .string()
  .min(1)
  .optional()
  .describe('Address of the server. Without one: the environment’s `OLLAMA_HOST`, else `http://127.0.0.1:11434`.');

/** Options of a generator on an Ollama server. */
export const ollamaOptions = z
  .strictObject({
    type: z.literal('ollama'),
    url: ollamaUrl,
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Name of a model that was pulled. Without one: of the installed models that write text on this machine, the one pulled last.',
      ),
    apiKey: z
      .string()
      .min(1)
      .optional()
      .meta({ secret: true })
      .describe('Bearer token, where a proxy or Ollama’s cloud asks for one.'),
    keepAlive: z
      .union([z.string().min(1), z.int()])
      .optional()
      .describe('How long the server keeps the model loaded after a call: seconds, or a time such as `10m`; -1 = always.'),
    think: z
      .union([z.boolean(), z.enum(['low', 'medium', 'high'])])
      .default(false)
      .describe('Let a thinking model think first: better on hard questions, but the first text comes seconds later.'),
    options: z
      .partialRecord(z.enum(PARAMETERS), z.union([z.number(), z.boolean(), z.array(z.string())]))
      .refine(({ num_ctx: size }) => size === undefined || (Number.isInteger(size) && Number(size) >= 512), {
        path: ['num_ctx'],
        message: 'must be a whole number of tokens, 512 or more',
      })
      .optional()
      .describe('Ollama’s own model parameters, such as `{ "num_ctx": 16384 }`.'),
    timeoutMs: z
      .int()
      .min(1)
      .max(3_600_000)
      .default(120_000)
      .describe('Milliseconds to wait for the first word of the model, loading it included.'),
    stallMs: z.int().min(1).max(3_600_000).default(30_000).describe('Milliseconds to wait for each next word.'),
    concurrency: z.int().min(1).max(1024).default(4).describe('Calls to the server at a time; others wait.'),
    retries: z.int().min(0).max(10).default(2).describe('Further tries of a call that failed before its first word.'),
  })
  .describe('A model on an Ollama server.');

export type OllamaOptions = z.output<typeof ollamaOptions>;
