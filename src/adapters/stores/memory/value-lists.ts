import type { Scalar } from '../../../core/contracts.js';
import type { Bitset } from './bitset.js';
import { asWords, joinArrays, splitArrays } from './saved-bytes.js';

/** The ordinals of each value of a field, in ascending order. */
export interface ValueLists {
  add(value: Scalar, ordinal: number): void;
  /** Adds the ordinals of a value to a set. */
  collect(value: Scalar, into: Bitset): void;
  /** How many ordinals a value has. */
  count(value: Scalar): number;
  /** All numbers in ascending order, or all strings by code point. */
  numbers(): readonly number[];
  strings(): readonly string[];
  pack(): Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What was there at the start lies packed, list behind list, in one typed array; what comes later is appended to lists of its own. A Map tells
 * 1 from "1" and true, and takes -0 for 0, as filters do.
 * @param compare the order of strings
 * @param packed by `pack`
 */
export function createValueLists(compare: (left: string, right: string) => number, packed?: Uint8Array): ValueLists {
  const [text, startBytes, ordinalBytes] = packed === undefined ? [] : splitArrays(packed);
  // Written by `pack`.
  const values = text === undefined ? [] : (JSON.parse(decoder.decode(text)) as readonly Scalar[]);
  const places = new Map(values.map((value, place) => [value, place]));
  const starts = startBytes === undefined ? new Uint32Array(1) : asWords(startBytes);
  const ordinals = ordinalBytes === undefined ? new Uint32Array(0) : asWords(ordinalBytes);
  const grown = new Map<Scalar, number[]>();
  /** Undefined: not sorted since a value was added. */
  let numbers: readonly number[] | undefined;
  let strings: readonly string[] | undefined;

  const packedOf = (value: Scalar): Uint32Array => {
    const place = places.get(value);
    return place === undefined ? ordinals.subarray(0, 0) : ordinals.subarray(starts[place], starts[place + 1]);
  };
  const allValues = (): readonly Scalar[] => [...places.keys(), ...[...grown.keys()].filter((value) => !places.has(value))];

  return {
    add(value, ordinal) {
      const list = grown.get(value);
      if (list !== undefined) {
        list.push(ordinal);
        return;
      }
      grown.set(value, [ordinal]);
      numbers = undefined;
      strings = undefined;
    },
    collect(value, into) {
      const own = packedOf(value);
      for (let at = 0; at < own.length; at++) into.add(own[at] ?? 0);
      for (const ordinal of grown.get(value) ?? []) into.add(ordinal);
    },
    count: (value) => packedOf(value).length + (grown.get(value)?.length ?? 0),
    numbers() {
      numbers ??= allValues()
        .filter((value) => typeof value === 'number')
        .sort((left, right) => left - right);
      return numbers;
    },
    strings() {
      strings ??= allValues()
        .filter((value) => typeof value === 'string')
        .sort(compare);
      return strings;
    },
    pack() {
      const all = allValues();
      const ends = new Uint32Array(all.length + 1);
      for (const [place, value] of all.entries()) {
        ends[place + 1] = (ends[place] ?? 0) + packedOf(value).length + (grown.get(value)?.length ?? 0);
      }
      const joined = new Uint32Array(ends.at(-1) ?? 0);
      for (const [place, value] of all.entries()) {
        const own = packedOf(value);
        joined.set(own, ends[place]);
        joined.set(grown.get(value) ?? [], (ends[place] ?? 0) + own.length);
      }
      return joinArrays([encoder.encode(JSON.stringify(all)), ends, joined]);
    },
  };
}
