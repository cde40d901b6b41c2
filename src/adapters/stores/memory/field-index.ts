import type { Scalar } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import { Bitset } from './bitset.js';

/** The ordinals of one field by value: hashed for equality, sorted for ranges and prefixes. */
export interface FieldIndex {
  add(ordinal: number, value: Scalar | readonly Scalar[] | undefined): void;
  /** Those that have the field, whatever its value. */
  present(): Bitset;
  equal(values: readonly Scalar[]): Bitset;
  /** Those whose value is an array that holds one of these. */
  containing(values: readonly Scalar[]): Bitset;
  /** Those whose value is of the bound's type and stands to it as asked. */
  range(op: 'gt' | 'gte' | 'lt' | 'lte', bound: number | string): Bitset;
  startingWith(prefix: string): Bitset;
}

export function createFieldIndex(): FieldIndex {
  const withField = new Bitset();
  // A Map tells 1 from "1" and true, and takes -0 for 0, as filters do.
  const scalars = new Map<Scalar, number[]>();
  const items = new Map<Scalar, number[]>();
  /** Distinct values in order; undefined: not sorted since one was added. */
  let numbers: readonly number[] | undefined;
  let strings: readonly string[] | undefined;

  return {
    add(ordinal, value) {
      if (value === undefined) return;
      withField.add(ordinal);
      if (typeof value === 'object') {
        for (const item of new Set(value)) listOf(items, item).push(ordinal);
        return;
      }
      if (!scalars.has(value)) {
        numbers = undefined;
        strings = undefined;
      }
      listOf(scalars, value).push(ordinal);
    },
    present: () => withField.clone(),
    equal: (values) => union(scalars, values),
    containing: (values) => union(items, values),
    range(op, bound) {
      if (typeof bound === 'number') {
        numbers ??= [...scalars.keys()].filter((value) => typeof value === 'number').sort((left, right) => left - right);
        return union(
          scalars,
          slice(numbers, op, bound, (left, right) => left - right),
        );
      }
      strings ??= sortedStrings();
      return union(scalars, slice(strings, op, bound, compareText));
    },
    startingWith(prefix) {
      strings ??= sortedStrings();
      const start = firstNotBelow(strings, prefix, compareText);
      let end = start;
      while (strings[end]?.startsWith(prefix)) end++;
      return union(scalars, strings.slice(start, end));
    },
  };

  function sortedStrings(): readonly string[] {
    return [...scalars.keys()].filter((value) => typeof value === 'string').sort(compareText);
  }
}

function listOf(lists: Map<Scalar, number[]>, value: Scalar): number[] {
  let list = lists.get(value);
  if (list === undefined) {
    list = [];
    lists.set(value, list);
  }
  return list;
}

function union(lists: ReadonlyMap<Scalar, readonly number[]>, values: readonly Scalar[]): Bitset {
  const result = new Bitset();
  for (const value of values) result.addAll(lists.get(value) ?? []);
  return result;
}

function slice<Value>(
  sorted: readonly Value[],
  op: 'gt' | 'gte' | 'lt' | 'lte',
  bound: Value,
  compare: (left: Value, right: Value) => number,
): readonly Value[] {
  const notBelow = firstNotBelow(sorted, bound, compare);
  const at = sorted[notBelow];
  const above = at !== undefined && compare(at, bound) === 0 ? notBelow + 1 : notBelow;
  switch (op) {
    case 'gt':
      return sorted.slice(above);
    case 'gte':
      return sorted.slice(notBelow);
    case 'lt':
      return sorted.slice(0, notBelow);
    case 'lte':
      return sorted.slice(0, above);
  }
}

function firstNotBelow<Value>(sorted: readonly Value[], bound: Value, compare: (left: Value, right: Value) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // `middle` lies within the list.
    if (compare(sorted[middle] as Value, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
