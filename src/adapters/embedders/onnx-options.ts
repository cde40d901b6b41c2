import * as z from 'zod';
import { embedderText } from './remote-options.js';

/** What every model in ONNX form has. */
export const onnxModel = {
  folder: z
    .string()
    .min(1)
    .describe('Folder of the model: `model.onnx` and `tokenizer.json` (WordPiece, uncased), `config.json` where there is one.'),
  threads: z.int().min(1).max(512).default(1).describe('Threads that compute, beside the event loop in any case.'),
  maxTokens: z
    .int()
    .min(16)
    .max(8192)
    .optional()
    .describe('Tokens that the model reads at once. Without it: what `config.json` tells, else 512.'),
};

/** Options of an embedder in ONNX form. */
export const onnxEmbedderOptions = z
  .strictObject({
    type: z.literal('onnx'),
    ...onnxModel,
    pooling: z
      .enum(['mean', 'cls'])
      .default('mean')
      .describe('How the vectors of a text’s tokens become one: see the model’s card. Fixed when a collection is made.'),
    ...embedderText,
  })
  .describe(
    'An embedding model in ONNX form, run in a thread of this process by `onnxruntime-node` or `onnxruntime-web`, which you install.',
  );

export type OnnxEmbedderOptions = z.output<typeof onnxEmbedderOptions>;
