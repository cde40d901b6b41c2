import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/core/contracts.js';
import { isRagError } from '../../src/core/errors.js';
import {
  canonicalFilter,
  type FilterSubject,
  fieldsOf,
  filterToJson,
  isLeaf,
  matches,
  negate,
  parseFilter,
  simplify,
  splitFilter,
} from '../../src/core/filter.js';
import { checkMetadata } from '../../src/core/metadata.js';
import { filterTable, randomFilters, sampleMetadata } from '../contracts/filters.js';

const rows: readonly FilterSubject[] = sampleMetadata().map((metadata, index) => ({
  id: `chunk-${index}`,
  documentId: `document-${index % 7}`,
  uri: `${'abc'[index % 3]}/file.md`,
  group: index % 2 === 0 ? 'default' : 'other',
  metadata,
}));
const EVERYTHING: Filter = { op: 'and', filters: [] };
const filters = [...filterTable().map(({ json }) => parseFilter(json) ?? EVERYTHING), ...randomFilters(1, 3000)];

/** Ids of the rows that a filter lets through. */
function selected(filter: Filter): readonly string[] {
  return rows.filter((row) => matches(filter, row)).map((row) => row.id);
}

/** The same filter with every list in another order. */
function reversed(filter: Filter): Filter {
  if (filter.op === 'not') return { op: 'not', filter: reversed(filter.filter) };
  if (!isLeaf(filter)) return { op: filter.op, filters: filter.filters.map(reversed).reverse() };
  return 'values' in filter ? { ...filter, values: filter.values.toReversed() } : filter;
}

/** Every `not` that is left, by the operator that it stands around. */
function negatedOperators(filter: Filter): readonly string[] {
  if (isLeaf(filter)) return [];
  return filter.op === 'not' ? [filter.filter.op, ...negatedOperators(filter.filter)] : filter.filters.flatMap(negatedOperators);
}

describe('the sample', () => {
  it('is metadata that a caller may give', () => {
    for (const { metadata } of rows) expect(checkMetadata(metadata, 'metadata')).toEqual(metadata);
  });

  it('tells most filters apart: few select nothing or everything', () => {
    const sizes = filters.map((filter) => selected(filter).length);
    const telling = sizes.filter((size) => size > 0 && size < rows.length);
    expect(telling.length / sizes.length).toBeGreaterThan(0.4);
  });

  it('is the same for the same seed only', () => {
    expect(randomFilters(7, 50)).toEqual(randomFilters(7, 50));
    expect(randomFilters(7, 50)).not.toEqual(randomFilters(8, 50));
  });

  it('uses every operator', () => {
    const operators = new Set<string>();
    const visit = (filter: Filter): void => {
      operators.add(filter.op);
      if (filter.op === 'not') visit(filter.filter);
      else if (!isLeaf(filter)) filter.filters.forEach(visit);
    };
    randomFilters(1, 500).forEach(visit);
    expect(operators.size).toBe(15);
  });
});

describe('laws, over the table and 3,000 random filters', () => {
  it('not and negate are exact complements', () => {
    for (const filter of filters) {
      const chosen = new Set(selected(filter));
      const others = rows.filter((row) => !chosen.has(row.id)).map((row) => row.id);
      expect(selected({ op: 'not', filter })).toEqual(others);
      expect(selected(negate(filter)), JSON.stringify(filter)).toEqual(others);
    }
  });

  it('simplify keeps the meaning, is done after once, and leaves not only where it must', () => {
    const irreducible = new Set(['gt', 'gte', 'lt', 'lte', 'contains', 'containsAny', 'startsWith']);
    for (const filter of filters) {
      const simple = simplify(filter);
      expect(selected(simple), JSON.stringify(filter)).toEqual(selected(filter));
      expect(simplify(simple)).toEqual(simple);
      expect(negatedOperators(simple).filter((operator) => !irreducible.has(operator))).toEqual([]);
    }
  });

  it('a split means the same as the whole, and pushes only what may be pushed', () => {
    const rules: readonly ((leaf: { readonly op: string; readonly field: string }, negated: boolean) => boolean)[] = [
      (leaf) => leaf.op !== 'startsWith',
      (leaf) => leaf.field < 'm',
      (_leaf, negated) => !negated,
      () => false,
      () => true,
    ];
    for (const filter of filters) {
      for (const canPush of rules) {
        const { pushed = EVERYTHING, residual = EVERYTHING } = splitFilter(filter, canPush);
        expect(selected({ op: 'and', filters: [pushed, residual] }), JSON.stringify(filter)).toEqual(selected(filter));
        expect(splitFilter(pushed, canPush).residual).toBeUndefined();
      }
      expect(splitFilter(filter, () => true).residual).toBeUndefined();
    }
  });

  it('the JSON form means the same, also as text', () => {
    for (const filter of filters) {
      const json: unknown = JSON.parse(JSON.stringify(filterToJson(filter)));
      expect(selected(parseFilter(json) ?? EVERYTHING), JSON.stringify(filter)).toEqual(selected(filter));
    }
  });

  it('the canonical key is blind to order, and equal keys mean the same', () => {
    const meanings = new Map<string, readonly string[]>();
    for (const filter of filters) {
      const key = canonicalFilter(filter);
      expect(canonicalFilter(reversed(filter))).toBe(key);
      expect(canonicalFilter(parseFilter(filterToJson(filter)))).toBe(key);
      expect(meanings.get(key) ?? selected(filter)).toEqual(selected(filter));
      meanings.set(key, selected(filter));
    }
  });

  it('fieldsOf names all that can decide', () => {
    for (const filter of filters) {
      const fields = fieldsOf(filter);
      const stripped = rows.map((row) => ({
        ...row,
        metadata: Object.fromEntries(Object.entries(row.metadata).filter(([name]) => fields.has(name))),
      }));
      expect(stripped.filter((row) => matches(filter, row)).map((row) => row.id)).toEqual(selected(filter));
    }
  });
});

describe('parseFilter on anything', () => {
  const operators = [
    '$eq',
    '$ne',
    '$gt',
    '$gte',
    '$lt',
    '$lte',
    '$in',
    '$nin',
    '$exists',
    '$contains',
    '$containsAny',
    '$startsWith',
  ];
  const keys = fc.oneof(
    fc.constantFrom(...operators, '$and', '$or', '$not', '$id', '__proto__', 'constructor', 'year', '', '$'),
    fc.string({ unit: 'binary' }),
  );
  const values = fc.anything({
    key: keys,
    maxDepth: 6,
    withNullPrototype: true,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSparseArray: true,
  });

  it('gives a filter or INPUT_INVALID, never another error', () => {
    fc.assert(
      fc.property(values, (json) => {
        try {
          const filter = parseFilter(json);
          if (filter !== undefined) selected(filter);
        } catch (error) {
          expect(isRagError(error) && error.code).toBe('INPUT_INVALID');
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('leaves Object.prototype alone', () => {
    const json: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
    expect(() => parseFilter(json)).toThrow();
    expect('polluted' in {}).toBe(false);
  });
});
