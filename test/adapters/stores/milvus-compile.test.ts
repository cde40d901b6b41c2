import { describe, expect, it } from 'vitest';
import { compileFilter, milvusCompiler } from '../../../src/adapters/stores/milvus/compile.js';
import { literal } from '../../../src/adapters/stores/milvus/literal.js';
import type { Field, Filter } from '../../../src/core/contracts.js';
import { parseFilter, splitFilter } from '../../../src/core/filter.js';
import type { FilterJson } from '../../../src/core/types.js';
import { filterTable, randomFilters } from '../../contracts/filters.js';

const FIELDS: readonly Field[] = [
  { name: 'year', type: 'number' },
  { name: 'lang', type: 'string' },
  { name: 'draft', type: 'boolean' },
  { name: 'tags', type: 'string[]' },
  { name: 'a "b"', type: 'string' },
];

/** Filter, its expression on declared fields, its expression on none. */
const TABLE: readonly (readonly [json: FilterJson, declared: string, undeclared: string])[] = [
  [{ year: 2020 }, '((has_field__year == true) and (field__year == 2020))', 'json_contains_any(metadata["number:year"], [2020])'],
  [
    { year: { $ne: 1.5 } },
    '(not ((has_field__year == true) and (field__year == 1.5)))',
    '(not json_contains_any(metadata["number:year"], [1.5]))',
  ],
  // A declared field may hold another type all the same: the JSON knows.
  [
    { year: '2020' },
    'json_contains_any(metadata["string:year"], ["2020"])',
    'json_contains_any(metadata["string:year"], ["2020"])',
  ],
  [
    { year: { $gte: -0 } },
    '((has_field__year == true) and (field__year >= 0))',
    '((exists metadata["number:year"]) and (metadata["number:year"][0] >= 0))',
  ],
  [
    { $not: { lang: { $gt: 'en' } } },
    '(not ((has_field__lang == true) and (field__lang > "en")))',
    '(not ((exists metadata["string:lang"]) and (metadata["string:lang"][0] > "en")))',
  ],
  [
    { lang: { $startsWith: 'a_' } },
    '(((has_field__lang == true) and (field__lang >= "a_")) and (field__lang < "a`"))',
    '(((exists metadata["string:lang"]) and (metadata["string:lang"][0] >= "a_")) and (metadata["string:lang"][0] < "a`"))',
  ],
  [
    { lang: { $in: ['en', 'de', 1, 2.5, 3] } },
    '(((has_field__lang == true) and (field__lang in ["en", "de"])) or (json_contains_any(metadata["number:lang"], [1, 3]) or json_contains_any(metadata["number:lang"], [2.5])))',
    '(json_contains_any(metadata["string:lang"], ["en", "de"]) or (json_contains_any(metadata["number:lang"], [1, 3]) or json_contains_any(metadata["number:lang"], [2.5])))',
  ],
  [
    { draft: { $in: [true, false] } },
    '((has_field__draft == true) and ((field__draft == true) or (field__draft == false)))',
    'json_contains_any(metadata["boolean:draft"], [true, false])',
  ],
  [
    { tags: { $contains: 'x' } },
    'json_contains_any(metadata["string[]:tags"], ["x"])',
    'json_contains_any(metadata["string[]:tags"], ["x"])',
  ],
  [
    { lang: { $exists: false } },
    '(not json_contains_any(metadata["fields"], ["lang"]))',
    '(not json_contains_any(metadata["fields"], ["lang"]))',
  ],
  [
    { 'a "b"': 'c\\"d\n' },
    '((has_field_x34838019 == true) and (field_x34838019 == "c\\\\\\"d\\n"))',
    'json_contains_any(metadata["string:a \\"b\\""], ["c\\\\\\"d\\n"])',
  ],
  [{ $group: 'default' }, '(chunk_group == "default")', '(chunk_group == "default")'],
  [{ $documentId: { $in: ['a', 'b'] } }, '(document_id in ["a", "b"])', '(document_id in ["a", "b"])'],
  [{ $uri: { $exists: true } }, '(not (row_id in []))', '(not (row_id in []))'],
  [
    { year: 1, $or: [{ lang: 'en' }, { draft: true }] },
    '(((has_field__year == true) and (field__year == 1)) and (((has_field__lang == true) and (field__lang == "en")) or ((has_field__draft == true) and (field__draft == true))))',
    '(json_contains_any(metadata["number:year"], [1]) and (json_contains_any(metadata["string:lang"], ["en"]) or json_contains_any(metadata["boolean:draft"], [true])))',
  ],
];

describe('a filter as a Milvus expression', () => {
  it.each(TABLE)('%j', (json, declared, undeclared) => {
    expect(withShortHashes(compile(json, FIELDS))).toBe(declared);
    expect(compile(json, [])).toBe(undeclared);
  });

  it('tells the declared fields whose columns it asks', () => {
    const filter = parse({ year: { $gt: 1 }, lang: { $ne: 'en' }, tags: { $contains: 'x' }, draft: 'no', free: 1 });
    expect(compileFilter(filter, FIELDS).fields).toEqual(['year', 'lang']);
  });

  it('gives a text that no prefix has any more, by code point', () => {
    const end = (prefix: string) => /< "(.*)"\)\)$/su.exec(compile({ $uri: { $startsWith: prefix } }, []))?.[1];
    expect(end('a')).toBe('b');
    expect(end('\ud7ff')).toBe('\ue000');
    expect(end('🙂')).toBe('🙃');
    expect(end('a\u{10ffff}')).toBe('b');
    expect(compile({ $uri: { $startsWith: '\u{10ffff}' } }, [])).toBe('(uri >= "\u{10ffff}")');
    expect(end('!')).toBe('\\"');
    expect(end('[')).toBe('\\\\');
  });

  it('pushes everything but long lists and whole numbers that servers read differently', () => {
    const filters = [...filterTable().flatMap(({ json }) => parseFilter(json) ?? []), ...randomFilters(3, 500)];
    for (const filter of filters) expect(splitFilter(filter, milvusCompiler.canPush).residual).toBeUndefined();
    const values = Array.from({ length: 1001 }, (_, index) => index);
    for (const filter of [
      { op: 'in', field: 'a', values },
      { op: 'gt', field: 'a', value: 2 ** 53 },
      { op: 'nin', field: 'a', values: [1, 2 ** 60] },
    ] satisfies Filter[]) {
      expect(splitFilter(filter, milvusCompiler.canPush)).toMatchObject({ pushed: undefined, residual: filter });
    }
    expect(splitFilter({ op: 'gt', field: 'a', value: 1e300 }, milvusCompiler.canPush).residual).toBeUndefined();
  });

  it('never lets a value or a field name out of its quotes', () => {
    for (const attack of ['x" or row_id != "', '\\" or row_id != "', '\\', '"', "' or 1 == 1", 'x\\\\" or "']) {
      for (const json of [
        { free: attack },
        { [attack]: { $gte: attack } },
        { $uri: { $startsWith: attack } },
        { tags: { $contains: attack } },
      ]) {
        const outside = compile(json, []).replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""');
        expect(outside).toMatch(/^(?:metadata\[""\](?:\[0\])?|json_contains_any|exists|and|or|uri|""|[()[\],<>= ])*$/);
        expect(outside).not.toContain(' or ');
      }
    }
  });

  it('halves long chains, which a server nests as deep as they are long, and tells how deep it nests', () => {
    const leaves = Array.from({ length: 5000 }, (_, value): Filter => ({ op: 'gt', field: '(', value }));
    expect(compileFilter({ op: 'or', filters: leaves }, []).depth).toBe(15);
    expect(compileFilter({ op: 'eq', field: '(((', value: '((\\"((' }, []).depth).toBe(1);
  });
});

describe('a literal', () => {
  it.each([
    ['plain', '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['line\nend\r\ttab', '"line\\nend\\r\\ttab"'],
    ['\0\u0001 é 漢 🙂', '"\0\u0001 é 漢 🙂"'],
    [true, 'true'],
    [-0, '0'],
    [1e300, '1e+300'],
    [-1.5, '-1.5'],
  ])('%j', (value, text) => {
    expect(literal(value)).toBe(text);
  });
});

function compile(json: FilterJson, fields: readonly Field[]): string {
  return compileFilter(parse(json), fields).expression;
}

function parse(json: FilterJson): Filter {
  const filter = parseFilter(json);
  if (filter === undefined) throw new Error('everything');
  return filter;
}

/** Hashed column names, cut for reading. */
function withShortHashes(expression: string): string {
  return expression.replaceAll(/(field_x[0-9a-f]{8})[0-9a-f]{16}/g, '$1');
}
