import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../src/core/contracts.js';
import { documentSubject, type FilterSubject, matches, parseFilter } from '../../src/core/filter.js';

const row = (metadata: Metadata): FilterSubject => ({ id: 'c1', documentId: 'd1', uri: 'docs/a.md', group: 'default', metadata });

/** More values than are compared one by one. */
const many = Array.from({ length: 50 }, (_, index) => index + 1);

/** Whether a filter in JSON form lets a row with this metadata through. */
function lets(json: unknown, metadata: Metadata): boolean {
  const filter = parseFilter(json);
  return filter === undefined || matches(filter, row(metadata));
}

describe('matches', () => {
  it.each<[string, unknown, Metadata, boolean]>([
    ['equal', { a: 1 }, { a: 1 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['another type: number and string', { a: 1 }, { a: '1' }, false],
    ['another type: number and boolean', { a: 1 }, { a: true }, false],
    ['0 equals -0', { a: -0 }, { a: 0 }, true],
    ['0 is one of -0', { a: { $in: [-0] } }, { a: 0 }, true],
    ['0 is not below -0', { a: { $gt: -0 } }, { a: 0 }, false],
    ['a list never equals', { a: 1 }, { a: [1] }, false],
    ['a list is never one of', { a: { $in: [1] } }, { a: [1] }, false],
    ['a list is always unequal', { a: { $ne: 1 } }, { a: [1] }, true],
    ['a list is none of', { a: { $nin: [1] } }, { a: [1] }, true],
    ['a list is not above', { a: { $gte: 0 } }, { a: [1] }, false],
    ['missing: eq', { a: 1 }, {}, false],
    ['missing: ne', { a: { $ne: 1 } }, {}, true],
    ['missing: in', { a: { $in: [1] } }, {}, false],
    ['missing: nin', { a: { $nin: [1] } }, {}, true],
    ['missing: gt', { a: { $gt: 1 } }, {}, false],
    ['missing: not gt', { $not: { a: { $gt: 1 } } }, {}, true],
    ['missing: not lte', { $not: { a: { $lte: 1 } } }, {}, true],
    ['missing: contains', { a: { $contains: 1 } }, {}, false],
    ['missing: startsWith', { a: { $startsWith: '' } }, {}, false],
    ['in of several types', { a: { $in: ['1', 1] } }, { a: 1 }, true],
    ['in of none', { a: { $in: [] } }, { a: 1 }, false],
    ['nin of none', { a: { $nin: [] } }, { a: 1 }, true],
    ['in of many, strictly', { a: { $in: [...many, '7'] } }, { a: '8' }, false],
    ['in of many', { a: { $in: [...many, -0] } }, { a: 0 }, true],
    ['nin of many, on a list', { a: { $nin: many } }, { a: [1] }, true],
    ['containsAny of many', { a: { $containsAny: many } }, { a: [70, 7] }, true],
    ['gt', { a: { $gt: 1 } }, { a: 1 }, false],
    ['gte', { a: { $gte: 1 } }, { a: 1 }, true],
    ['lt', { a: { $lt: 1 } }, { a: 0.5 }, true],
    ['lte', { a: { $lte: 1 } }, { a: 1.5 }, false],
    ['a string is not above a number', { a: { $gt: 1 } }, { a: '2' }, false],
    ['a number is not below a string', { a: { $lt: 'z' } }, { a: 2 }, false],
    ['a boolean is not above a number', { a: { $gte: 0 } }, { a: true }, false],
    ['strings by code point, not UTF-16 unit', { a: { $gt: '\uff21' } }, { a: '🙂' }, true],
    ['a prefix is below', { a: { $gt: 'a' } }, { a: 'ab' }, true],
    ['contains', { a: { $contains: 'x' } }, { a: ['y', 'x'] }, true],
    ['contains, strictly', { a: { $contains: 1 } }, { a: ['1'] }, false],
    ['contains on a string', { a: { $contains: 'x' } }, { a: 'xyz' }, false],
    ['contains on an empty list', { a: { $contains: 'x' } }, { a: [] }, false],
    ['containsAny', { a: { $containsAny: ['q', 'x'] } }, { a: ['x'] }, true],
    ['containsAny of none', { a: { $containsAny: [] } }, { a: ['x'] }, false],
    ['startsWith', { a: { $startsWith: 'a_' } }, { a: 'a_b' }, true],
    ['startsWith knows no wildcards', { a: { $startsWith: 'a_' } }, { a: 'axb' }, false],
    ['startsWith is case-sensitive', { a: { $startsWith: 'A' } }, { a: 'abc' }, false],
    ['startsWith on a number', { a: { $startsWith: '1' } }, { a: 1 }, false],
    ['startsWith on a list', { a: { $startsWith: 'x' } }, { a: ['x'] }, false],
    ['exists', { a: { $exists: true } }, { a: false }, true],
    ['exists on an empty list', { a: { $exists: true } }, { a: [] }, true],
    ['exists not', { a: { $exists: false } }, { b: 1 }, true],
    ['an inherited name is missing', { toString: { $exists: true } }, {}, false],
    ['an inherited name that is set', { constructor: 'x' }, { constructor: 'x' }, true],
    ['dots are literal', { 'a.b': 1 }, { 'a.b': 1 }, true],
    ['dots lead nowhere', { 'a.b': 1 }, { a: 1 }, false],
    ['several fields are joined by and', { a: 1, b: 2 }, { a: 1, b: 3 }, false],
    ['several operators are joined by and', { a: { $gte: 1, $lt: 3 } }, { a: 3 }, false],
    ['an empty and', { $and: [] }, {}, true],
    ['an empty or', { $or: [] }, {}, false],
    ['not everything', { $not: {} }, {}, false],
    ['or', { $or: [{ a: 1 }, { b: 2 }] }, { b: 2 }, true],
    ['$id', { $id: 'c1' }, {}, true],
    ['$documentId', { $documentId: { $in: ['d1'] } }, {}, true],
    ['$uri', { $uri: { $startsWith: 'docs/' } }, {}, true],
    ['$group', { $group: { $ne: 'default' } }, {}, false],
  ])('%s', (_name, json, metadata, expected) => {
    expect(lets(json, metadata)).toBe(expected);
  });

  it('reads only what a row itself holds, whatever its prototype', () => {
    const metadata: Metadata = Object.create({ a: 1 });
    expect(lets({ a: 1 }, metadata)).toBe(false);
    expect(lets({ a: { $exists: false } }, metadata)).toBe(true);
  });

  it('reads metadata without a prototype', () => {
    const metadata: Metadata = Object.assign(Object.create(null), { a: 1 });
    expect(lets({ a: 1 }, metadata)).toBe(true);
  });

  it('sees a document by its id, without a group', () => {
    const subject = documentSubject({
      id: 'a.md',
      uri: 'docs/a.md',
      hash: '00',
      metadata: { year: 2020 },
      loader: 'markdown@1',
      origin: '',
      length: 1,
      chunks: 1,
      updatedAt: '2020-01-01T00:00:00.000Z',
    });
    const holds = (json: unknown) => {
      const filter = parseFilter(json);
      return filter !== undefined && matches(filter, subject);
    };
    expect(holds({ $id: 'a.md', $documentId: 'a.md', $uri: 'docs/a.md', year: 2020 })).toBe(true);
    expect(holds({ $group: { $exists: true } })).toBe(false);
  });
});
