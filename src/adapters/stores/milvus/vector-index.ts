import type { Metric } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import type { MilvusIndex } from './options.js';
import { isAtLeast, type MilvusVersion } from './version.js';

/** Milvus's names of our metrics. Vectors are normalised, so COSINE and IP rank alike; IP is what `dot` means. */
export const METRICS: Readonly<Record<Metric, 'COSINE' | 'IP' | 'L2'>> = { cosine: 'COSINE', dot: 'IP', l2: 'L2' };

/** Ours is "higher is better", and `l2` is minus the squared distance; Milvus's L2 is the squared distance. */
export function scoreOf(metric: Metric, score: number): number {
  return metric === 'l2' ? -score : score;
}

/**
 * Refuses an index that the server does not have. Milvus Lite says "Finished" of IVF_PQ and DISKANN and scans instead.
 * @throws RagError UNSUPPORTED · CONFIG_INVALID (parameters that contradict each other or the dimensions)
 */
export function checkIndex(index: MilvusIndex, dimensions: number, version: MilvusVersion): void {
  switch (index.type) {
    case 'FLAT':
    case 'AUTOINDEX':
    case 'HNSW':
      return;
    case 'IVF_FLAT':
    case 'IVF_SQ8':
      checkProbes(index);
      return;
    case 'IVF_PQ':
      if (version.lite) throw notOnLite(index, version);
      if (dimensions % index.m !== 0) {
        throw invalid(`store.index.m: ${index.m} must divide the ${dimensions} dimensions of the vectors`);
      }
      checkProbes(index);
      return;
    case 'DISKANN':
      if (version.lite) throw notOnLite(index, version);
      if (!isAtLeast(version, 2, 3)) throw tooOld('DISKANN with cosine similarity', '2.3', version);
      return;
  }
}

/** What an index is built with. */
export function buildParameters(index: MilvusIndex): Readonly<Record<string, number>> {
  switch (index.type) {
    case 'FLAT':
    case 'AUTOINDEX':
    case 'DISKANN':
      return {};
    case 'IVF_FLAT':
    case 'IVF_SQ8':
      return { nlist: index.nlist };
    case 'IVF_PQ':
      return { nlist: index.nlist, m: index.m, nbits: index.nbits };
    case 'HNSW':
      return { M: index.M, efConstruction: index.efConstruction };
  }
}

/** What a search for `limit` hits is done with; a graph is never looked through for fewer candidates than hits. */
export function searchParameters(index: MilvusIndex, limit: number): Readonly<Record<string, number>> {
  switch (index.type) {
    case 'FLAT':
    case 'AUTOINDEX':
      return {};
    case 'IVF_FLAT':
    case 'IVF_SQ8':
    case 'IVF_PQ':
      return { nprobe: index.nprobe };
    case 'HNSW':
      return { ef: Math.max(index.ef, limit) };
    case 'DISKANN':
      return { search_list: Math.max(index.search_list, limit) };
  }
}

function checkProbes({ nlist, nprobe }: { readonly nlist: number; readonly nprobe: number }): void {
  if (nprobe > nlist) throw invalid(`store.index.nprobe: ${nprobe} is more than the ${nlist} clusters that \`nlist\` makes`);
}

function notOnLite({ type }: MilvusIndex, { text }: MilvusVersion): RagError {
  const message =
    `store.index: Milvus Lite (${text}) has no ${type}: it would report one and compare every vector; ` +
    'it has FLAT, IVF_FLAT, IVF_SQ8, HNSW and AUTOINDEX, or use a Milvus server';
  return new RagError('UNSUPPORTED', message, { adapter: 'milvus' });
}

/** An option that this server is too old for. */
function tooOld(what: string, since: string, { text }: MilvusVersion): RagError {
  return new RagError('UNSUPPORTED', `${what} needs Milvus ${since}; this server is ${text}`, { adapter: 'milvus' });
}

function invalid(message: string): RagError {
  return new RagError('CONFIG_INVALID', message, { adapter: 'milvus' });
}
