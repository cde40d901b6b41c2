import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/core/contracts.js';
import {
  andFilters,
  canonicalFilter,
  fieldsOf,
  filterToJson,
  isEverything,
  parseFilter,
  simplify,
  splitFilter,
} from '../../src/core/filter.js';

const NOTHING: Filter = { op: 'or', filters: [] };

/** A filter that is not everything. */
function filterOf(json: unknown): Filter {
  return parseFilter(json) ?? { op: 'and', filters: [] };
}

const simplified = (json: unknown) => filterToJson(simplify(filterOf(json)));

describe('simplify', () => {
  it.each<[string, unknown, unknown]>([
    ['flattens', { $and: [{ a: 1 }, { $and: [{ b: 2 }, { $and: [{ c: 3 }] }] }] }, { a: 1, b: 2, c: 3 }],
    ['keeps 1 and "1" apart', { $or: [{ a: 1 }, { a: '1' }] }, { $or: [{ a: 1 }, { a: '1' }] }],
    ['folds what nothing matches', { $or: [{ a: { $in: [] } }, { b: 1 }] }, { b: 1 }],
    ['folds a conjunction that nothing matches', { b: 1, a: { $in: [] } }, { $or: [] }],
    ['folds what everything matches', { $and: [{ a: { $nin: [] } }, { b: 1 }] }, { b: 1 }],
    ['folds a disjunction that everything matches', { $or: [{ a: { $nin: [] } }, { b: 1 }] }, {}],
    [
      'unwraps lists of one',
      { a: { $in: [1] }, b: { $nin: [2] }, c: { $containsAny: [3] } },
      { a: 1, b: { $ne: 2 }, c: { $contains: 3 } },
    ],
    ['drops doubles in lists', { a: { $in: [1, 1, 0, -0] } }, { a: { $in: [1, 0] } }],
    [
      'pushes not inwards',
      { $not: { $or: [{ a: 1 }, { $not: { b: { $in: [1, 2] } } }] } },
      { a: { $ne: 1 }, b: { $in: [1, 2] } },
    ],
    ['turns exists round', { $not: { a: { $exists: true } } }, { a: { $exists: false } }],
    ['keeps not around a range, which a missing field satisfies', { $not: { a: { $gt: 1 } } }, { $not: { a: { $gt: 1 } } }],
    ['keeps not around membership', { $not: { a: { $containsAny: [1] } } }, { $not: { a: { $contains: 1 } } }],
    ['folds not of an empty membership', { $not: { a: { $containsAny: [] } } }, {}],
  ])('%s', (_name, json, expected) => {
    expect(simplified(json)).toEqual(expected);
  });
});

describe('filterToJson', () => {
  it.each([
    {},
    { year: { $gte: 2020, $lt: 2023 }, lang: 'en', $or: [{ a: 1 }, { b: { $exists: true } }], $not: { c: { $startsWith: 'x' } } },
    { a: { $eq: 1, $ne: 2 } },
    { $and: [{ a: 1 }, { a: 2 }] },
    { $and: [{ $or: [] }, { $or: [{ a: 1 }] }] },
    { $not: {} },
  ])('gives the form that it was read from: %j', (json) => {
    expect(filterToJson(filterOf(json))).toEqual(json);
  });
});

describe('splitFilter', () => {
  const canPush = (leaf: { readonly op: string }) => leaf.op !== 'startsWith';

  it('pushes the conditions that the store can evaluate, and leaves the rest', () => {
    const { pushed, residual } = splitFilter(filterOf({ a: 1, b: { $startsWith: 'x' }, $and: [{ c: 2 }] }), canPush);
    expect(pushed && filterToJson(pushed)).toEqual({ a: 1, c: 2 });
    expect(residual && filterToJson(residual)).toEqual({ b: { $startsWith: 'x' } });
  });

  it('pushes an or wholly or not at all', () => {
    const { pushed, residual } = splitFilter(filterOf({ $or: [{ a: 1 }, { b: { $startsWith: 'x' } }] }), canPush);
    expect(pushed).toBeUndefined();
    expect(residual && filterToJson(residual)).toEqual({ $or: [{ a: 1 }, { b: { $startsWith: 'x' } }] });
  });

  it('tells whether a leaf is negated', () => {
    const asked: string[] = [];
    splitFilter(filterOf({ a: { $gt: 1 }, $not: { b: { $gt: 1 } } }), (leaf, negated) => {
      asked.push(`${leaf.field} ${negated}`);
      return true;
    });
    expect(new Set(asked)).toEqual(new Set(['a false', 'b true']));
  });

  it('pushes nothing for everything, and an empty or for nothing', () => {
    expect(splitFilter(filterOf({ $or: [{}] }), canPush)).toEqual({});
    expect(splitFilter(filterOf({ a: { $in: [] } }), () => false)).toEqual({ pushed: NOTHING });
  });
});

describe('canonicalFilter', () => {
  it.each<[string, unknown, unknown]>([
    ['key order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['list order', { a: { $in: [1, 'x', true] } }, { a: { $in: [true, 1, 'x'] } }],
    ['order in or', { $or: [{ a: 1 }, { b: 1 }] }, { $or: [{ b: 1 }, { a: 1 }] }],
    ['nesting', { $and: [{ a: 1 }, { b: 1 }] }, { a: 1, b: 1 }],
    ['doubled conditions', { $or: [{ a: 1 }, { a: 1 }] }, { a: 1 }],
    ['doubles in lists', { a: { $in: [1, 2, 1] } }, { a: { $in: [1, 2] } }],
    ['plain values', { a: { $eq: 1 } }, { a: 1 }],
    ['no filter', undefined, { $and: [] }],
  ])('is blind to %s', (_name, left, right) => {
    expect(canonicalFilter(parseFilter(left))).toBe(canonicalFilter(parseFilter(right)));
  });

  it.each<[string, unknown, unknown]>([
    ['types', { a: 1 }, { a: '1' }],
    ['operators', { a: 1 }, { a: { $ne: 1 } }],
    ['and and or', { a: 1, b: 1 }, { $or: [{ a: 1 }, { b: 1 }] }],
    ['fields', { a: 1 }, { b: 1 }],
    ['everything and nothing', {}, { $or: [] }],
    ['what is inside a string', { a: { $in: ['x', 'y'] } }, { a: { $in: ['x","y'] } }],
  ])('sees %s', (_name, left, right) => {
    expect(canonicalFilter(parseFilter(left))).not.toBe(canonicalFilter(parseFilter(right)));
  });
});

describe('helpers on trees', () => {
  it('fieldsOf names every field once', () => {
    expect(fieldsOf(filterOf({ a: 1, $or: [{ b: 1 }, { $not: { $uri: 'x' } }, { a: 2 }] }))).toEqual(new Set(['a', 'b', '$uri']));
  });

  it('andFilters joins what is there', () => {
    const a = filterOf({ a: 1 });
    const b = filterOf({ b: 1 });
    expect(andFilters(undefined, undefined)).toBeUndefined();
    expect(andFilters(a, undefined)).toEqual(a);
    expect(andFilters(a, b)).toEqual({ op: 'and', filters: [a, b] });
    expect(andFilters({ op: 'and', filters: [] }, b)).toEqual(b);
  });

  it('isEverything sees through the ways to say nothing', () => {
    const a: Filter = { op: 'eq', field: 'a', value: 1 };
    const everything: Filter = { op: 'and', filters: [] };
    expect(isEverything(undefined)).toBe(true);
    expect(isEverything(everything)).toBe(true);
    expect(isEverything({ op: 'or', filters: [a, everything] })).toBe(true);
    expect(isEverything({ op: 'not', filter: NOTHING })).toBe(true);
    expect(isEverything({ op: 'nin', field: 'a', values: [] })).toBe(true);
    for (const json of [{ a: 1 }, { $or: [] }, { a: { $exists: false } }]) expect(isEverything(parseFilter(json))).toBe(false);
  });
});
