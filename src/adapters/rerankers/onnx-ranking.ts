import { RagError } from '../../core/errors.js';
import { batchesByLength, windowsOf } from '../embedders/onnx-batches.js';
import type { OnnxModel, OnnxOutput } from '../embedders/onnx-session.js';

/**
 * One score a text, from a cross-encoder: query and text are read together. A text longer than the model reads counts as its best part.
 * @throws RagError INPUT_INVALID when the query alone takes more than half of what the model reads
 */
export async function rankTexts(model: OnnxModel, query: string, texts: readonly string[]): Promise<readonly number[]> {
  const { tokenizer, maxTokens } = model;
  const asked = tokenizer.encode(query);
  if (asked.length > maxTokens / 2) {
    throw new RagError(
      'INPUT_INVALID',
      `query: ${asked.length} tokens are too long for the reranker, which reads ${maxTokens} with a text; shorten it, or search without \`rerank\``,
      { adapter: 'onnx' },
    );
  }
  const head = [tokenizer.first, ...asked, tokenizer.separator];
  const inputs = texts.flatMap((text, index) =>
    windowsOf(tokenizer.encode(text), maxTokens - head.length - 1).map((window) => ({
      tokens: [...head, ...window, tokenizer.separator],
      secondFrom: head.length,
      index,
    })),
  );
  const scores: number[] = texts.map(() => Number.NEGATIVE_INFINITY);
  for (const batch of batchesByLength(inputs)) {
    const output = await model.run(batch, { names: ['logits'], axes: 2 });
    for (const [row, { index }] of batch.entries()) scores[index] = Math.max(scores[index] ?? 0, scoreOf(output, row));
  }
  return scores;
}

/** One number, or the logits of "does not answer" and "answers". */
function scoreOf({ data, dims }: OnnxOutput, row: number): number {
  const [, width = 0] = dims;
  const [no = Number.NaN, yes = Number.NaN] = [data[row * width], data[row * width + 1]];
  if (width === 1) return no;
  if (width === 2) return yes - no;
  throw new RagError('CONFIG_INVALID', `the model gives ${width} scores of a pair: it is no cross-encoder for ranking`, {
    adapter: 'onnx',
  });
}
