import { describe, expect, it } from 'vitest';
import { isRagError, nearestName, RagError } from '../../src/core/errors.js';
import { chunkId, compareText } from '../../src/core/ids.js';

describe('errors', () => {
  it('are told apart from others by their brand, not by their class', () => {
    expect(isRagError(new RagError('NOT_FOUND', 'x'))).toBe(true);
    expect(isRagError(new Error('x'))).toBe(false);
    expect(isRagError(undefined)).toBe(false);
  });

  it('take from the table whether the same call may work later, unless told', () => {
    expect(new RagError('CONNECTION_FAILED', 'x').retryable).toBe(true);
    expect(new RagError('UPSTREAM_FAILED', 'x', { retryable: false }).retryable).toBe(false);
  });

  it.each([
    ['serach', 'search'],
    ['colection', 'collection'],
    ['zzz', undefined],
  ])('find the right name for %s', (wrong, right) => {
    expect(nearestName(wrong, ['search', 'collection', 'ingest'])).toBe(right);
  });
});

describe('ids', () => {
  it('ascend in document order', () => {
    const ids = [2, 10, 1].map((position) => chunkId('a.md', 'abcdef0123456789', 'default', position));
    expect([...ids].sort(compareText)).toEqual([ids[2], ids[0], ids[1]]);
  });

  it('order by code point, not by UTF-16 unit', () => {
    expect(compareText('\u{1f600}', '\uffee')).toBeGreaterThan(0);
    expect(compareText('a', 'ab')).toBeLessThan(0);
  });
});
