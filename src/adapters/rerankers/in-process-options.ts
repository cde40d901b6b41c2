import * as z from 'zod';
import { onnxModel } from '../embedders/onnx-options.js';
import { llamaCppModel } from '../inference/llama-cpp-options.js';

/** Options of a reranker in process from a GGUF file. */
export const llamaCppRerankerOptions = z
  .strictObject({ type: z.literal('llama-cpp'), ...llamaCppModel })
  .describe('A reranking model (cross-encoder) as a GGUF file, run in this process by `node-llama-cpp`, which you install.');

/** Options of a cross-encoder in ONNX form. */
export const onnxRerankerOptions = z
  .strictObject({ type: z.literal('onnx'), ...onnxModel })
  .describe(
    'A cross-encoder in ONNX form, run in a thread of this process by `onnxruntime-node` or `onnxruntime-web`, which you install.',
  );

export type LlamaCppRerankerOptions = z.output<typeof llamaCppRerankerOptions>;
export type OnnxRerankerOptions = z.output<typeof onnxRerankerOptions>;
