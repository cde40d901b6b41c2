import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reranker } from '../../src/core/contracts.js';

export interface OpenedReranker {
  readonly reranker: Reranker;
  close(): void | Promise<void>;
}

/**
 * What every reranker keeps to. `samples.best` answers `samples.query`, the others don't; left out where the model is a stand-in whose scores
 * mean nothing.
 */
export function rerankerContract(
  name: string,
  open: () => Promise<OpenedReranker>,
  samples?: { readonly query: string; readonly best: string; readonly others: readonly string[] },
): void {
  describe(`${name} as a Reranker`, () => {
    let opened: OpenedReranker;
    let reranker: Reranker;
    beforeAll(async () => {
      opened = await open();
      reranker = opened.reranker;
    });
    afterAll(() => opened.close());

    it('has an id', () => {
      expect(reranker.id).not.toBe('');
    });

    it('gives one finite score a text', async () => {
      const scores = await reranker.rerank('How long is the line?', [
        'The line is 42 km long.',
        'Bread is baked.',
        'Straße 北京 🚄',
      ]);
      expect(scores).toHaveLength(3);
      expect(scores.every(Number.isFinite)).toBe(true);
    });

    if (samples !== undefined) {
      it('scores the text that answers highest, wherever it stands', async () => {
        for (let place = 0; place <= samples.others.length; place++) {
          const texts = [...samples.others];
          texts.splice(place, 0, samples.best);
          const scores = await reranker.rerank(samples.query, texts);
          expect(scores.indexOf(Math.max(...scores))).toBe(place);
        }
      });
    }

    it('takes no text and one text', async () => {
      expect(await reranker.rerank('anything', [])).toEqual([]);
      expect(await reranker.rerank('anything', ['something'])).toHaveLength(1);
    });

    it('takes texts longer than its model reads, without losing the others', async () => {
      const scores = await reranker.rerank('ropes', ['a short text about ropes', 'many words follow here '.repeat(400)]);
      expect(scores).toHaveLength(2);
      expect(scores.every(Number.isFinite)).toBe(true);
    });

    it('keeps calls apart that are made at the same time', async () => {
      const texts = ['one text', 'another text', 'a third text'];
      const alone = await reranker.rerank('text', texts);
      const together = await Promise.all(['x', 'text', 'y', 'text'].map((query) => reranker.rerank(query, texts)));
      for (const index of [1, 3]) {
        for (const [place, score] of (together[index] ?? []).entries()) expect(score).toBeCloseTo(alone[place] ?? Number.NaN, 3);
      }
    });

    it("rejects with the signal's reason when aborted", async () => {
      const reason = new Error('enough');
      await expect(reranker.rerank('a', ['b', 'c'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
}
