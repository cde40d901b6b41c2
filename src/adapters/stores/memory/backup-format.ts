import type { Space } from '../../../core/contracts.js';
import type { RowState } from './rows.js';

/**
 * The file that a backup is: eight bytes that say so, then frames. A frame is its length, a checksum, and a body that starts with its
 * kind: one head, any number of frames of rows, one end that counts them all and has the checksum of all checksums. So a byte that is
 * flipped, an end that is missing and frames that are lost or swapped are all noticed.
 */

/** The layout of the file; a file with another one is refused. */
export const FORMAT = 1;
export const MAGIC = Buffer.from('HOTRAGBK', 'latin1');
export const FRAME_KIND = { head: 1, rows: 2, end: 3 } as const;
/** Length and checksum of a frame's body. */
export const FRAME_HEAD = 8;
/** Of a frame of rows: its kind and collection. */
export const ROWS_HEAD = 5;
/** Of a row: its kind, and the lengths of its key and value. */
export const ROW_HEAD = 7;

export interface BackedUpCollection {
  readonly space: Space;
  readonly state: RowState;
}

export interface BackupHead {
  readonly format: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly collections: readonly BackedUpCollection[];
}

export interface BackupRow {
  /** As in lmdb-keys.ts. */
  readonly kind: number;
  /** What comes after kind and collection in its key. */
  readonly rest: Buffer;
  readonly value: Buffer;
}

/** How a backup ends. */
export interface BackupEnd {
  readonly rows: number;
  /** Of the lengths and checksums of all frames before. */
  readonly checksum: number;
}
