import { describe, expect, it } from 'vitest';
import { fuseQueries, fuseWeighted } from '../../src/core/fuse.js';

const list = (...scores: readonly (readonly [string, number])[]) => scores.map(([id, score]) => ({ id, score }));

describe('weighted fusion', () => {
  it('adds the two normalised scores by weight', () => {
    const fused = fuseWeighted(list(['a', 10], ['b', 5]), list(['b', 0.8], ['c', 0.4]), 0.25);
    expect(fused.map(({ id, score }) => [id, score])).toEqual([
      ['a', 0.75],
      ['b', 0.75 * 0.5 + 0.25],
      ['c', 0.25 * 0.5],
    ]);
  });

  it('takes the 100th best score as zero', () => {
    const long = Array.from({ length: 120 }, (_, rank) => ({ id: `k${String(rank).padStart(3, '0')}`, score: 200 - rank }));
    const fused = new Map(fuseWeighted(long, [], 0.5).map(({ id, score }) => [id, score]));
    expect(fused.get('k000')).toBe(0.5);
    expect(fused.get('k099')).toBe(0);
    expect(fused.get('k119')).toBe(0);
  });

  it('keeps the order of negative cosines in a small collection', () => {
    expect(fuseWeighted([], list(['a', -0.1], ['b', -0.5]), 1).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('breaks ties by ascending id', () => {
    expect(fuseWeighted(list(['b', 1], ['a', 1]), [], 0.25).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('leaves a side of weight zero out', () => {
    expect(fuseWeighted(list(['a', 1]), list(['b', 1]), 0).map(({ id }) => id)).toEqual(['a']);
  });
});

describe('fusion of queries', () => {
  it('returns the list of a single query as it is', () => {
    const only = list(['a', 3], ['b', 1]);
    expect(fuseQueries([only])).toBe(only);
  });

  it('puts what both queries found above what one found', () => {
    expect(fuseQueries([list(['a', 9], ['both', 8]), list(['b', 2], ['both', 1.9])])[0]?.id).toBe('both');
  });
});
