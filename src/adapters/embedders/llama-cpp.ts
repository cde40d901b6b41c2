import type { Embedder } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { openGguf } from '../inference/llama-cpp-file.js';
import { holdModel } from '../inference/llama-cpp-model.js';
import type { LlamaCppModule, LlamaEmbeddingContext } from '../inference/llama-cpp-module.js';
import { createSlots } from '../inference/slots.js';
import type { LlamaCppEmbedderOptions } from './llama-cpp-options.js';
import { meanOf, partsOf } from './long-texts.js';
import { createPrefixedEmbedder } from './prefixed.js';

/** Texts of one call; it looks for an abort after each. */
const MAX_BATCH = 32;
const MAX_WAITING = 1024;
/** A model made for more reads no more at once: its memory grows with the square. */
const MOST_TOKENS = 8192;
/** Longer texts are split without counting their tokens first, which would hold the event loop. UTF-16 units. */
const LONGEST_COUNTED = 16_384;

/**
 * An embedder that runs a GGUF file in this process. Its header is read at once, the model is loaded at the first text. A text longer than
 * the model reads is split, and its vector is the mean of its parts'.
 * @throws RagError CONFIG_INVALID (no such file, not a GGUF, not an embedder) · DEPENDENCY_MISSING
 */
export async function openLlamaCppEmbedder(
  options: Omit<LlamaCppEmbedderOptions, 'type'> & { readonly load?: (() => Promise<LlamaCppModule>) | undefined },
): Promise<Embedder> {
  const file = await openGguf({ path: options.path, role: 'embed', part: 'embedder', load: options.load });
  const contextSize = Math.min(file.contextTokens, MOST_TOKENS);
  let computing: Promise<unknown> = Promise.resolve();
  const held = holdModel({
    ...options,
    module: file.module,
    prepare: (model, threads) => model.createEmbeddingContext({ contextSize, batchSize: contextSize, threads }),
    settled: () => computing,
  });
  const slots = createSlots({ engine: 'llama-cpp embedder', concurrency: 1, maxWaiting: MAX_WAITING });

  async function vectorOf(text: string, context: LlamaEmbeddingContext, signal: AbortSignal): Promise<Float32Array> {
    const fits = (part: string) => part.length <= LONGEST_COUNTED && context.calculateInputLength(part) <= contextSize;
    const parts = partsOf(text, fits);
    const vectors: Float32Array[] = [];
    for (const part of parts) {
      signal.throwIfAborted();
      const work = context.getEmbeddingFor(part);
      computing = work.catch(() => {});
      vectors.push(Float32Array.from((await abortable(work, signal)).vector));
    }
    return meanOf(vectors, parts);
  }

  return createPrefixedEmbedder({
    ...options,
    id: `llama-cpp/${(file.info.family ?? 'gguf').replace(/\s/g, '-')}@${file.digest}`,
    dimensions: file.dimensions,
    maxBatch: MAX_BATCH,
    async embed(texts, signal = new AbortController().signal) {
      const release = await slots.acquire(signal);
      try {
        const { value: context } = await held.ready({ signal });
        const vectors: Float32Array[] = [];
        for (const text of texts) vectors.push(await vectorOf(text, context, signal));
        return vectors;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof RagError) throw error;
        throw new RagError('UPSTREAM_FAILED', `llama-cpp embedder: ${messageOf(error)}`, { adapter: 'llama-cpp', cause: error });
      } finally {
        release();
      }
    },
    close: () => held.close(),
  });
}
