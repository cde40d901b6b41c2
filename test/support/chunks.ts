import type { Change, DocumentRow, Entry, Fingerprint, Metadata } from '../../src/core/contracts.js';
import { chunkId } from '../../src/core/ids.js';

/** What the made-up chunks of tests were embedded with. */
export const FINGERPRINT: Fingerprint = { embedder: 'test-embedder', dimensions: 8, metric: 'cosine' };

export interface MadeChunk {
  readonly text?: string;
  readonly metadata?: Metadata;
  readonly group?: string;
  readonly vector?: Float32Array;
}

/** A document with its entries, as a change puts it. Positions count within each group. */
export function makeDocument(
  id: string,
  chunks: readonly MadeChunk[],
  hash = 'aaaaaaaaaaaa',
  metadata: Metadata = {},
): Change['put'][number] {
  const document: DocumentRow = {
    id,
    uri: id,
    hash,
    metadata,
    loader: 'test',
    origin: '',
    length: 100,
    chunks: chunks.length,
    updatedAt: '2024-01-01T00:00:00.000Z',
  };
  const positions = new Map<string, number>();
  const entries = chunks.map((chunk, index): Entry => {
    const { group = 'default', text = `chunk ${index} of ${id}` } = chunk;
    const position = positions.get(group) ?? 0;
    positions.set(group, position + 1);
    return {
      id: chunkId(id, hash, group, position),
      documentId: id,
      uri: id,
      hash,
      group,
      position,
      text,
      span: [10 * index, 10 * index + text.length],
      location: { lines: [index + 1, index + 1], headings: ['Top'] },
      metadata: chunk.metadata ?? metadata,
      vector: chunk.vector ?? makeVector(`${id} ${hash} ${group} ${position}`),
    };
  });
  return { document, entries };
}

/** A unit vector that follows from the seed; those of different seeds have nothing to do with each other. */
export function makeVector(seed: string, dimensions = FINGERPRINT.dimensions): Float32Array {
  let state = 2166136261;
  for (let index = 0; index < seed.length; index++) state = Math.imul(state ^ seed.charCodeAt(index), 16777619);
  const values = Array.from({ length: dimensions }, () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    const mixed = Math.imul(state ^ (state >>> 13), 3266489917);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}
