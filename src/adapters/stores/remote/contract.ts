import type { CallOptions, Chunk, DocumentRow, Entry, Filter, Space } from '../../../core/contracts.js';
import type { CanPush } from '../../../core/filter.js';

/**
 * What a database server must be able to do to hold collections: two plain tables a collection, no transactions, no
 * compare-and-swap. `createRemoteStore` makes a VectorStore of it and adds what servers lack: documents replaced as a whole, a
 * version, keyword search, residual filters.
 *
 * Rules for every method of both interfaces:
 * - what a call wrote is visible to every read, by any client, that starts after it resolved;
 * - a call takes lists of any length (splits by the server's own limit, nothing is truncated) and does nothing for an empty one;
 * - errors are translated here and nowhere else (errors.ts): CONNECTION_FAILED, TIMEOUT, UNAUTHORIZED, UPSTREAM_FAILED,
 *   NOT_FOUND (the table is gone), INPUT_INVALID; an abort rejects with `signal.reason`.
 */
export interface RemoteServer {
  /** Of the product: `chroma`, `milvus`. */
  readonly name: string;
  /** Where it is, without secrets: for messages, and part of the key of the local keyword index. */
  readonly address: string;
  readonly compiler: FilterCompiler;
  /** Every collection that hotrag made here; those of other tools are left out. */
  spaces(options?: CallOptions): Promise<readonly Space[]>;
  /**
   * The space that was stored when the collection was made.
   * @throws RagError INPUT_INVALID where the name is taken by a collection that hotrag did not make
   */
  find(collection: string, options?: CallOptions): Promise<Space | undefined>;
  /**
   * Makes the tables. Resolves with the space that is there afterwards: when another process was faster, that one's.
   * May be repeated after a failure half-way.
   */
  create(space: Space, options?: CallOptions): Promise<Space>;
  /** Removes the tables of a collection that `find` finds; true when there was one. Never touches another tool's. */
  drop(collection: string, options?: CallOptions): Promise<boolean>;
  /** Makes the tables of a found space ready to use (checks dimensions, loads them into the server's memory where that is a step). */
  tables(space: Space, options?: CallOptions): Promise<RemoteTables>;
  close(): Promise<void>;
}

/** What a server's filters can say. `splitFilter(filter, canPush)` gives the part that `compile` gets. */
export interface FilterCompiler {
  /** True when the server's answer for this leaf (under `not` where `negated`) equals `matches()` for every metadata there can be. */
  readonly canPush: CanPush;
  /** False for a filter that is too large for the server, though it could say all its parts; it stays with the core. @default true */
  fits?(filter: Filter): boolean;
  /** Total over what `splitFilter` leaves of a filter with `canPush`: simplified, nothing else in it. */
  compile(filter: Filter): unknown;
}

/** The two tables of one collection: chunk rows with vectors, and the catalog (document rows and writer rows). */
export interface RemoteTables {
  // ── chunk rows ──
  /** Row ids are always new: nothing is ever replaced in place, so no server's merge-on-upsert can bite. */
  insertChunks(rows: readonly ChunkRow[], options?: CallOptions): Promise<void>;
  /** Unknown ids are fine. */
  deleteChunks(rowIds: readonly string[], options?: CallOptions): Promise<void>;
  /** The most rows that `nearest` can return at once; Infinity where the server has no limit. */
  readonly mostHits: number;
  /** The nearest rows, best first, at most `limit`. Rows with the zero vector are never among them. */
  nearest(query: RemoteQuery, options?: CallOptions): Promise<RemoteMatches>;
  /** Rows by id, in any order; missing ones left out. */
  chunks(rowIds: readonly string[], options?: CallOptions): Promise<readonly StoredChunk[]>;
  /** All rows of these documents, in any order, stale ones too; `vectors: false` saves moving them. */
  chunksOf(query: DocumentChunks, options?: CallOptions): AsyncIterable<StoredChunk & { readonly vector?: Float32Array }>;
  /** Ids and stamps of all rows, or of these documents' rows, in any order. */
  chunkKeys(documentIds: readonly string[] | undefined, options?: CallOptions): AsyncIterable<ChunkKey>;

  // ── catalog ──
  /** All writer rows: few. Without a `pulse`, read beside every search: it must cost less than the search. */
  writers(options?: CallOptions): Promise<readonly WriterRow[]>;
  readonly pulse?: Pulse | undefined;
  /** Inserts or replaces the row. */
  putWriter(row: WriterRow, options?: CallOptions): Promise<void>;
  deleteWriters(writers: readonly string[], options?: CallOptions): Promise<void>;
  /** The manifest without its texts: all rows, or those that `writer` wrote with a higher `seq` than `after`. */
  stamps(since: Stamp | undefined, options?: CallOptions): Promise<readonly DocumentStamp[]>;
  countDocuments(options?: CallOptions): Promise<number>;
  /** Manifest rows by document id, in any order; missing ones left out. */
  documents(ids: readonly string[], options?: CallOptions): Promise<readonly StoredDocument[]>;
  /** Inserts or replaces; each row at once, never half of it. */
  putDocuments(rows: readonly StoredDocument[], options?: CallOptions): Promise<void>;
  /** Unknown ids are fine. */
  deleteDocuments(ids: readonly string[], options?: CallOptions): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * One text a collection, for servers on which something can be read much faster than rows. It is set to a random value after every
 * change of the writers' rows, the last one wins; as long as a reader finds the value that it found before it read the rows, they
 * are as they were.
 */
export interface Pulse {
  read(options?: CallOptions): Promise<string>;
  set(value: string, options?: CallOptions): Promise<void>;
}

/** Names one commit: the writer's random id and the value of its counter meanwhile. */
export interface Stamp {
  readonly writer: string;
  /** An integer from 0. */
  readonly seq: number;
}

/** Who writes: `seq` is odd while a commit runs and even between commits, and never falls. */
export interface WriterRow extends Stamp {
  /** Milliseconds since 1970 by the writer's clock. */
  readonly at: number;
}

/** A chunk as it goes to the server. It counts only while its document's manifest row has the same stamp. */
export interface ChunkRow {
  /** `rowIdOf(chunk.id, stamp)`: up to 64 characters of `[a-z0-9.]`. */
  readonly rowId: string;
  readonly stamp: Stamp;
  readonly entry: Entry;
}

/** A chunk as it comes back: equal in every field to what was written. */
export interface StoredChunk {
  readonly rowId: string;
  readonly stamp: Stamp;
  readonly chunk: Chunk;
}

export interface ChunkKey {
  readonly rowId: string;
  readonly documentId: string;
  readonly stamp: Stamp;
}

export interface StoredDocument {
  readonly document: DocumentRow;
  readonly stamp: Stamp;
}

export interface DocumentStamp {
  readonly id: string;
  readonly hash: string;
  /** Number of chunks, of all groups. */
  readonly chunks: number;
  readonly stamp: Stamp;
}

export interface DocumentChunks {
  readonly documentIds: readonly string[];
  readonly groups?: readonly string[] | undefined;
  readonly vectors: boolean;
}

export interface RemoteQuery {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly groups?: readonly string[] | undefined;
  /** What `compile` made of the filter's pushed part; undefined: all rows. */
  readonly native: unknown;
}

export interface RemoteMatches {
  readonly hits: readonly RemoteHit[];
  /** False when it is certain that a higher limit would bring nothing else. */
  readonly more: boolean;
  /** For `explain`: the vector index, with the scalar index if one is known to be used. */
  readonly index: string;
}

/** `score`: higher is better; cosine similarity for `cosine`, inner product for `dot`, minus the squared distance for `l2`. */
export interface RemoteHit extends StoredChunk {
  readonly score: number;
}
