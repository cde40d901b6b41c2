import type { DocumentRow, Filter, Metadata, Scalar } from './contracts.js';
import { compareText } from './ids.js';

export { filterToJson } from './filter-json.js';
export { MAX_FILTER_DEPTH, MAX_FILTER_SIZE, type ParseFilterOptions, parseFilter } from './filter-parse.js';
export {
  andFilters,
  type CanPush,
  canonicalFilter,
  type FilterLeaf,
  fieldsOf,
  isEverything,
  isLeaf,
  negate,
  type SplitFilter,
  simplify,
  splitFilter,
} from './filter-tree.js';

/** What a filter looks at; every `Chunk` is one. */
export interface FilterSubject {
  readonly id: string;
  readonly documentId: string;
  readonly uri: string;
  /** A document has none. */
  readonly group?: string | undefined;
  readonly metadata: Metadata;
}

/**
 * The meaning of a filter: every store must answer as if it had called this on each chunk.
 *
 * Types are compared strictly, strings by code point. A missing field satisfies `ne`, `nin` and `not`; `eq` and `in` never match an
 * array, `contains` and `containsAny` match nothing else. `ne`, `nin` and `not` are the exact complements of `eq`, `in` and the filter.
 * An empty `in`, `containsAny` or `or` matches nothing, an empty `nin` or `and` everything. -0 equals 0.
 */
export function matches(filter: Filter, subject: FilterSubject): boolean {
  switch (filter.op) {
    case 'eq':
      return fieldValue(subject, filter.field) === filter.value;
    case 'ne':
      return fieldValue(subject, filter.field) !== filter.value;
    case 'in':
      return isOneOf(fieldValue(subject, filter.field), filter.values);
    case 'nin':
      return !isOneOf(fieldValue(subject, filter.field), filter.values);
    case 'gt':
      return compare(fieldValue(subject, filter.field), filter.value) > 0;
    case 'gte':
      return compare(fieldValue(subject, filter.field), filter.value) >= 0;
    case 'lt':
      return compare(fieldValue(subject, filter.field), filter.value) < 0;
    case 'lte':
      return compare(fieldValue(subject, filter.field), filter.value) <= 0;
    case 'contains': {
      const value = fieldValue(subject, filter.field);
      return Array.isArray(value) && value.includes(filter.value);
    }
    case 'containsAny': {
      const value = fieldValue(subject, filter.field);
      return Array.isArray(value) && value.some((item) => isOneOf(item, filter.values));
    }
    case 'startsWith': {
      const value = fieldValue(subject, filter.field);
      return typeof value === 'string' && value.startsWith(filter.value);
    }
    case 'exists':
      return (fieldValue(subject, filter.field) !== undefined) === filter.value;
    case 'and':
      for (const part of filter.filters) if (!matches(part, subject)) return false;
      return true;
    case 'or':
      for (const part of filter.filters) if (matches(part, subject)) return true;
      return false;
    case 'not':
      return !matches(filter.filter, subject);
  }
}

/** A manifest row as a filter sees it: `$id` and `$documentId` are both its id, `$group` is missing. */
export function documentSubject(row: DocumentRow): FilterSubject {
  return { id: row.id, documentId: row.id, uri: row.uri, metadata: row.metadata };
}

/** The value that a filter means by `field`: a virtual one or the metadata's own; undefined: missing. */
export function fieldValue(subject: FilterSubject, field: string): Scalar | readonly Scalar[] | undefined {
  switch (field) {
    case '$id':
      return subject.id;
    case '$documentId':
      return subject.documentId;
    case '$uri':
      return subject.uri;
    case '$group':
      return subject.group;
    default:
      // Own properties only: a field called `constructor` is missing unless somebody set it.
      return Object.hasOwn(subject.metadata, field) ? subject.metadata[field] : undefined;
  }
}

/** Lists longer than this are looked up in a set: a thousand values cost 3.3 µs a row one by one, and under 0.1 µs so. */
const LONG_LIST = 16;
const SETS = new WeakMap<readonly Scalar[], ReadonlySet<unknown>>();

function isOneOf(value: unknown, values: readonly Scalar[]): boolean {
  if (values.length > LONG_LIST) return setOf(values).has(value);
  for (const candidate of values) if (candidate === value) return true;
  return false;
}

/** Trees never change, so a list's set is made once and lives as long as the list. */
function setOf(values: readonly Scalar[]): ReadonlySet<unknown> {
  const present = SETS.get(values);
  if (present !== undefined) return present;
  const made = new Set<unknown>(values);
  SETS.set(values, made);
  return made;
}

/** NaN, which is neither above, below nor equal, where the two don't compare. */
function compare(value: Scalar | readonly Scalar[] | undefined, bound: number | string): number {
  if (typeof value === 'number' && typeof bound === 'number') return value - bound;
  if (typeof value === 'string' && typeof bound === 'string') return compareText(value, bound);
  return Number.NaN;
}
