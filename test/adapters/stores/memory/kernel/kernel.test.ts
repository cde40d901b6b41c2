import { describe, expect, it } from 'vitest';
import {
  bestVariant,
  createKernel,
  type Kernel,
  type KernelShape,
  type KernelVariant,
} from '../../../../../src/adapters/stores/memory/kernel/kernel.js';
import { setQueryVector } from '../../../../../src/adapters/stores/memory/vectors/vector-rows.js';
import { makeVector } from '../../../../support/chunks.js';

const SHAPES = [1, 2, 7, 16, 17, 100, 256, 384, 385, 768, 1024, 1536, 8192];
const ROWS = 24;

describe('the kernel', () => {
  it.each(SHAPES)('sums codes of %i dimensions exactly', (dimensions) => {
    const kernel = filled(dimensions, 'plain');
    const query = makeVector('query', dimensions);
    setQueryVector(kernel, query);
    kernel.exports.prepareQuery();
    const codes = kernel.bytes(kernel.exports.codes, ROWS * kernel.exports.stride.value);
    const scales = floats(kernel, kernel.exports.scales, ROWS);
    expect(keysOf(kernel)).toEqual(
      Array.from({ length: ROWS }, (_, row) => referenceKey(query, codes, scales, row, kernel.exports.stride.value)),
    );
  });

  it.each(SHAPES)('gives close scores of %i dimensions', (dimensions) => {
    for (const byDistance of [false, true]) {
      const kernel = filled(dimensions, 'plain', byDistance);
      const query = makeVector('query', dimensions);
      setQueryVector(kernel, query);
      const { exports } = kernel;
      kernel.bytes(exports.mask, 8).fill(0xff);
      expect(exports.scoreRows(0, ROWS)).toBe(ROWS);
      const scores = floats(kernel, exports.scoresOut, ROWS);
      for (const [row, score] of scores.entries()) {
        const vector = makeVector(`row ${row}`, dimensions);
        const exact = vector.reduce((sum, value, at) => {
          const other = query[at] ?? 0;
          return sum + (byDistance ? (value - other) ** 2 : value * other);
        }, 0);
        expect(Math.abs(score - exact)).toBeLessThan(dimensions < 64 ? 1e-4 : 3e-5);
      }
    }
  });

  // Relaxed SIMD came with Node 22.
  it.skipIf(bestVariant() === 'plain')('gives the same bits in both builds', () => {
    for (const dimensions of SHAPES) expect(fingerprint(dimensions, 'relaxed')).toEqual(fingerprint(dimensions, 'plain'));
  });

  it('takes a build that this engine can run', () => {
    expect(createKernel(shapeOf(3)).variant).toBe(bestVariant());
  });

  it('refuses more rows than can be addressed', () => {
    expect(() => createKernel({ ...shapeOf(8192), capacity: 1_000_000 })).toThrow(/can be addressed/);
  });
});

/** Keys, links and scores of some rows: everything that a search depends on. */
function fingerprint(dimensions: number, variant: KernelVariant): unknown {
  const kernel = filled(dimensions, variant);
  const { exports } = kernel;
  for (let row = 0; row < ROWS; row++) exports.link(row, 16);
  const links = [...kernel.bytes(exports.links, ROWS * 128)];
  setQueryVector(kernel, makeVector('query', dimensions));
  exports.prepareQuery();
  const keys = keysOf(kernel);
  exports.searchLevel(exports.descend(0), 0, 16);
  kernel.bytes(exports.mask, 8).fill(0xff);
  const found = exports.takeChains(10, 100);
  return { links, keys, found, scores: [...floats(kernel, exports.scoresOut, found)] };
}

function filled(dimensions: number, variant: KernelVariant, byDistance = false): Kernel {
  const kernel = createKernel({ ...shapeOf(dimensions), byDistance }, variant);
  for (let row = 0; row < ROWS; row++) {
    setQueryVector(kernel, makeVector(`row ${row}`, dimensions));
    kernel.exports.encode(row);
  }
  return kernel;
}

function shapeOf(dimensions: number): KernelShape {
  return { dimensions, capacity: 64, byDistance: false, keepsFloats: false };
}

/** Each row's key, by asking which rows have it. */
function keysOf(kernel: Kernel): readonly number[] {
  const { exports } = kernel;
  kernel.bytes(exports.mask, 8).fill(0);
  return Array.from({ length: ROWS }, (_, row) => {
    const mask = kernel.bytes(exports.mask, 8).fill(0);
    mask[row >> 3] = 1 << (row & 7);
    exports.reset(1);
    exports.scanRows(0, ROWS);
    return exports.worst.value;
  });
}

/** The same in plain whole numbers and float32. */
function referenceKey(query: Float32Array, codes: Uint8Array, scales: Float32Array, row: number, stride: number): number {
  const { fround } = Math;
  const step = fround(Math.max(...query.map(Math.abs)) / 127);
  let sum = 0;
  for (const [at, value] of query.entries()) {
    const steps = fround(value / step);
    // Halves to even, as the processor does.
    const floor = Math.floor(steps);
    const whole = steps - floor === 0.5 ? floor + (floor & 1) : Math.round(steps);
    sum += whole * ((codes[row * stride + at] ?? 0) - 64);
  }
  return fround(fround(fround(sum) * (scales[row] ?? 0)) * step);
}

function floats(kernel: Kernel, global: { readonly value: number }, count: number): Float32Array {
  const { buffer, byteOffset } = kernel.bytes(global, 0);
  return new Float32Array(buffer, byteOffset, count).slice();
}
