import type { Metric } from '../../../core/contracts.js';
import { Bitset } from './bitset.js';
import type { OrdinalIndex } from './ordinal-index.js';
import { createTop } from './top.js';

/** Rows between two looks at the clock: about half a millisecond at 256 dimensions. */
const ROWS_A_LOOK = 2048;

/**
 * Exact search: every allowed vector is compared. Scores: cosine and dot = the dot product (vectors are normalised, so they are the
 * same), l2 = 1 / (1 + squared distance), so that higher is better. A zero vector, stored or asked for, means "has none" and finds
 * and is found by nothing.
 * @param capacity rows to make room for at once; more may come
 */
export function createFlatVectors(
  dimensions: number,
  metric: Metric,
  capacity: number,
): OrdinalIndex<Float32Array, Float32Array> {
  let vectors = new Float32Array(capacity * dimensions);
  const present = new Bitset();
  const score = metric === 'l2' ? closeness : dotProduct;

  return {
    name: 'flat',
    add(ordinal, vector) {
      if (isZero(vector)) return;
      const end = (ordinal + 1) * dimensions;
      if (end > vectors.length) {
        const grown = new Float32Array(Math.max(end, Math.ceil(vectors.length * 1.5), 64 * dimensions));
        grown.set(vectors);
        vectors = grown;
      }
      vectors.set(vector, ordinal * dimensions);
      present.add(ordinal);
    },
    remove: (ordinal) => present.remove(ordinal),
    async query(query, { limit, allowed, idOf, pace }) {
      if (limit === 0 || isZero(query)) return [];
      const top = createTop(limit, idOf);
      const size = 32 * Math.min(allowed.words.length, present.words.length);
      for (let start = 0; start < size; start += ROWS_A_LOOK) {
        const end = Math.min(size, start + ROWS_A_LOOK);
        for (let ordinal = start; ordinal < end; ordinal++) {
          if (allowed.has(ordinal) && present.has(ordinal)) top.offer(ordinal, score(vectors, ordinal * dimensions, query));
        }
        await pace();
      }
      return top.take();
    },
  };
}

function isZero(vector: Float32Array): boolean {
  for (let index = 0; index < vector.length; index++) if (vector[index] !== 0) return false;
  return true;
}

/** Four sums in float64, always in the same order: equal vectors get equal scores wherever they lie, on every machine. */
function dotProduct(vectors: Float32Array, start: number, query: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = query.length & ~3;
  let index = 0;
  for (; index < whole; index += 4) {
    a += (vectors[start + index] ?? 0) * (query[index] ?? 0);
    b += (vectors[start + index + 1] ?? 0) * (query[index + 1] ?? 0);
    c += (vectors[start + index + 2] ?? 0) * (query[index + 2] ?? 0);
    d += (vectors[start + index + 3] ?? 0) * (query[index + 3] ?? 0);
  }
  for (; index < query.length; index++) a += (vectors[start + index] ?? 0) * (query[index] ?? 0);
  return a + b + (c + d);
}

function closeness(vectors: Float32Array, start: number, query: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < query.length; index++) {
    const difference = (vectors[start + index] ?? 0) - (query[index] ?? 0);
    sum += difference * difference;
  }
  return 1 / (1 + sum);
}
