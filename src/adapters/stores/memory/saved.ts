import type { Pace } from '../../../core/turns.js';
import type { Snapshot } from './rows.js';

/**
 * What is saved of the indexes, so that opening need not make them again from the rows: named pieces of bytes, and one manifest that tells
 * which pieces are valid and what they stand for. Rows and log are the truth; a saved thing that is missing, damaged, of another version
 * or of other ordinals is as good as none.
 */

/** What a manifest begins with; 1 is the layout of everything that is saved. What has another one is made anew. */
const VERSION = 'hotrag saved 1\n';

/** Bytes of a piece: small enough that one is written, checked and copied in a fraction of a millisecond. */
const PIECE_BYTES = 65_536;

/** Bytes that are saved in pieces `name/0`, `name/1`, … */
export interface SavedBlob {
  readonly name: string;
  readonly bytes: number;
}

export interface SavedPart {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly live: number;
  readonly words: number;
  readonly frequent: readonly (readonly [key: string, frequency: number])[];
  /** The first words of its pieces, then the lengths of its chunks. */
  readonly head: SavedBlob;
  readonly pieces: number;
}

export interface Manifest {
  /** The commit whose rows the ordinals were first given from: ordinals of different epochs have nothing to do with each other. */
  readonly epoch: number;
  /** The last commit that the directory knows. */
  readonly sequence: number;
  readonly directory: SavedBlob;
  readonly keywords?: readonly SavedPart[] | undefined;
  readonly vectors?: readonly SavedVectors[] | undefined;
  readonly fields?: readonly SavedField[] | undefined;
}

/** The index of one metadata field. */
export interface SavedField {
  readonly field: string;
  /** The ordinals that are in it. */
  readonly size: number;
  readonly blob: SavedBlob;
}

/** A part of the vector index; it is valid as long as its revision is what the index gives for this key. */
export interface SavedVectors {
  readonly key: string;
  readonly revision: string;
  readonly blob: SavedBlob;
}

/** The manifest as bytes. */
export function packManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(VERSION + JSON.stringify(manifest), 'utf8');
}

/** The manifest of a snapshot; undefined when there is none that this version understands, or none that goes with the rows. */
export function readManifest(snapshot: Snapshot): Manifest | undefined {
  const bytes = snapshot.savedManifest();
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
  if (!text.startsWith(VERSION)) return undefined;
  // The checksum vouches for it: it is what `packManifest` made.
  const manifest = JSON.parse(text.slice(VERSION.length)) as Manifest;
  return manifest.sequence <= snapshot.state.sequence ? manifest : undefined;
}

/** The bytes of a blob; undefined when any of them are missing or damaged. */
export async function readBlob(snapshot: Snapshot, { name, bytes }: SavedBlob, pace: Pace): Promise<Uint8Array | undefined> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (let index = 0; at < bytes; index++) {
    const piece = snapshot.saved(`${name}/${index}`);
    if (piece === undefined || piece.length !== Math.min(PIECE_BYTES, bytes - at)) return undefined;
    all.set(piece, at);
    at += piece.length;
    await pace();
  }
  return all;
}

/** A piece to write. */
export type Piece = readonly [name: string, bytes: Uint8Array];

/** The pieces of a blob. */
export function cutBlob(name: string, bytes: Uint8Array): { readonly blob: SavedBlob; readonly pieces: readonly Piece[] } {
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index): Piece => {
    return [`${name}/${index}`, bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)];
  });
  return { blob: { name, bytes: bytes.length }, pieces };
}

/** The name that every valid piece starts with, up to its last `/`. */
export function namesIn({ directory, keywords = [], vectors = [], fields = [] }: Manifest): ReadonlySet<string> {
  return new Set([
    directory.name,
    ...keywords.flatMap(({ name, head }) => [name, head.name]),
    ...[...vectors, ...fields].map(({ blob }) => blob.name),
  ]);
}
