import * as z from 'zod';

/** What everything has that runs a GGUF file in process. */
export const llamaCppModel = {
  path: z.string().min(1).describe('The model: a GGUF file.'),
  threads: z
    .int()
    .min(1)
    .max(512)
    .optional()
    .describe('Threads that compute. Without it: half of the processor’s, because on busy cores they wait for each other.'),
  gpu: z.boolean().default(true).describe('Compute on a GPU where the package has support for it and finds one.'),
};

/** Options of a generator in process. */
export const llamaCppOptions = z
  .strictObject({
    type: z.literal('llama-cpp'),
    ...llamaCppModel,
    contextTokens: z
      .int()
      .min(64)
      .max(1_048_576)
      .optional()
      .describe(
        'Tokens of prompt and answer together, for each answer at a time. Without it: what the model was made for, 8192 at most.',
      ),
    concurrency: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('Answers written at a time, each with a context of its own in memory; others wait.'),
    think: z.boolean().default(false).describe('Let a thinking model think first, where its template knows `enable_thinking`.'),
    options: z
      .strictObject({
        temperature: z.number().min(0).max(10).optional().describe('0 = always the likeliest token.'),
        topK: z.int().min(0).optional().describe('Only the K likeliest tokens; 0 = all.'),
        topP: z.number().min(0).max(1).optional().describe('Only the likeliest tokens that together have this probability.'),
        minP: z.number().min(0).max(1).optional().describe('No token less likely than this share of the likeliest one.'),
        seed: z.int().min(0).optional().describe('The same one gives the same text again.'),
      })
      .prefault({})
      .describe('How tokens are chosen; `temperature` of a call goes over it.'),
  })
  .describe('A GGUF file, run in this process by `node-llama-cpp`, which you install.');

export type LlamaCppOptions = z.output<typeof llamaCppOptions>;
export type LlamaCppModelOptions = Pick<LlamaCppOptions, 'path' | 'threads' | 'gpu'>;
