import type { Pace } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import type { Found } from './top.js';

/** A part of an index as bytes; one whose key and revision are those of what is saved already is not written again. */
export interface IndexBlob {
  readonly key: string;
  readonly revision: string;
  readonly bytes: () => Uint8Array;
}

/**
 * An index of the engine's own. It speaks of ordinals: small whole numbers that one process gives to the chunks it has loaded, in the
 * order of loading, and never gives twice. Ordinals that were removed stay in it until the engine builds it anew, so a query says
 * which are alive.
 */
export interface OrdinalIndex<Row, Query> {
  /** How it finds, for `explain`. */
  readonly name: string;
  /** Ordinals come in ascending order. */
  add(ordinal: number, row: Row): void;
  remove(ordinal: number): void;
  query(query: Query, options: OrdinalQueryOptions): Promise<readonly Found[]>;
  /**
   * Everything added so far, to be saved; whoever opens it adds the later ordinals, and removes again all that are dead. Called while
   * nothing is added or removed; `bytes` is called a little later, and may not change what it gives by then. Absent: it is made from the rows each time.
   */
  save?(): readonly IndexBlob[];
}

export interface OrdinalQueryOptions {
  readonly limit: number;
  /** The ordinals that may be found; never more than are alive. */
  readonly allowed: Bitset;
  /** Of a live ordinal; asked only to decide between equal scores. */
  idOf(ordinal: number): string;
  /** Lets others run when the query has held the event loop for long. */
  readonly pace: Pace;
  /** Ends the wait for what has no pace. */
  readonly signal?: AbortSignal | undefined;
}
