import type { Reranker } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { abortable, batches } from '../../core/flow.js';
import { openGguf } from '../inference/llama-cpp-file.js';
import { type HeldModel, holdModel } from '../inference/llama-cpp-model.js';
import type { LlamaCppModule, LlamaRankingContext } from '../inference/llama-cpp-module.js';
import { createSlots } from '../inference/slots.js';
import type { LlamaCppRerankerOptions } from './in-process-options.js';

/** Texts between two looks for an abort. */
const BATCH = 4;
const MAX_WAITING = 1024;
/** A model made for more reads no more at once: its memory grows with the square. */
const MOST_TOKENS = 8192;

/**
 * A reranker that runs a GGUF file (a cross-encoder) in this process. A text longer than the model reads counts as its best part. Scores are
 * probabilities: only their order means something.
 * @throws RagError CONFIG_INVALID (no such file, not a GGUF, not a reranker) · DEPENDENCY_MISSING
 */
export async function openLlamaCppReranker(
  options: Omit<LlamaCppRerankerOptions, 'type'> & { readonly load?: (() => Promise<LlamaCppModule>) | undefined },
): Promise<Reranker> {
  const file = await openGguf({ path: options.path, role: 'rank', part: 'reranker', load: options.load });
  const contextSize = Math.min(file.contextTokens, MOST_TOKENS);
  let computing: Promise<unknown> = Promise.resolve();
  const held: HeldModel<LlamaRankingContext> = holdModel({
    ...options,
    module: file.module,
    prepare: (model, threads) => model.createRankingContext({ contextSize, batchSize: contextSize, threads }),
    settled: () => computing,
  });
  const slots = createSlots({ engine: 'llama-cpp reranker', concurrency: 1, maxWaiting: MAX_WAITING });

  return {
    id: `llama-cpp/${file.info.family ?? 'gguf'}@${file.digest}`,
    async rerank(query, texts, { signal = new AbortController().signal } = {}) {
      signal.throwIfAborted();
      if (texts.length === 0) return [];
      const release = await slots.acquire(signal);
      try {
        const { value: context } = await held.ready({ signal });
        const scores: number[] = [];
        for (const some of batches(texts, BATCH)) {
          signal.throwIfAborted();
          const work = context.rankAll(query, [...some], { onOverflow: 'maxChunk' });
          computing = work.catch(() => {});
          scores.push(...(await abortable(work, signal)));
        }
        return scores;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof RagError) throw error;
        throw new RagError('UPSTREAM_FAILED', `llama-cpp reranker: ${messageOf(error)}`, {
          adapter: 'llama-cpp',
          cause: error,
          retryable: false,
        });
      } finally {
        release();
      }
    },
    close: () => held.close(),
  };
}
