import { batchesByLength, windowsOf } from './onnx-batches.js';
import type { OnnxModel, OnnxOutput } from './onnx-session.js';

export type Pooling = 'mean' | 'cls';

/**
 * One vector a text, of length 1. A text longer than the model reads is cut into parts, and its vector is the mean of theirs, each of length 1
 * and weighted by its tokens. A text without a token has the zero vector.
 */
export async function embedTexts(model: OnnxModel, texts: readonly string[], pooling: Pooling): Promise<readonly Float32Array[]> {
  const { tokenizer, maxTokens } = model;
  const inputs = texts.flatMap((text, index) => {
    const tokens = tokenizer.encode(text);
    if (tokens.length === 0) return [];
    return windowsOf(tokens, maxTokens - 2).map((window) => ({
      tokens: [tokenizer.first, ...window, tokenizer.separator],
      weight: window.length,
      index,
    }));
  });
  const sums = new Map<number, Float32Array>();
  let dimensions = 0;
  for (const batch of batchesByLength(inputs)) {
    const output = await model.run(batch, { names: ['last_hidden_state', 'token_embeddings'], axes: 3 });
    dimensions = output.dims[2] ?? 0;
    for (const [row, { tokens, weight, index }] of batch.entries()) {
      const vector = normalise(pool(output, row, pooling === 'cls' ? 1 : tokens.length));
      const sum = sums.get(index) ?? new Float32Array(dimensions);
      for (let at = 0; at < dimensions; at++) sum[at] = (sum[at] ?? 0) + weight * (vector[at] ?? 0);
      sums.set(index, sum);
    }
  }
  return texts.map((_, index) => normalise(sums.get(index) ?? new Float32Array(dimensions)));
}

/** The sum of the first tokens' vectors of a row: its direction is their mean's. */
function pool({ data, dims }: OnnxOutput, row: number, tokens: number): Float32Array {
  const [, width = 0, size = 0] = dims;
  const sum = new Float32Array(size);
  for (let token = 0; token < tokens; token++) {
    const offset = (row * width + token) * size;
    for (let at = 0; at < size; at++) sum[at] = (sum[at] ?? 0) + (data[offset + at] ?? 0);
  }
  return sum;
}

function normalise(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return squares === 0 ? vector : vector.map((value) => value / Math.sqrt(squares));
}
