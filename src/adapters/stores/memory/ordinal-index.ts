import type { Pace } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import type { Found } from './top.js';

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
}

export interface OrdinalQueryOptions {
  readonly limit: number;
  /** The ordinals that may be found; never more than are alive. */
  readonly allowed: Bitset;
  /** Of a live ordinal; asked only to decide between equal scores. */
  idOf(ordinal: number): string;
  /** Lets others run when the query has held the event loop for long. */
  readonly pace: Pace;
}
