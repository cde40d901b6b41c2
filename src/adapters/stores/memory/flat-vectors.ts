import type { Metric } from '../../../core/contracts.js';
import { createVectorIndex, type VectorIndex } from './vectors/vector-index.js';

/**
 * Compares every allowed vector, whatever their number.
 * @param capacity rows to make room for at once; more may come
 */
export function createFlatVectors(dimensions: number, metric: Metric, capacity: number): VectorIndex {
  return createVectorIndex({ dimensions, metric, capacity, kind: 'flat' });
}
