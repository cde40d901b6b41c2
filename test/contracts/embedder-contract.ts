import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embedder } from '../../src/core/contracts.js';

/** What every embedder keeps to, whatever runs it. `samples.near` are closer in meaning to each other than to `samples.far`. */
export function embedderContract(
  name: string,
  create: () => Embedder | Promise<Embedder>,
  samples: { readonly near: readonly [string, string]; readonly far: string },
  close: () => void | Promise<void> = () => {},
): void {
  describe(`${name} as an Embedder`, () => {
    let embedder: Embedder;
    beforeAll(async () => {
      embedder = await create();
    });
    afterAll(close);

    it('tells an id, dimensions, a batch size, and a weight between 0 and 1', () => {
      expect(embedder.id).toMatch(/^\S+$/);
      expect(embedder.dimensions).toBeGreaterThan(0);
      expect(embedder.maxBatch).toBeGreaterThan(0);
      const weight = embedder.hybridWeight ?? 0.4;
      expect(weight >= 0 && weight <= 1).toBe(true);
    });

    it('returns one finite vector a text, in order', async () => {
      const texts = [samples.far, samples.near[0], samples.near[1]];
      const together = await embedder.embed(texts);
      expect(together).toHaveLength(texts.length);
      for (const [index, text] of texts.entries()) {
        const [alone] = await embedder.embed([text]);
        expect(together[index]).toBeInstanceOf(Float32Array);
        expect(together[index]).toHaveLength(embedder.dimensions);
        expect([...(together[index] ?? [])].every(Number.isFinite)).toBe(true);
        expect(cosine(together[index], alone)).toBeGreaterThan(0.999);
      }
    });

    it('takes a full batch, an empty batch and an empty text', async () => {
      expect(await embedder.embed([])).toEqual([]);
      const full = await embedder.embed(Array.from({ length: embedder.maxBatch }, (_, index) => `${samples.far} ${index}`));
      expect(full).toHaveLength(embedder.maxBatch);
      const [empty] = await embedder.embed(['']);
      expect(empty).toHaveLength(embedder.dimensions);
      expect([...(empty ?? [])].every(Number.isFinite)).toBe(true);
    });

    it('gives related texts nearer vectors, in both roles', async () => {
      const [query] = await embedder.embed([samples.near[0]], { role: 'query' });
      const [near, far] = await embedder.embed([samples.near[1], samples.far], { role: 'document' });
      expect(cosine(query, near)).toBeGreaterThan(cosine(query, far));
    });

    it("rejects with the signal's reason when aborted", async () => {
      const reason = new Error('enough');
      await expect(embedder.embed([samples.far], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
}

export function cosine(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (left === undefined || right === undefined) throw new Error('a vector is missing');
  let dot = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? Number.NaN;
    dot += value * other;
    leftSquares += value * value;
    rightSquares += other * other;
  }
  return dot / Math.sqrt(leftSquares * rightSquares);
}
