import type { Where } from 'chromadb';
import type { Filter, Scalar } from '../../../core/contracts.js';
import type { FilterCompiler } from '../remote/contract.js';
import { KEYS, numberFlag, otherFlag, tokenOf, URI_FLAG } from './fields.js';
import { fitsChroma } from './size.js';

/**
 * Filters as Chroma evaluates them. What it can't do stays with the core: ranges and prefixes of strings, chunk ids, numbers that
 * are not exact in its integers.
 *
 * Names and values are bound as JSON, never spliced into text, and every name gets a prefix (fields.ts): a field called `$or`, or a
 * value that reads like an operator, stays what it is.
 */
export const chromaCompiler: FilterCompiler = {
  canPush(leaf) {
    switch (leaf.op) {
      case 'startsWith':
        return false;
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return typeof leaf.value === 'number' && isExact(leaf.value) && !isVirtual(leaf.field);
      case 'contains':
      case 'containsAny':
        return !isVirtual(leaf.field);
      case 'eq':
      case 'ne':
        return leaf.field !== '$id' && isExact(leaf.value);
      case 'in':
      case 'nin':
        return leaf.field !== '$id' && leaf.values.every(isExact);
      case 'exists':
        return !isVirtual(leaf.field);
    }
  },
  fits: fitsChroma,
  compile,
};

function compile(filter: Filter): Where {
  switch (filter.op) {
    case 'and':
      return allOf(filter.filters.map(compile));
    case 'or':
      return anyOf(filter.filters.map(compile));
    case 'not':
      return complement(filter.filter);
    case 'eq':
      return isOneOf(filter.field, [filter.value]);
    case 'ne':
      return isNoneOf(filter.field, [filter.value]);
    case 'in':
      return isOneOf(filter.field, filter.values);
    case 'nin':
      return isNoneOf(filter.field, filter.values);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return compare(KEYS.scalar(filter.field), filter.op, numberOf(filter.value));
    case 'exists':
      return filter.value
        ? anyOf([has(KEYS.flags, numberFlag(filter.field)), has(KEYS.flags, otherFlag(filter.field))])
        : allOf([hasNot(KEYS.flags, numberFlag(filter.field)), hasNot(KEYS.flags, otherFlag(filter.field))]);
    case 'contains':
      return has(KEYS.list(filter.field), tokenOf(filter.value));
    case 'containsAny':
      return anyOf(filter.values.map((value) => has(KEYS.list(filter.field), tokenOf(value))));
    case 'startsWith':
      throw new TypeError('startsWith is never pushed down');
  }
}

/** Chroma has no `not`: the opposite condition, or no such field. `splitFilter` leaves `not` around these leaves only. */
function complement(filter: Filter): Where {
  switch (filter.op) {
    case 'gt':
      return isNoNumberOr(filter.field, 'lte', numberOf(filter.value));
    case 'gte':
      return isNoNumberOr(filter.field, 'lt', numberOf(filter.value));
    case 'lt':
      return isNoNumberOr(filter.field, 'gte', numberOf(filter.value));
    case 'lte':
      return isNoNumberOr(filter.field, 'gt', numberOf(filter.value));
    case 'contains':
      return hasNot(KEYS.list(filter.field), tokenOf(filter.value));
    case 'containsAny':
      return allOf(filter.values.map((value) => hasNot(KEYS.list(filter.field), tokenOf(value))));
    case 'and':
    case 'or':
    case 'not':
    case 'eq':
    case 'ne':
    case 'in':
    case 'nin':
    case 'exists':
    case 'startsWith':
      throw new TypeError(`a simplified filter has no not around ${filter.op}`);
  }
}

function isNoNumberOr(field: string, op: Range, bound: number): Where {
  return anyOf([hasNot(KEYS.flags, numberFlag(field)), compare(KEYS.scalar(field), op, bound)]);
}

/** A document's uri is stored only where it is not its id. */
function isOneOf(field: string, values: readonly Scalar[]): Where {
  if (field !== '$uri') return among(keyOf(field), values);
  return anyOf([among(KEYS.uri, values), allOf([hasNot(KEYS.flags, URI_FLAG), among(KEYS.documentId, values)])]);
}

function isNoneOf(field: string, values: readonly Scalar[]): Where {
  if (field !== '$uri') return outside(keyOf(field), values);
  return allOf([outside(KEYS.uri, values), anyOf([has(KEYS.flags, URI_FLAG), outside(KEYS.documentId, values)])]);
}

function keyOf(field: string): string {
  switch (field) {
    case '$documentId':
      return KEYS.documentId;
    case '$group':
      return KEYS.group;
    default:
      return KEYS.scalar(field);
  }
}

/** Lists of mixed types are refused, so there is one a type; a field that is missing is in none of them. */
function among(key: string, values: readonly Scalar[]): Where {
  const { lists, fractions } = byType(values);
  return anyOf([...lists.map((list) => ({ [key]: { $in: list } })), ...fractions.map((value) => equals(key, value))]);
}

function outside(key: string, values: readonly Scalar[]): Where {
  const { lists, fractions } = byType(values);
  return allOf([...lists.map((list) => ({ [key]: { $nin: list } })), ...fractions.map((value) => differs(key, value))]);
}

function byType(values: readonly Scalar[]): { readonly lists: (string | number | boolean)[][]; readonly fractions: number[] } {
  const strings = values.filter((value) => typeof value === 'string');
  const booleans = values.filter((value) => typeof value === 'boolean');
  const numbers = values.filter((value) => typeof value === 'number');
  const integers = numbers.filter(Number.isInteger);
  return {
    lists: [strings, booleans, integers].filter((list) => list.length > 0),
    fractions: numbers.filter((value) => !Number.isInteger(value)),
  };
}

type Range = 'gt' | 'gte' | 'lt' | 'lte';

/**
 * JSON has no mark for 5.0, so whole numbers are stored as integers and others as floats. Compared with an integer, Chroma cuts a
 * fraction off its operand (1 >= 1.5 is true then); the second condition puts that right and is true of every float anyway.
 */
function compare(key: string, op: Range, bound: number): Where {
  if (Number.isInteger(bound)) return { [key]: { [`$${op}`]: bound } } as Where; // a computed key widens to `string`
  switch (op) {
    case 'lt':
      return anyOf([{ [key]: { $lt: bound } }, { [key]: { $lte: Math.floor(bound) } }]);
    case 'gt':
      return anyOf([{ [key]: { $gt: bound } }, { [key]: { $gte: Math.ceil(bound) } }]);
    case 'gte':
      return allOf([{ [key]: { $gte: bound } }, { [key]: { $gt: Math.floor(bound) } }]);
    case 'lte':
      return allOf([{ [key]: { $lte: bound } }, { [key]: { $lt: Math.ceil(bound) } }]);
  }
}

function equals(key: string, fraction: number): Where {
  return allOf([{ [key]: { $eq: fraction } }, { [key]: { $gt: Math.floor(fraction) } }, { [key]: { $lt: Math.ceil(fraction) } }]);
}

function differs(key: string, fraction: number): Where {
  return anyOf([
    { [key]: { $ne: fraction } },
    { [key]: { $lte: Math.floor(fraction) } },
    { [key]: { $gte: Math.ceil(fraction) } },
  ]);
}

function has(key: string, token: string): Where {
  return { [key]: { $contains: token } };
}

/** True also where there is no such key. */
function hasNot(key: string, token: string): Where {
  return { [key]: { $not_contains: token } };
}

/** Chroma refuses lists of fewer than two. */
function allOf(parts: readonly Where[]): Where {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { $and: [...parts] };
}

function anyOf(parts: readonly Where[]): Where {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : { $or: [...parts] };
}

function isVirtual(field: string): boolean {
  return field.startsWith('$');
}

/** Beyond 2^53, whole numbers meet the server's 64-bit integers and floats in ways that JavaScript's don't. */
function isExact(value: Scalar): boolean {
  return typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function numberOf(value: string | number): number {
  if (typeof value === 'number') return value;
  throw new TypeError('a range of strings is never pushed down');
}
