import type { DocumentRow, Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import type { Pace } from '../../../core/turns.js';

/**
 * Where the truth of the engine lies: document rows, blocks of chunks, and a log of what each commit added and removed. Indexes are
 * made from it, in every process by the same steps. One implementation keeps it in this process, the other in a file.
 */
export interface RowStore {
  readonly collections: () => readonly Space[];
  /** Undefined where there is none. */
  readonly find: (collection: string) => Space | undefined;
  /** False when another process has made a collection of this name meanwhile. */
  readonly create: (space: Space) => Promise<boolean>;
  readonly drop: (collection: string) => Promise<boolean>;
  readonly rowsOf: (space: Space) => Rows;
  readonly close: () => Promise<void>;
}

/** The rows of one collection. */
export interface Rows {
  /**
   * The latest state, by whomever it was written; it stays as it is until it is released.
   * @throws RagError NOT_FOUND when the collection was dropped
   */
  snapshot(): Snapshot;
  /**
   * Writes all of it or nothing; durable when it resolves.
   * @returns false, and has written nothing, when the state is no longer the one that `write` started from
   * @throws RagError STORE_LOCKED when others have been writing for too long · the signal's reason
   */
  append(write: RowWrite, pace: Pace, signal?: AbortSignal): Promise<boolean>;
  /** Undefined where rows live no longer than the process, or may only be read. */
  readonly saved?: SavedRows | undefined;
}

/** Where what is derived from rows can be saved (saved.ts). Nothing here is the truth: to lose it costs time only. */
export interface SavedRows {
  /**
   * Takes the lease that one process at a time needs to save, or prolongs its own.
   * @param now milliseconds since 1970; the lease lasts until `until`
   * @returns false when another process has it
   */
  lease(holder: string, now: number, until: number): Promise<boolean>;
  release(holder: string): Promise<void>;
  write(pieces: readonly (readonly [name: string, bytes: Uint8Array])[]): Promise<void>;
  remove(names: readonly string[]): Promise<void>;
  names(): readonly string[];
  /** Counts the manifests so far. */
  revision(): number;
  /** Puts the next manifest in place; false when there is one after `revision` already. */
  replaceManifest(bytes: Uint8Array, revision: number): Promise<boolean>;
  /** Removes the log up to a commit, that one included. */
  trimLog(sequence: number): Promise<void>;
}

/** At most `BLOCK_SIZE` chunks of one document and one group; written once, never changed. */
export interface BlockRef {
  /** Ascending in the order of writing; never used twice. */
  readonly number: number;
  readonly chunks: number;
  readonly group: string;
  /** Position of its first chunk in the group. */
  readonly start: number;
  /** The document's id and hash: with these, ids of chunks are known without reading them. */
  readonly documentId: string;
  readonly hash: string;
}

/** Small enough that reading one chunk is cheap, large enough that a store has few keys. */
export const BLOCK_SIZE = 16;

/** What a block holds of its chunks, apart because each has readers of its own: hits, filters, vector index, keyword index. */
export const COLUMNS = ['texts', 'heads', 'vectors', 'terms'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Block {
  readonly ref: BlockRef;
  readonly columns: Readonly<Record<Column, Uint8Array>>;
}

export interface StoredDocument {
  readonly row: DocumentRow;
  /** By group, then position. */
  readonly blocks: readonly BlockRef[];
}

export interface RowState {
  /** Raised by every commit. */
  readonly sequence: number;
  /** Random, by each commit: copies of a store, and one restored from a backup, go on from the same sequence and are not the same. */
  readonly stamp?: string | undefined;
  readonly nextBlock: number;
  readonly documents: number;
  readonly chunks: number;
}

/** What a commit did, for those who know the state before it. */
export interface LogEntry {
  readonly added: readonly BlockRef[];
  readonly removed: readonly number[];
}

export interface Snapshot {
  readonly state: RowState;
  document(id: string): StoredDocument | undefined;
  /** By ascending id, those after `after`, `limit` at most. */
  documents(after: string | undefined, limit: number): readonly StoredDocument[];
  /** The commits after a sequence number, in order; undefined when the log does not reach back so far. */
  logAfter(sequence: number): readonly LogEntry[] | undefined;
  /** @throws RagError STORE_CORRUPT when it is missing or damaged */
  column(block: number, column: Column): Uint8Array;
  /** A saved piece, or the manifest; undefined when it is missing or damaged. */
  saved(name: string): Uint8Array | undefined;
  savedManifest(): Uint8Array | undefined;
  release(): void;
}

export interface RowWrite {
  /** What it was worked out from. */
  readonly before: RowState;
  readonly after: RowState;
  readonly entry: LogEntry;
  readonly blocks: readonly Block[];
  readonly documents: readonly StoredDocument[];
  readonly droppedDocuments: readonly string[];
}

/** Commits that the log keeps behind what is saved, for processes that saw the state before; who has seen none of them loads anew. */
export const LOG_LENGTH = 4096;
/** Commits that it keeps while nobody saves. */
export const LONGEST_LOG = 65_536;

/** What everybody who still holds a collection learns once it was dropped. */
export function dropped(space: Space): RagError {
  return new RagError('NOT_FOUND', `collection "${space.collection}" was dropped; open it again to make a new one`, {
    adapter: 'memory',
  });
}
