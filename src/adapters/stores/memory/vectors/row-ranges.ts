import type { RowArray } from './vector-rows.js';

/** Rows of a range: a multiple of 32, and few megabytes to copy. */
const ROWS_A_RANGE = 8192;

/** The rows up to `rows` in ranges; all but the last one are full. */
export function rangesOf(rows: number): readonly (readonly [first: number, last: number])[] {
  return Array.from({ length: Math.ceil(rows / ROWS_A_RANGE) }, (_, index) => [
    index * ROWS_A_RANGE,
    Math.min(rows, (index + 1) * ROWS_A_RANGE),
  ]);
}

/** A copy of the arrays, one behind the other. */
export function joinRowArrays(arrays: readonly RowArray[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(arrays.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of arrays) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}

/** Copies back into the arrays what `joinRowArrays` gave for them. */
export function splitRowArrays(joined: Uint8Array | undefined, arrays: readonly RowArray[]): void {
  let at = 0;
  for (const { bytes } of arrays) {
    const part = joined?.subarray(at, at + bytes.length);
    if (part?.length !== bytes.length) throw new Error('a saved part of the vector index has another length than its head tells');
    bytes.set(part);
    at += bytes.length;
  }
}
