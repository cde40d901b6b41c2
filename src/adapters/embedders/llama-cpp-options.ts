import * as z from 'zod';
import { llamaCppModel } from '../inference/llama-cpp-options.js';
import { embedderText } from './remote-options.js';

/** Options of an embedder in process from a GGUF file. */
export const llamaCppEmbedderOptions = z
  .strictObject({ type: z.literal('llama-cpp'), ...llamaCppModel, ...embedderText })
  .describe('An embedding model as a GGUF file, run in this process by `node-llama-cpp`, which you install.');

export type LlamaCppEmbedderOptions = z.output<typeof llamaCppEmbedderOptions>;
