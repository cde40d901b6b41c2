import type { Metric } from '../../../../core/contracts.js';
import { isZeroVector } from '../../../../core/values.js';
import { createKernel, type Kernel, type KernelShape, type KernelVariant } from '../kernel/kernel.js';

/** Vectors with their codes in the kernel's memory; row = ordinal. */
export interface VectorRows {
  /** Another one after each growth. */
  readonly kernel: Kernel;
  /** Rows in use: one more than the highest ever put. */
  readonly count: number;
  /** Takes a vector as a row; what lies between it and the rows before stays empty. A zero vector is none. */
  put(row: number, vector: Float32Array): void;
  /** @returns whether it was there */
  drop(row: number): boolean;
  has(row: number): boolean;
  /** Makes room for `rows` and takes them as in use. */
  reserve(rows: number): void;
}

/** An array of the kernel's memory, as far as some rows go. */
export interface RowArray {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Memory that isn't touched costs nothing, so room is made for many at once: growing copies all. */
const GROWTH = 4;
const LEAST_CAPACITY = 4096;
/**
 * Below this the vectors themselves are kept and no second code: they are small, and few numbers make a code's rounding felt. At 384
 * dimensions a second code brings scores within 0.00003.
 */
const FEW_DIMENSIONS = 64;

/**
 * @param capacity rows that will surely come; more may
 * @param variant for tests
 */
export function createVectorRows(dimensions: number, metric: Metric, capacity: number, variant?: KernelVariant): VectorRows {
  const make = (rows: number): Kernel => {
    const shape: KernelShape = {
      dimensions,
      capacity: Math.ceil(Math.max(rows, LEAST_CAPACITY) / 32) * 32,
      byDistance: metric === 'l2',
      keepsFloats: dimensions < FEW_DIMENSIONS,
    };
    return createKernel(shape, variant);
  };
  let kernel = make(capacity);
  let count = 0;

  return {
    get kernel() {
      return kernel;
    },
    get count() {
      return count;
    },
    put(row, vector) {
      if (isZeroVector(vector)) return;
      reserve(row + 1);
      setQueryVector(kernel, vector);
      kernel.exports.encode(row);
      const at = presentByte(row);
      at[0] = (at[0] ?? 0) | (1 << (row & 7));
    },
    drop(row) {
      if (!has(row)) return false;
      const at = presentByte(row);
      at[0] = (at[0] ?? 0) & ~(1 << (row & 7));
      return true;
    },
    has,
    reserve,
  };

  function has(row: number): boolean {
    return row < count && (((presentByte(row)[0] ?? 0) >> (row & 7)) & 1) === 1;
  }

  function reserve(rows: number): void {
    if (rows > kernel.shape.capacity) {
      const larger = make(rows * GROWTH);
      copyRows(kernel, larger, count);
      kernel = larger;
    }
    count = Math.max(count, rows);
  }

  function presentByte(row: number): Uint8Array {
    return kernel.bytes(kernel.exports.present, (row >> 3) + 1).subarray(row >> 3);
  }
}

/** Puts a vector where the kernel looks for a query, or for what it shall encode. */
export function setQueryVector(kernel: Kernel, vector: Float32Array): void {
  const { buffer, byteOffset } = kernel.bytes(kernel.exports.queryFloats, 0);
  new Float32Array(buffer, byteOffset, vector.length).set(vector);
}

/** The arrays that tell of vectors, from row `first` (a multiple of 32) to `last`. */
export function vectorArrays(kernel: Kernel, first: number, last: number): readonly RowArray[] {
  const { exports, shape } = kernel;
  const stride = exports.stride.value;
  return [
    slice(kernel, 'codes', first, last, stride),
    slice(kernel, 'seconds', first, last, shape.keepsFloats ? 4 * stride : stride),
    slice(kernel, 'scales', first, last, 4),
    slice(kernel, 'norms', first, last, shape.byDistance ? 4 : 0),
    slice(kernel, 'present', first, last, 1 / 8),
  ];
}

/** How many rows up to `rows`, a multiple of 32, are present. Leaves another mask behind. */
export function countPresent(kernel: Kernel, rows: number): number {
  kernel.bytes(kernel.exports.mask, rows / 8).fill(0xff);
  return kernel.exports.intersectMask(0, rows);
}

/** The arrays that tell of the graph, from row `first` (a multiple of 32) to `last`. */
export function graphArrays(kernel: Kernel, first: number, last: number): readonly RowArray[] {
  return [
    slice(kernel, 'links', first, last, 128),
    slice(kernel, 'uppers', first, last, 4),
    slice(kernel, 'twins', first, last, 4),
    slice(kernel, 'levels', first, last, 1),
  ];
}

/** Lists of links above the bottom: of all rows, in the order in which they came. */
export function upperLists(kernel: Kernel, count = kernel.exports.listCount.value): RowArray {
  return slice(kernel, 'upperLists', 0, count, 64);
}

function slice(kernel: Kernel, name: ArrayName, first: number, last: number, bytesPerRow: number): RowArray {
  const end = Math.ceil(last * bytesPerRow);
  return { name, bytes: kernel.bytes(kernel.exports[name], end).subarray(first * bytesPerRow) };
}

type ArrayName = 'codes' | 'seconds' | 'scales' | 'norms' | 'present' | 'links' | 'uppers' | 'twins' | 'levels' | 'upperLists';

function copyRows(from: Kernel, to: Kernel, rows: number): void {
  const lists = from.exports.listCount.value;
  const source = [...vectorArrays(from, 0, rows), ...graphArrays(from, 0, rows), upperLists(from)];
  const target = [...vectorArrays(to, 0, rows), ...graphArrays(to, 0, rows), upperLists(to, lists)];
  for (const [index, { bytes }] of source.entries()) target[index]?.bytes.set(bytes);
  to.exports.setListCount(lists);
  const entry = from.exports.entry.value;
  if (entry > 0) to.exports.setEntry(entry - 1, from.exports.entryLevel.value);
}
