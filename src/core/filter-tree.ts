import type { Filter, Scalar } from './contracts.js';

/** A condition on one field. */
export type FilterLeaf = Exclude<Filter, { readonly op: 'and' | 'or' | 'not' }>;

/** Two filters that, joined by and, mean the same as the one they came from; undefined: everything. */
export interface SplitFilter {
  readonly pushed?: Filter | undefined;
  readonly residual?: Filter | undefined;
}

/** Whether a store can evaluate a leaf; `negated` says that the leaf stands under `not`. */
export type CanPush = (leaf: FilterLeaf, negated: boolean) => boolean;

const EVERYTHING: Filter = { op: 'and', filters: [] };
const NOTHING: Filter = { op: 'or', filters: [] };

/**
 * Splits a filter into what a store can evaluate and what it can't. Both parts come simplified, so a compiler meets `not` only around
 * the leaves named at `simplify`, no list of one or none but an `or` of none standing alone (nothing matches), no `and` in an `and`.
 *
 * One leaf refused inside an `or` refuses all of it.
 * @example splitFilter(filter, (leaf) => leaf.op !== 'startsWith')
 */
export function splitFilter(filter: Filter, canPush: CanPush): SplitFilter {
  const simple = simplify(filter);
  const parts = simple.op === 'and' ? simple.filters : [simple];
  const pushed = parts.filter((part) => isPushable(part, false, canPush));
  const residual = parts.filter((part) => !isPushable(part, false, canPush));
  return { pushed: andFilters(...pushed), residual: andFilters(...residual) };
}

/**
 * The same meaning in its simplest form: constants folded, `and` and `or` flat, lists without doubles, lists of one unwrapped.
 * `not` stays only around `gt gte lt lte contains containsAny startsWith`: a missing field satisfies `not gt`, but not `lte`.
 */
export function simplify(filter: Filter): Filter {
  switch (filter.op) {
    case 'and':
      return joined('and', filter.filters.map(simplify));
    case 'or':
      return joined('or', filter.filters.map(simplify));
    case 'not':
      return negate(filter.filter);
    case 'in':
      return oneOf(filter.values, (value) => ({ op: 'eq', field: filter.field, value }), filter, NOTHING);
    case 'nin':
      return oneOf(filter.values, (value) => ({ op: 'ne', field: filter.field, value }), filter, EVERYTHING);
    case 'containsAny':
      return oneOf(filter.values, (value) => ({ op: 'contains', field: filter.field, value }), filter, NOTHING);
    case 'eq':
    case 'ne':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'contains':
    case 'startsWith':
    case 'exists':
      return filter;
  }
}

/** The exact complement, simplified; `not` pushed inwards as far as it goes. */
export function negate(filter: Filter): Filter {
  switch (filter.op) {
    case 'and':
      return joined('or', filter.filters.map(negate));
    case 'or':
      return joined('and', filter.filters.map(negate));
    case 'not':
      return simplify(filter.filter);
    case 'eq':
      return { ...filter, op: 'ne' };
    case 'ne':
      return { ...filter, op: 'eq' };
    case 'in':
      return simplify({ ...filter, op: 'nin' });
    case 'nin':
      return simplify({ ...filter, op: 'in' });
    case 'exists':
      return { ...filter, value: !filter.value };
    case 'containsAny': {
      const simple = simplify(filter);
      return simple === NOTHING ? EVERYTHING : { op: 'not', filter: simple };
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'contains':
    case 'startsWith':
      return { op: 'not', filter };
  }
}

/** Both (or all) must hold; undefined parts hold always. */
export function andFilters(...filters: readonly (Filter | undefined)[]): Filter | undefined {
  const parts = filters.flatMap((filter) => (filter === undefined ? [] : filter.op === 'and' ? filter.filters : [filter]));
  const [only] = parts;
  return parts.length > 1 ? { op: 'and', filters: parts } : only;
}

/** True when a filter lets everything through by its shape alone, as `{}` and `{"$and": []}` do: no selection at all. */
export function isEverything(filter: Filter | undefined): boolean {
  return filter === undefined || simplify(filter) === EVERYTHING;
}

/** A key for caches: equal for filters that differ only in order, doubled conditions, nesting or constants. */
export function canonicalFilter(filter: Filter | undefined): string {
  return keyOf(simplify(filter ?? EVERYTHING));
}

/** The fields that a filter looks at, virtual ones too. */
export function fieldsOf(filter: Filter): ReadonlySet<string> {
  if (isLeaf(filter)) return new Set([filter.field]);
  if (filter.op === 'not') return fieldsOf(filter.filter);
  return new Set(filter.filters.flatMap((part) => [...fieldsOf(part)]));
}

/** Tells conditions on a field from what joins filters. */
export function isLeaf(filter: Filter): filter is FilterLeaf {
  return 'field' in filter;
}

/** Joins simplified parts. What is neutral goes, what decides alone stands alone, the constants keep their identity. */
function joined(op: 'and' | 'or', parts: readonly Filter[]): Filter {
  const neutral = op === 'and' ? EVERYTHING : NOTHING;
  const deciding = op === 'and' ? NOTHING : EVERYTHING;
  if (parts.includes(deciding)) return deciding;
  // `neutral` is the empty form of `op`, so flattening makes it vanish. A loop, as `flatMap` took 50 ms on a deep filter of the largest size.
  const filters: Filter[] = [];
  for (const part of parts) {
    if (part.op !== op) filters.push(part);
    else for (const inner of part.filters) filters.push(inner);
  }
  const [only] = filters;
  if (only === undefined) return neutral;
  return filters.length === 1 ? only : { op, filters };
}

function oneOf(
  values: readonly Scalar[],
  single: (value: Scalar) => Filter,
  several: Filter & { op: 'in' | 'nin' | 'containsAny' },
  none: Filter,
): Filter {
  const distinct = [...new Set(values)];
  const [only] = distinct;
  if (only === undefined) return none;
  return distinct.length === 1 ? single(only) : { ...several, values: distinct };
}

function isPushable(filter: Filter, negated: boolean, canPush: CanPush): boolean {
  if (isLeaf(filter)) return canPush(filter, negated);
  if (filter.op === 'not') return isPushable(filter.filter, !negated, canPush);
  return filter.filters.every((part) => isPushable(part, negated, canPush));
}

/** JSON delimits itself and tells 1 from "1", so keys of different trees differ. */
function keyOf(filter: Filter): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      return junctionKey(filter.op, [...new Set(filter.filters.map(keyOf))]);
    case 'not':
      return `not(${keyOf(filter.filter)})`;
    case 'in':
    case 'nin':
    case 'containsAny':
      return JSON.stringify([filter.op, filter.field, filter.values.map((value) => JSON.stringify(value)).sort()]);
    case 'eq':
    case 'ne':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'contains':
    case 'startsWith':
    case 'exists':
      return JSON.stringify([filter.op, filter.field, filter.value]);
  }
}

/** What stood twice may now stand alone. */
function junctionKey(op: 'and' | 'or', keys: readonly string[]): string {
  const [only] = keys;
  return only !== undefined && keys.length === 1 ? only : `${op}(${keys.toSorted().join()})`;
}
