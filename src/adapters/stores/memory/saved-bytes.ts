/** Typed arrays as bytes and back. Little-endian, as every platform is that Node runs on, s390x aside. */

type Numbers = Uint8Array | Uint32Array | Float64Array;

/** Bodies begin at multiples of eight, where any typed array may. */
const ALIGNMENT = 8;

/** The bytes of a typed array, not copied. */
export function asBytes(numbers: Numbers): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** The 32-bit numbers in bytes; copied only where they begin askew. */
export function asWords(bytes: Uint8Array): Uint32Array {
  const at = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(at.buffer, at.byteOffset, at.byteLength >>> 2);
}

/** The doubles in bytes; copied only where they begin askew. */
export function asDoubles(bytes: Uint8Array): Float64Array {
  const at = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  return new Float64Array(at.buffer, at.byteOffset, at.byteLength >>> 3);
}

/** Joins several arrays: how many there are, the length of each in bytes, then one behind the other. */
export function joinArrays(arrays: readonly Numbers[]): Uint8Array {
  const starts = startsOf(arrays.map(({ byteLength }) => byteLength));
  const joined = new Uint8Array(starts.at(-1) ?? 0);
  asWords(joined.subarray(0, 4 + 4 * arrays.length)).set([arrays.length, ...arrays.map(({ byteLength }) => byteLength)]);
  for (const [index, array] of arrays.entries()) joined.set(asBytes(array), starts[index]);
  return joined;
}

/** The inverse of `joinArrays`; views where `joined` begins at a multiple of eight. */
export function splitArrays(joined: Uint8Array): readonly Uint8Array[] {
  const head = asWords(joined.subarray(0, joined.length & ~3));
  const lengths = Array.from(head.subarray(1, 1 + (head[0] ?? 0)));
  const starts = startsOf(lengths);
  return lengths.map((length, index) => joined.subarray(starts[index], (starts[index] ?? 0) + length));
}

/** Where each body begins, and where the last one ends. */
function startsOf(lengths: readonly number[]): readonly number[] {
  const starts = [aligned(4 + 4 * lengths.length)];
  for (const [index, length] of lengths.entries()) starts.push(aligned((starts[index] ?? 0) + length));
  return starts;
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
