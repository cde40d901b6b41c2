import type { Metric } from '../../../../core/contracts.js';
import type { Pace } from '../../../../core/turns.js';
import { isZeroVector } from '../../../../core/values.js';
import type { KernelVariant } from '../kernel/kernel.js';
import type { IndexBlob, OrdinalIndex } from '../ordinal-index.js';
import { createTop } from '../top.js';
import type { BuildGraph } from './build-task.js';
import { createGraph } from './graph.js';
import { type VectorIndexOptions, vectorIndexSettings } from './options.js';
import { chooseRoute } from './route.js';
import { loadVectors, saveVectors } from './saved-vectors.js';
import { createSearch, MOST_KEPT, type Search } from './search.js';
import { createVectorRows } from './vector-rows.js';

/** The engine's own vector index: codes that are compared one by one, and a graph over them once they are many. */
export interface VectorIndex extends OrdinalIndex<Float32Array, Float32Array> {
  /** Ordinals it knows of, dead ones too: what comes next is to be added. */
  readonly size: number;
  /** Whether `tend` would make searches faster. */
  readonly isStale: boolean;
  /** Whether that is so much work that `tend` would give it to `build`. */
  readonly isFarBehind: boolean;
  /**
   * Links what was added into the graph and leads it around what was removed, where that pays. Searches, additions and removals may go on
   * meanwhile, between the turns of `pace`.
   * @param build does the linking of many rows in another thread. @default all is done here
   */
  tend(pace: Pace, build?: BuildGraph): Promise<void>;
  save(): readonly IndexBlob[];
}

export interface VectorIndexParts extends VectorIndexOptions {
  readonly dimensions: number;
  readonly metric: Metric;
  /** Rows to make room for at once; more may come. @default 0 */
  readonly capacity?: number;
  /** What `save` gave, by key. Taken only if it was saved for such vectors. */
  readonly saved?: (key: string) => Uint8Array | undefined;
  /** For tests: the build of the kernel. */
  readonly variant?: KernelVariant;
}

/**
 * Finds the nearest vectors by the first code (7 bits a number) and puts the best in order by the second, which brings scores within
 * 0.00003 of exact; below 64 dimensions by the vectors themselves. Scores: cosine and dot = the dot product, l2 = 1 / (1 + squared distance).
 * A zero vector, stored or asked for, means "has none" and finds and is found by nothing.
 * @throws RagError DEPENDENCY_MISSING: the kernel was not built
 */
export function createVectorIndex(parts: VectorIndexParts): VectorIndex {
  const { dimensions, metric, capacity = 0, saved, variant, ...options } = parts;
  const settings = vectorIndexSettings(options);
  const vectors = createVectorRows(dimensions, metric, capacity, variant);
  const graph = createGraph(vectors, settings);
  if (saved !== undefined) loadVectors(vectors, graph, metric, saved);

  return {
    get name() {
      return graph.extent.rows === 0 ? 'flat' : 'hnsw';
    },
    get size() {
      return vectors.count;
    },
    get isStale() {
      return graph.isStale;
    },
    add(ordinal, vector) {
      vectors.put(ordinal, vector);
      vectors.reserve(ordinal + 1);
    },
    remove(ordinal) {
      if (vectors.drop(ordinal)) graph.forget(ordinal);
    },
    async query(query, { limit, allowed, idOf, pace }) {
      if (limit === 0 || isZeroVector(query)) return [];
      const top = createTop(limit, idOf);
      const search = createSearch(vectors, query, allowed, limit, (row, score) => top.offer(row, scoreOf(score)));
      const { extent } = graph;
      const ef = Math.max(settings.efSearch, limit + Math.ceil(limit / 2));
      const scanned = searchGraph(search, extent, ef) ? extent.rows : 0;
      await search.scan(scanned, pace);
      return top.take();
    },
    get isFarBehind() {
      return graph.isFarBehind;
    },
    tend: (pace, build) => graph.tend(pace, build),
    save: () => saveVectors(vectors, graph, metric),
  };

  /** Offers the best of the graph's rows; false when the rows are to be compared instead. */
  function searchGraph(search: Search, extent: typeof graph.extent, ef: number): boolean {
    if (extent.rows === 0 || ef > MOST_KEPT) return false;
    const route = chooseRoute(extent, search.allowedUpTo(extent.rows), ef);
    switch (route.way) {
      case 'scan':
        return false;
      case 'graph':
        return search.follow(ef);
      case 'masked':
        return search.followMasked(ef, route.budget);
    }
  }

  function scoreOf(score: number): number {
    return metric === 'l2' ? 1 / (1 + score) : score;
  }
}
