import type { Fingerprint } from '../../../core/contracts.js';
import type { Pace } from '../../../core/turns.js';
import { vectorsOf } from './blocks.js';
import type { Directory, PlacedBlock } from './directory.js';
import type { IndexBlob, OrdinalIndex } from './ordinal-index.js';
import type { Snapshot } from './rows.js';
import type { BuildGraph } from './vectors/build-task.js';
import type { VectorIndexOptions } from './vectors/options.js';
import { createVectorIndex } from './vectors/vector-index.js';

/** The vectors of a loaded collection: in the engine's own index, or in one of the user's. */
export interface ResidentVectors extends Pick<OrdinalIndex<Float32Array, Float32Array>, 'name' | 'query' | 'remove'> {
  /** Ordinals it knows of, dead ones too: blocks from there on are to be added. */
  readonly size: number;
  /** Whether `tend` would make searches faster, and whether that is worth a thread. */
  readonly isStale: boolean;
  readonly isFarBehind: boolean;
  addBlock(snapshot: Snapshot, block: PlacedBlock): Promise<void>;
  /** After the last of a run of changes: they may have been gathered. */
  settle(pace: Pace): Promise<void>;
  tend(pace: Pace, build: BuildGraph | undefined): Promise<void>;
  /** Absent: it is made from the rows each time. */
  save?(): readonly IndexBlob[];
}

/**
 * Opens the vectors of a collection that is being loaded.
 * @param readSaved what was saved of the index, by key
 */
export type OpenVectors = (
  directory: Directory,
  readSaved: () => Promise<ReadonlyMap<string, Uint8Array>>,
) => Promise<ResidentVectors>;

/** The engine's own index. */
export function engineVectors({ dimensions, metric }: Fingerprint, options: VectorIndexOptions): OpenVectors {
  return async (directory, readSaved) => {
    let blobs: ReadonlyMap<string, Uint8Array> | undefined = await readSaved();
    const saved = (key: string) => blobs?.get(key);
    const index = createVectorIndex({ ...options, dimensions, metric, capacity: directory.size, saved });
    blobs = undefined; // what it needed is in the kernel's memory now; kept, it would take as much again
    return {
      get name() {
        return index.name;
      },
      get size() {
        return index.size;
      },
      get isStale() {
        return index.isStale;
      },
      get isFarBehind() {
        return index.isFarBehind;
      },
      async addBlock(snapshot, { number, first }) {
        const vectors = vectorsOf(snapshot.column(number, 'vectors'), dimensions);
        for (const [row, vector] of vectors.entries()) index.add(first + row, vector);
      },
      remove: index.remove,
      async settle() {},
      query: index.query,
      tend: (pace, build) => index.tend(pace, build),
      save: () => index.save(),
    };
  };
}
