import type { Filter } from '../../../core/contracts.js';
import { type FilterSubject, fieldValue } from '../../../core/filter.js';
import { Bitset } from './bitset.js';
import { createFieldIndex, type FieldIndex } from './field-index.js';

/** Fields that are kept at once; filters on more push out the ones that were used longest ago. */
const MOST_FIELDS = 64;

/** Indexes of the fields that filters have asked about so far. A field that nobody filters by costs nothing. */
export interface ScalarIndex {
  /** Those of `fields` that are not indexed yet. */
  missing(fields: ReadonlySet<string>): ReadonlySet<string>;
  /** Indexes one more chunk by the fields given. @default all that are indexed */
  add(ordinal: number, subject: FilterSubject, fields?: ReadonlySet<string>): void;
  /**
   * Starts indexing these; every live chunk must be added by them next, those aside that were in a saved one.
   * @param saved what `pack` gave, by field
   */
  start(fields: ReadonlySet<string>, saved?: ReadonlyMap<string, Uint8Array>): void;
  /** The fields that are indexed; each becomes bytes when it is called. */
  pack(): ReadonlyMap<string, () => Uint8Array>;
  readonly isEmpty: boolean;
  /** The ordinals of `universe` that a filter allows: `matches` of core/filter.ts, by index. Its fields must be indexed. */
  evaluate(filter: Filter, universe: Bitset): Bitset;
}

export function createScalarIndex(): ScalarIndex {
  /** In the order of their last use. */
  const fields = new Map<string, FieldIndex>();

  return {
    missing: (wanted) => new Set([...wanted].filter((field) => !fields.has(field))),
    add(ordinal, subject, only) {
      for (const [name, field] of fields) if (only?.has(name) ?? true) field.add(ordinal, fieldValue(subject, name));
    },
    start(wanted, saved) {
      for (const name of fields.keys()) {
        if (fields.size + wanted.size <= MOST_FIELDS) break;
        fields.delete(name);
      }
      for (const name of wanted) fields.set(name, createFieldIndex(saved?.get(name)));
    },
    pack: () => new Map([...fields].map(([name, field]) => [name, field.pack])),
    get isEmpty() {
      return fields.size === 0;
    },
    evaluate: (filter, universe) => evaluate(filter, universe).intersect(universe),
  };

  function evaluate(filter: Filter, universe: Bitset): Bitset {
    switch (filter.op) {
      case 'eq':
        return field(filter.field).equal([filter.value]);
      case 'ne':
        return field(filter.field).equal([filter.value]).complement(universe);
      case 'in':
        return field(filter.field).equal(filter.values);
      case 'nin':
        return field(filter.field).equal(filter.values).complement(universe);
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return field(filter.field).range(filter.op, filter.value);
      case 'contains':
        return field(filter.field).containing([filter.value]);
      case 'containsAny':
        return field(filter.field).containing(filter.values);
      case 'startsWith':
        return field(filter.field).startingWith(filter.value);
      case 'exists':
        return filter.value ? field(filter.field).present() : field(filter.field).present().complement(universe);
      case 'and':
        return evaluateAll(filter.filters, universe);
      case 'or':
        return filter.filters.reduce((any, part) => any.unite(evaluate(part, universe)), new Bitset());
      case 'not':
        return evaluate(filter.filter, universe).complement(universe);
    }
  }

  /** The rarest first: once nothing is left the others need not be looked at. */
  function evaluateAll(filters: readonly Filter[], universe: Bitset): Bitset {
    const all = universe.clone();
    const order = filters.map((part) => ({ part, most: mostOf(part) })).sort((left, right) => left.most - right.most);
    for (const { part } of order) {
      all.intersect(evaluate(part, universe));
      if (!all.hasAny(0, 32 * all.words.length)) break;
    }
    return all;
  }

  /** A cheap bound on what a filter finds; infinite where only evaluating it tells. */
  function mostOf(filter: Filter): number {
    if (filter.op === 'eq') return field(filter.field).estimate([filter.value]);
    return filter.op === 'in' ? field(filter.field).estimate(filter.values) : Number.POSITIVE_INFINITY;
  }

  function field(name: string): FieldIndex {
    const index = fields.get(name);
    if (index === undefined) throw new Error(`field ${name} is not indexed`);
    fields.delete(name);
    fields.set(name, index);
    return index;
  }
}
