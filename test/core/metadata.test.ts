import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Field } from '../../src/core/contracts.js';
import { isRagError } from '../../src/core/errors.js';
import { fieldsFromJson } from '../../src/core/fields.js';
import { checkMetadata, convertMetadata } from '../../src/core/metadata.js';

const fields: readonly Field[] = [
  { name: 'year', type: 'number' },
  { name: 'tags', type: 'string[]' },
  { name: 'draft', type: 'boolean' },
];

describe('checkMetadata', () => {
  it('takes scalars and lists of one kind, and drops null and undefined', () => {
    const given = {
      text: '',
      number: -1.5,
      no: false,
      tags: ['a', 'b'],
      sizes: [1, 2.5],
      flags: [true],
      empty: [],
      gone: null,
      never: undefined,
    };
    expect(checkMetadata(given, 'metadata')).toEqual({
      text: '',
      number: -1.5,
      no: false,
      tags: ['a', 'b'],
      sizes: [1, 2.5],
      flags: [true],
      empty: [],
    });
    expect(checkMetadata(undefined, 'metadata')).toEqual({});
  });

  it('keeps names literally', () => {
    const given = { 'a.b': 1, 'with space': 1, 'quote"\'': 1, score: 1, constructor: 'x', ключ: 'ж', '🙂': 1 };
    expect(checkMetadata(given, 'metadata')).toEqual(given);
  });

  it('copies, so a caller may change its own', () => {
    const tags = ['a'];
    const metadata = checkMetadata({ tags }, 'metadata');
    tags.push('b');
    expect(metadata).toEqual({ tags: ['a'] });
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'm: must be an object, got null'],
    ['a list', [], 'm: must be an object, got an array'],
    ['a Map', new Map(), 'm: must be an object, got a Map'],
    ['a nested object', { a: { b: 1 } }, 'm.a: must be a string, a number, a boolean or a list of one of these, got an object'],
    ['NaN', { a: Number.NaN }, 'm.a: must be a finite number, got NaN'],
    ['Infinity in a list', { a: [1, Number.NEGATIVE_INFINITY] }, 'm.a[1]: must be a finite number, got -Infinity'],
    ['a Date', { a: new Date(0) }, 'm.a: must be a string, a number, a boolean or a list of one of these, got a Date'],
    ['a function', { a: () => 1 }, 'm.a: must be a string, a number, a boolean or a list of one of these, got a function'],
    ['a bigint', { a: 1n }, 'm.a: must be a string, a number, a boolean or a list of one of these, got a bigint'],
    [
      'a typed array',
      { a: new Float32Array(2) },
      'm.a: must be a string, a number, a boolean or a list of one of these, got a Float32Array',
    ],
    ['a mixed list', { a: [1, 'x'] }, 'm.a[1]: a list holds values of one kind, this one a number and a string'],
    ['null in a list', { a: ['x', null] }, 'm.a[1]: must be a string, a number or a boolean, got null'],
    ['a hole in a list', { a: new Array(1) }, 'm.a[0]: must be a string, a number or a boolean, got undefined'],
    ['a list in a list', { a: [[1]] }, 'm.a[0]: must be a string, a number or a boolean, got an array'],
    ['half a surrogate pair', { a: '\ud83d' }, 'm.a: must be well-formed Unicode'],
    ['half a surrogate pair in a name', { 'a\ud83d': 1 }, 'a field name must be well-formed Unicode'],
    ['a reserved name', { $uri: 'x' }, 'm.$uri: field names that start with "$" are reserved'],
    ['__proto__', JSON.parse('{"__proto__": "x"}'), 'm.__proto__: this field name is reserved'],
    ['an empty name', { '': 1 }, 'm[""]: a field name must not be empty'],
    ['a control character in a name', { 'a\u0000': 1 }, 'm["a\\u0000"]: a field name must not hold control characters'],
    ['a bad name with nothing in it', { $x: null }, 'm.$x: field names that start with "$" are reserved'],
    ['a long name', { ['n'.repeat(129)]: 1 }, 'a field name has at most 128 characters, this one 129'],
  ])('refuses %s', (_name, value, message) => {
    expect(() => checkMetadata(value, 'm')).toThrow(message);
  });

  it('takes declared fields of their types, and any empty list', () => {
    expect(checkMetadata({ year: 2020, tags: [] }, 'm', fields)).toEqual({ year: 2020, tags: [] });
    expect(checkMetadata({ year: undefined, draft: null }, 'm', fields)).toEqual({});
  });

  it.each<[string, unknown, string]>([
    ['an unknown field', { yaer: 1 }, 'm.yaer: unknown field "yaer"; did you mean "year"?'],
    ['a field that is like no other', { publisher: 1 }, 'm.publisher: unknown field "publisher"; declared: year, tags, draft'],
    ['a string for a number', { year: '2020' }, 'm.year: must be a number, as the field is declared, got a string'],
    ['a scalar for a list', { tags: 'a' }, 'm.tags: must be a string[], as the field is declared, got a string'],
    ['a list for a scalar', { draft: [true] }, 'm.draft: must be a boolean, as the field is declared, got a list'],
    ['a list of another kind', { tags: [1] }, 'm.tags: must be a string[], as the field is declared, got a list'],
  ])('refuses %s where fields are declared', (_name, value, message) => {
    expect(() => checkMetadata(value, 'm', fields)).toThrow(message);
  });
});

describe('convertMetadata', () => {
  it('turns dates into text, without a time where it is midnight UTC', () => {
    const { metadata, warnings } = convertMetadata({
      day: new Date('2024-02-29T00:00:00Z'),
      time: new Date('2024-02-29T10:20:30.5Z'),
      days: [new Date('2024-02-29'), '2024-03'],
      far: new Date('+012345-01-01T00:00:00Z'),
    });
    expect(metadata).toEqual({
      day: '2024-02-29',
      time: '2024-02-29T10:20:30.500Z',
      days: ['2024-02-29', '2024-03'],
      far: '+012345-01-01',
    });
    expect(warnings).toEqual([]);
  });

  it('keeps what fits, drops null, and leaves out the rest with a warning each', () => {
    const { metadata, warnings } = convertMetadata({
      title: 'A',
      weight: 1.5,
      draft: false,
      tags: ['a'],
      gone: null,
      author: { name: 'B' },
      mixed: [1, 'x'],
      when: new Date(Number.NaN),
      $uri: 'x',
      holes: ['a', null],
    });
    expect(metadata).toEqual({ title: 'A', weight: 1.5, draft: false, tags: ['a'] });
    expect(warnings).toEqual([
      'metadata field "author" was left out: must be a string, a number, a boolean or a list of one of these, got an object',
      'metadata field "mixed" was left out: a list holds values of one kind, this one a number and a string',
      'metadata field "when" was left out: must be a string, a number, a boolean or a list of one of these, got a Date',
      'metadata field "$uri" was left out: field names that start with "$" are reserved',
      'metadata field "holes" was left out: must be a string, a number or a boolean, got null',
    ]);
  });

  it('leaves out a declared field of another type, and keeps an undeclared one', () => {
    expect(convertMetadata({ year: '2020', tags: ['a'], author: 'B' }, fields)).toEqual({
      metadata: { tags: ['a'], author: 'B' },
      warnings: ['metadata field "year" was left out: must be a number, as the field is declared, got a string'],
    });
  });

  it('takes nothing from nothing, and warns of what is no object', () => {
    expect(convertMetadata(null)).toEqual({ metadata: {}, warnings: [] });
    expect(convertMetadata(['a'])).toEqual({
      metadata: {},
      warnings: ['the metadata was left out: must be an object, got an array'],
    });
  });

  it('never throws, and gives only what a caller may give', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withBigInt: true, withNullPrototype: true, withSparseArray: true }), (value) => {
        const { metadata } = convertMetadata(value);
        expect(checkMetadata(metadata, 'm')).toEqual(metadata);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('fieldsFromJson', () => {
  it('reads the form of the configuration', () => {
    expect(fieldsFromJson({ year: 'number', tags: 'string[]' })).toEqual([
      { name: 'year', type: 'number' },
      { name: 'tags', type: 'string[]' },
    ]);
  });

  it.each<[string, unknown, string]>([
    [
      'an unknown type',
      { year: 'numbr' },
      'fields.year: must be one of string, number, boolean, string[], number[], boolean[], got "numbr"; did you mean "number"?',
    ],
    ['an inherited name as type', { year: 'toString' }, 'fields.year: must be one of'],
    ['a type that is no name', { year: 1 }, 'got a number'],
    ['a reserved name', { $id: 'string' }, 'fields.$id: field names that start with "$" are reserved'],
    ['a list', ['year'], 'fields: must be an object such as {"year": "number"}, got an array'],
  ])('refuses %s', (_name, json, message) => {
    expect(() => fieldsFromJson(json)).toThrow(message);
  });

  it('refuses with INPUT_INVALID', () => {
    try {
      fieldsFromJson({ year: 'date' });
      expect.unreachable();
    } catch (error) {
      expect(isRagError(error) && error.code).toBe('INPUT_INVALID');
    }
  });
});
