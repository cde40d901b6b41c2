import { describe, expect, it } from 'vitest';
import type { Field } from '../../src/core/contracts.js';
import { isRagError } from '../../src/core/errors.js';
import { MAX_FILTER_DEPTH, MAX_FILTER_SIZE, parseFilter } from '../../src/core/filter.js';
import { filterTable, sampleFields } from '../contracts/filters.js';

const fields: readonly Field[] = [
  { name: 'year', type: 'number' },
  { name: 'lang', type: 'string' },
  { name: 'draft', type: 'boolean' },
  { name: 'tags', type: 'string[]' },
  { name: 'sizes', type: 'number[]' },
];

/** The message of the INPUT_INVALID that parsing gives. */
function refusalOf(json: unknown, options?: Parameters<typeof parseFilter>[1]): string {
  try {
    parseFilter(json, options);
  } catch (error) {
    if (isRagError(error) && error.code === 'INPUT_INVALID') return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

describe('parseFilter', () => {
  it('gives undefined for what selects nothing in particular', () => {
    for (const json of [
      undefined,
      {},
      { $and: [] },
      { $and: [{}, {}] },
      { $or: [{}, { a: 1 }] },
      { a: { $nin: [] } },
      { $not: { $or: [] } },
    ]) {
      expect(parseFilter(json), JSON.stringify(json)).toBeUndefined();
    }
  });

  it('keeps what lets nothing through', () => {
    expect(parseFilter({ $or: [] })).toEqual({ op: 'or', filters: [] });
    expect(parseFilter({ a: { $in: [] } })).toEqual({ op: 'in', field: 'a', values: [] });
  });

  it('builds the tree', () => {
    expect(
      parseFilter({
        year: { $gte: 2020, $lt: 2023 },
        lang: 'en',
        $or: [{ tags: { $contains: 'a' } }, { $not: { draft: true } }],
      }),
    ).toEqual({
      op: 'and',
      filters: [
        { op: 'gte', field: 'year', value: 2020 },
        { op: 'lt', field: 'year', value: 2023 },
        { op: 'eq', field: 'lang', value: 'en' },
        {
          op: 'or',
          filters: [
            { op: 'contains', field: 'tags', value: 'a' },
            { op: 'not', filter: { op: 'eq', field: 'draft', value: true } },
          ],
        },
      ],
    });
  });

  it('takes every filter of the table', () => {
    for (const { name, json } of filterTable()) expect(() => parseFilter(json), name).not.toThrow();
  });

  it('takes an object without a prototype, and names that objects inherit', () => {
    expect(parseFilter(Object.assign(Object.create(null), { constructor: 'x' }))).toEqual({
      op: 'eq',
      field: 'constructor',
      value: 'x',
    });
  });

  it('copies lists, so a caller may change its own', () => {
    const values = ['a'];
    const filter = parseFilter({ lang: { $in: values } });
    values.push('b');
    expect(filter).toEqual({ op: 'in', field: 'lang', values: ['a'] });
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'filter: must be a filter object such as {"lang": "en"}, got null'],
    [
      'the text of a filter',
      '{"a":1}',
      'filter: must be a filter object such as {"lang": "en"}, got a string; pass the object itself',
    ],
    ['a list', [{ a: 1 }], 'filter: must be a filter object such as {"lang": "en"}, got an array; wrap it in {"$and"'],
    ['a Map', new Map([['a', 1]]), 'filter: must be a filter object such as {"lang": "en"}, got a Map'],
    ['an unknown operator', { year: { $gtr: 2020 } }, 'filter.year.$gtr: unknown operator "$gtr"; did you mean "$gt'],
    ['an operator in other case', { tags: { $containsany: ['a'] } }, 'did you mean "$containsAny"?'],
    ['an operator without its sign', { year: { gte: 2020 } }, 'filter.year.gte: unknown operator "gte"; did you mean "$gte"?'],
    ['an operator of others', { lang: { $elemMatch: 1 } }, 'unknown operator "$elemMatch"; known: $eq, $ne, '],
    ['a nested object', { a: { b: { c: 1 } } }, 'filter.a.b: unknown operator "b"'],
    ['an unknown joiner', { $nor: [{ a: 1 }] }, 'filter.$nor: unknown operator "$nor"; did you mean "$or"?'],
    [
      'a misspelt virtual field',
      { $documentid: 'a' },
      'filter.$documentid: unknown operator "$documentid"; did you mean "$documentId"?',
    ],
    ['an operator without a field', { $gte: 1 }, 'filter.$gte: is an operator on a field: write {"field": {"$gte": …}}'],
    ['a joiner inside a field', { year: { $not: { $gt: 1 } } }, 'filter.year.$not: $not goes around filters'],
    ['an empty object', { year: {} }, 'filter.year: is an empty object'],
    [
      'null as a value',
      { year: null },
      'filter.year: must be a string, a number or a boolean, got null; for a missing field use {"$exists": false}',
    ],
    ['null in an operator', { year: { $ne: null } }, 'filter.year.$ne: must be a string, a number or a boolean, got null'],
    ['null in a list', { year: { $in: [1, null] } }, 'filter.year.$in[1]: must be a string'],
    [
      'undefined as a value',
      { year: undefined },
      'filter.year: must be a string, a number or a boolean, got undefined; leave the key out',
    ],
    ['undefined in an operator', { year: { $gte: undefined } }, 'filter.year.$gte: '],
    ['NaN', { year: { $gte: Number.NaN } }, 'filter.year.$gte: must be a finite number, got NaN'],
    ['Infinity', { year: Number.POSITIVE_INFINITY }, 'filter.year: must be a finite number, got Infinity'],
    ['a bigint', { year: 1n }, 'filter.year: must be a string, a number or a boolean, got a bigint'],
    ['a Date', { year: new Date(0) }, 'filter.year: must be a string, a number or a boolean, got a Date'],
    [
      'a list as a value',
      { tags: ['a'] },
      'filter.tags: an array is no value; use {"$in": […]} for one of several, {"$contains": …}',
    ],
    ['a list in $eq', { tags: { $eq: ['a'] } }, 'filter.tags.$eq: must be a string, a number or a boolean, got an array'],
    ['a list in a list', { tags: { $in: [['a']] } }, 'filter.tags.$in[0]: '],
    [
      'a hole in a list',
      { tags: { $in: new Array(2) } },
      'filter.tags.$in[0]: must be a string, a number or a boolean, got undefined',
    ],
    ['$in without a list', { lang: { $in: 'en' } }, 'filter.lang.$in: must be a list, got a string'],
    ['$containsAny without a list', { tags: { $containsAny: 'a' } }, 'filter.tags.$containsAny: must be a list, got a string'],
    ['a boolean range', { draft: { $gt: true } }, 'filter.draft.$gt: must be a number or a string, got a boolean'],
    ['a number prefix', { lang: { $startsWith: 1 } }, 'filter.lang.$startsWith: must be a string, got a number'],
    ['$exists of a number', { lang: { $exists: 1 } }, 'filter.lang.$exists: must be true or false, got a number'],
    ['$and without a list', { $and: { a: 1 } }, 'filter.$and: must be a list, got an object'],
    ['null in $or', { $or: [{ a: 1 }, null] }, 'filter.$or[1]: must be a filter object'],
    ['a list in $not', { $not: [{ a: 1 }] }, 'filter.$not: must be a filter object'],
    ['half a surrogate pair', { lang: 'a\ud83d' }, 'filter.lang: must be well-formed Unicode'],
    [
      'half a surrogate pair as a prefix',
      { lang: { $startsWith: '\ude42' } },
      'filter.lang.$startsWith: must be a string, got a string with half a surrogate pair',
    ],
    ['an empty name', { '': 1 }, 'filter[""]: a field name must not be empty'],
    ['a name with a control character', { 'a\nb': 1 }, 'filter["a\\nb"]: a field name must not hold control characters'],
    ['a name that is too long', { ['x'.repeat(129)]: 1 }, 'a field name has at most 128 characters, this one 129'],
    ['__proto__', JSON.parse('{"__proto__": {"$eq": 1}}'), 'filter.__proto__: this field name is reserved'],
    [
      'a deep path',
      { $and: [{}, { $not: { 'a.b': { $gte: true } } }] },
      'filter.$and[1].$not["a.b"].$gte: must be a number or a string',
    ],
  ])('refuses %s', (_name, json, message) => {
    expect(refusalOf(json)).toContain(message);
  });

  it('calls the filter what the caller calls it', () => {
    expect(refusalOf({ a: null }, { path: '--filter' })).toMatch(/^--filter\.a: /);
  });

  it('refuses deep nesting without running out of stack, and takes the depth it promises', () => {
    const nest = (depth: number): unknown => {
      let json: unknown = { a: 1 };
      for (let level = 0; level < depth; level++) json = level % 2 === 0 ? { $not: json } : { $and: [json] };
      return json;
    };
    expect(parseFilter(nest(MAX_FILTER_DEPTH))).toBeDefined();
    expect(refusalOf(nest(MAX_FILTER_DEPTH + 1))).toContain(`nests deeper than ${MAX_FILTER_DEPTH} levels`);
    expect(refusalOf(nest(100_000))).toContain('nests deeper');
    const endless: Record<string, unknown> = {};
    endless.$not = endless;
    expect(refusalOf(endless)).toContain('nests deeper');
  });

  it('refuses what is too large, wherever the size lies, and repeats little of it', () => {
    const many = Array.from({ length: MAX_FILTER_SIZE + 1 }, (_, index) => index);
    const tooLarge = `the filter is too large: at most ${MAX_FILTER_SIZE} conditions and values in all`;
    expect(refusalOf({ a: { $in: many } })).toContain(tooLarge);
    expect(refusalOf({ a: { $in: new Array(4_000_000_000) } })).toContain(tooLarge);
    expect(refusalOf({ $or: many.map((value) => ({ a: value })) })).toContain(tooLarge);
    expect(refusalOf(Object.fromEntries(many.map((value) => [`f${value}`, 1])))).toContain(tooLarge);
    expect(refusalOf({ $or: [{ a: { $in: many.slice(0, 6000) } }, { b: { $in: many.slice(0, 6000) } }] })).toContain(tooLarge);
    expect(parseFilter({ a: { $in: many.slice(0, 9000) } })).toBeDefined();
    expect(refusalOf({ ['x'.repeat(1_000_000)]: 1 }).length).toBeLessThan(300);
    expect(refusalOf({ a: { [`$${'x'.repeat(1_000_000)}`]: 1 } }).length).toBeLessThan(400);
  });
});

describe('parseFilter with declared fields', () => {
  it('takes what fits', () => {
    for (const json of [
      { year: { $gte: 2020, $in: [2020.5] } },
      { lang: { $startsWith: 'e', $gt: 'a' } },
      { draft: { $nin: [true] } },
      { tags: { $containsAny: ['a'], $exists: true } },
      { $uri: { $startsWith: 'docs/' }, $id: { $gt: 'a' } },
    ]) {
      expect(() => parseFilter(json, { fields })).not.toThrow();
    }
  });

  it('takes every field that the sample declares', () => {
    for (const { name } of sampleFields)
      expect(parseFilter({ [name]: { $exists: true } }, { fields: sampleFields })).toBeDefined();
  });

  it.each<[string, unknown, string]>([
    ['an unknown field', { yaer: 2020 }, 'filter.yaer: unknown field "yaer"; did you mean "year"?'],
    [
      'a field that is like no other',
      { publisher: 'x' },
      'filter.publisher: unknown field "publisher"; known: year, lang, draft, tags, sizes, $id',
    ],
    [
      'an unknown field under $not',
      { $not: { $or: [{ langs: 'en' }] } },
      'filter.$not.$or[0].langs: unknown field "langs"; did you mean "lang"?',
    ],
    ['an inherited name', { constructor: 'x' }, 'filter.constructor: unknown field'],
    ['a string for a number', { year: '2020' }, 'filter.year: must be a number, as the field is declared, got a string'],
    ['a string range for a number', { year: { $gte: '2020' } }, 'filter.year.$gte: must be a number'],
    ['a mixed list', { year: { $in: [2020, '2021'] } }, 'filter.year.$in[1]: must be a number'],
    [
      'a range on a boolean',
      { draft: { $gte: 1 } },
      `filter.draft.$gte: $gte doesn't fit "draft", which is a boolean; use one of $eq, $ne, $in, $nin, $exists`,
    ],
    [
      'a prefix on a number',
      { year: { $startsWith: '20' } },
      `filter.year.$startsWith: $startsWith doesn't fit "year", which is a number`,
    ],
    [
      'equality on a list',
      { tags: 'a' },
      `filter.tags: $eq doesn't fit "tags", which is a string[]; use one of $exists, $contains, $containsAny`,
    ],
    [
      'membership in a string',
      { lang: { $contains: 'e' } },
      `filter.lang.$contains: $contains doesn't fit "lang", which is a string`,
    ],
    ['a member of another type', { sizes: { $contains: '1' } }, 'filter.sizes.$contains: must be a number'],
    ['a number as uri', { $uri: 1 }, 'filter.$uri: must be a string'],
    ['membership in a virtual field', { $group: { $contains: 'a' } }, `$contains doesn't fit "$group"`],
  ])('refuses %s', (_name, json, message) => {
    expect(refusalOf(json, { fields })).toContain(message);
  });
});
