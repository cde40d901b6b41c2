import type { Pace } from '../../../core/turns.js';
import { PieceGone } from './keyword-part.js';
import { type Loaded, packHead, pieceReader } from './loading.js';
import type { PackedShape } from './packed-part.js';
import { LOG_LENGTH, type Rows, type SavedRows } from './rows.js';
import {
  cutBlob,
  type Manifest,
  namesIn,
  type Piece,
  packManifest,
  readManifest,
  type SavedBlob,
  type SavedField,
  type SavedPart,
  type SavedVectors,
} from './saved.js';
import { asBytes } from './saved-bytes.js';

export interface SaveRequest {
  readonly rows: Rows;
  readonly saved: SavedRows;
  /** Random, of this process: names the lease's holder, and what it writes. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The latest state, held still until it is released. */
  readonly hold: () => Promise<{ readonly loaded: Loaded; release(): void }>;
  readonly pace: Pace;
}

/** How long a process that died in the middle keeps the others from saving, and from building what is to be saved. */
export const LEASE_MS = 60_000;
/** Bytes that are written in one transaction: copied and sealed in a few milliseconds. */
const BATCH_BYTES = 1_048_576;
/** Fields that others have filtered by. */
const MOST_KEPT_FIELDS = 64;

/**
 * Saves the indexes that are loaded: new pieces first, under new names, then the manifest that makes them valid, then away with those that
 * are not in it any more. Whoever dies on the way leaves pieces that nobody reads, and the next one removes them. Without the lease it
 * does nothing.
 */
export async function saveIndexes(request: SaveRequest): Promise<void> {
  const { saved, holder, now } = request;
  if (!(await saved.lease(holder, now(), now() + LEASE_MS))) return;
  try {
    await saveUnderLease(request);
  } finally {
    await saved.release(holder);
  }
}

async function saveUnderLease({ rows, saved, holder, now, hold, pace }: SaveRequest): Promise<void> {
  const revision = saved.revision();
  const nameOf = (what: string) => `${holder}-${revision + 1}-${what}`;
  let leaseEnds = now() + LEASE_MS;
  const write = async (pieces: readonly Piece[]) => {
    for (const batch of batchesOf(pieces)) {
      if (now() > leaseEnds - LEASE_MS / 2) {
        if (!(await saved.lease(holder, now(), now() + LEASE_MS))) throw new Error('another process saves');
        leaseEnds = now() + LEASE_MS;
      }
      // Throws where the collection was dropped: nothing may be written for it any more.
      rows.snapshot().release();
      await saved.write(batch);
      await pace();
    }
  };

  const snapshot = rows.snapshot();
  let release = () => {};
  try {
    const before = readManifest(snapshot);
    const held = await hold();
    const { loaded } = held;
    release = held.release;
    const { epoch, sequence, directory, keywords, vectors, scalars, unsaved } = loaded;
    const { size } = directory;
    // Of the same ordinals: what isn't loaded here stays as it is.
    const kept = before?.epoch === epoch ? before : undefined;
    const packedDirectory = directory.pack();
    const indexBlobs = vectors?.save?.();
    const packedFields = new Map<string, Uint8Array>();
    for (const [field, pack] of scalars.pack()) {
      if (kept?.fields?.some((one) => one.field === field && one.size === size)) continue;
      packedFields.set(field, pack());
      await pace();
    }
    release();
    const savedDirectory = await writeBlob(nameOf('directory'), packedDirectory, write);

    const exchanged = new Map<PackedShape, PackedShape>();
    let parts: readonly SavedPart[] | undefined = kept?.keywords;
    if (keywords !== undefined) {
      await keywords.compact({ thorough: true, read: pieceReader(snapshot), pace });
      const packed = keywords.packed();
      const written: SavedPart[] = [];
      for (const [index, shape] of packed.parts.entries()) {
        const known = kept?.keywords?.find(({ name }) => name === shape.pieces);
        const part = known ?? (await writePart(nameOf(`keywords-${index}`), shape, packed.lengths, write));
        written.push(part);
        if (known === undefined) exchanged.set(shape, { ...shape, pieces: part.name });
      }
      parts = written;
    }

    let savedVectors = kept?.vectors;
    if (indexBlobs !== undefined) {
      const blobs: SavedVectors[] = [];
      for (const { key, revision: own, bytes } of indexBlobs) {
        const known = kept?.vectors?.find((one) => one.key === key && one.revision === own);
        blobs.push(known ?? { key, revision: own, blob: await writeBlob(nameOf(`vectors-${key}`), bytes(), write) });
      }
      savedVectors = blobs;
    }

    const fields: SavedField[] = (kept?.fields ?? []).filter(({ field }) => !packedFields.has(field)).slice(-MOST_KEPT_FIELDS);
    for (const [field, bytes] of packedFields) {
      fields.push({ field, size, blob: await writeBlob(nameOf(`field-${fields.length}`), bytes, write) });
    }

    const manifest: Manifest = {
      epoch,
      sequence,
      directory: savedDirectory,
      keywords: parts,
      vectors: savedVectors,
      fields,
    };
    if (!(await saved.replaceManifest(packManifest(manifest), revision))) return;
    keywords?.exchange(exchanged);
    loaded.unsaved = Math.max(0, loaded.unsaved - unsaved);
    const valid = namesIn(manifest);
    await saved.remove(saved.names().filter((name) => !valid.has(name.slice(0, name.lastIndexOf('/')))));
    await saved.trimLog(sequence - LOG_LENGTH);
  } finally {
    release();
    snapshot.release();
  }
}

/** @throws PieceGone when it isn't in memory: it was read from what another process has replaced */
async function writePart(
  name: string,
  shape: PackedShape,
  lengths: Uint32Array,
  write: (pieces: readonly Piece[]) => Promise<void>,
): Promise<SavedPart> {
  const { from, to, live, words, frequent, firsts, pieces } = shape;
  if (typeof pieces === 'string') throw new PieceGone(pieces);
  const head = await writeBlob(`${name}-head`, packHead(firsts, lengths.subarray(from, to)), write);
  await write(pieces.map((piece, index): Piece => [`${name}/${index}`, asBytes(piece)]));
  return { name, from, to, live, words, frequent: [...frequent], head, pieces: pieces.length };
}

async function writeBlob(
  name: string,
  bytes: Uint8Array,
  write: (pieces: readonly Piece[]) => Promise<void>,
): Promise<SavedBlob> {
  const { blob, pieces } = cutBlob(name, bytes);
  await write(pieces);
  return blob;
}

function* batchesOf(pieces: readonly Piece[]): Iterable<readonly Piece[]> {
  let batch: Piece[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    batch.push(piece);
    bytes += piece[1].length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
