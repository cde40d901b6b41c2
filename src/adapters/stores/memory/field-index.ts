import type { Scalar } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import { Bitset } from './bitset.js';
import { asWords, joinArrays, splitArrays } from './saved-bytes.js';
import { createValueLists, type ValueLists } from './value-lists.js';

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
  /** How many have one of these values, dead ones too: known without looking at any. */
  estimate(values: readonly Scalar[]): number;
  /** Everything, as bytes to make another one from. */
  pack(): Uint8Array;
}

/** @param packed by `pack` of one like this */
export function createFieldIndex(packed?: Uint8Array): FieldIndex {
  const [presentBytes, scalarBytes, itemBytes] = packed === undefined ? [] : splitArrays(packed);
  const withField = new Bitset();
  if (presentBytes !== undefined) withField.words = asWords(presentBytes).slice();
  const scalars = createValueLists(compareText, scalarBytes);
  const items = createValueLists(compareText, itemBytes);

  return {
    add(ordinal, value) {
      if (value === undefined) return;
      withField.add(ordinal);
      if (typeof value !== 'object') scalars.add(value, ordinal);
      else for (const item of new Set(value)) items.add(item, ordinal);
    },
    present: () => withField.clone(),
    equal: (values) => union(scalars, values),
    containing: (values) => union(items, values),
    range(op, bound) {
      if (typeof bound === 'number') {
        return union(
          scalars,
          slice(scalars.numbers(), op, bound, (left, right) => left - right),
        );
      }
      return union(scalars, slice(scalars.strings(), op, bound, compareText));
    },
    startingWith(prefix) {
      const strings = scalars.strings();
      const start = firstNotBelow(strings, prefix, compareText);
      let end = start;
      while (strings[end]?.startsWith(prefix)) end++;
      return union(scalars, strings.slice(start, end));
    },
    estimate: (values) => values.reduce<number>((sum, value) => sum + scalars.count(value), 0),
    pack: () => joinArrays([withField.words, scalars.pack(), items.pack()]),
  };
}

function union(lists: ValueLists, values: readonly Scalar[]): Bitset {
  const result = new Bitset();
  for (const value of values) lists.collect(value, result);
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
