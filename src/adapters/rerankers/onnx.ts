import type { Reranker } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { type OnnxThreadOptions, openOnnxThread } from '../embedders/onnx-thread.js';
import type { OnnxRerankerOptions } from './in-process-options.js';

/**
 * A cross-encoder in ONNX form, in a thread of this process; loaded at the first call. A text longer than the model reads counts as its best
 * part. The scores are the model's logits: only their order means something.
 * @throws RagError CONFIG_INVALID when the folder holds no model
 */
export async function openOnnxReranker(
  options: Omit<OnnxRerankerOptions, 'type'> & Pick<OnnxThreadOptions, 'packages' | 'script'>,
): Promise<Reranker> {
  const thread = await openOnnxThread(options, 'reranker');
  return {
    id: `onnx@${thread.digest}`,
    async rerank(query, texts, { signal } = {}) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const answer = await thread.run({ kind: 'rank', query, texts }, { signal });
      if (!('scores' in answer))
        throw new RagError('UPSTREAM_FAILED', 'onnx: the thread answered something else', { adapter: 'onnx' });
      return answer.scores;
    },
    close: () => thread.close(),
  };
}
