import type { CallOptions, Embedder } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import type { OnnxEmbedderOptions } from './onnx-options.js';
import { type OnnxThreadOptions, openOnnxThread } from './onnx-thread.js';
import { createPrefixedEmbedder } from './prefixed.js';

/** Texts of one message to the thread: what an abort has to wait for at most, and leaves behind. */
const MAX_BATCH = 32;

/**
 * An embedder in ONNX form, in a thread of this process. Embeds one text at once, which loads the model and tells its dimensions.
 * @throws RagError CONFIG_INVALID (folder, tokenizer, a model that doesn't embed) · DEPENDENCY_MISSING · `signal.reason` once aborted
 */
export async function openOnnxEmbedder(
  options: Omit<OnnxEmbedderOptions, 'type'> & Pick<OnnxThreadOptions, 'packages' | 'script'>,
  call: CallOptions = {},
): Promise<Embedder> {
  const { pooling, maxTokens } = options;
  const thread = await openOnnxThread(options, 'embedder');

  async function embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const answer = await thread.run({ kind: 'embed', texts, pooling }, { signal });
    if (!('vectors' in answer))
      throw new RagError('UPSTREAM_FAILED', 'onnx: the thread answered something else', { adapter: 'onnx' });
    return answer.vectors;
  }

  try {
    const [first] = await embed(['dimensions'], call.signal);
    return createPrefixedEmbedder({
      ...options,
      id: `onnx/${pooling}${maxTokens === undefined ? '' : `/${maxTokens}`}@${thread.digest}`,
      dimensions: first?.length ?? 0,
      maxBatch: MAX_BATCH,
      embed,
      close: () => thread.close(),
    });
  } catch (error) {
    await thread.close();
    throw error;
  }
}
