import type { Pace } from '../../../core/turns.js';
import { headsOf } from './blocks.js';
import { createDirectory, type Directory, type PlacedBlock } from './directory.js';
import { createKeywordIndex, type KeywordIndex } from './keyword-index.js';
import { PieceGone, type ReadPiece } from './keyword-part.js';
import type { OpenVectors, ResidentVectors } from './resident-vectors.js';
import type { BlockRef, LogEntry, Snapshot } from './rows.js';
import { type Manifest, readBlob, readManifest } from './saved.js';
import { asWords, joinArrays, splitArrays } from './saved-bytes.js';
import { createScalarIndex, type ScalarIndex } from './scalar-index.js';
import { type TermCounts, unpackTerms } from './terms.js';

/** What a query needs to have in memory; nothing else is loaded. */
export interface Needs {
  readonly vectors?: boolean;
  readonly keywords?: boolean;
  readonly fields?: ReadonlySet<string>;
}

/** The indexes of one state of a collection, as far as they were needed yet. */
export interface Loaded {
  /** The commit from whose rows the ordinals were first given. */
  readonly epoch: number;
  sequence: number;
  readonly directory: Directory;
  vectors: ResidentVectors | undefined;
  keywords: KeywordIndex | undefined;
  readonly scalars: ScalarIndex;
  /** Chunks that came or went since what is saved, or that had to be indexed from the rows. */
  unsaved: number;
}

/** Documents that are read at once. */
const PAGE = 256;

/** What was saved, brought up to the snapshot; undefined when that can't be done. */
export async function restore(snapshot: Snapshot, pace: Pace): Promise<Loaded | undefined> {
  const manifest = readManifest(snapshot);
  const entries = manifest && snapshot.logAfter(manifest.sequence);
  const packed = manifest && entries && (await readBlob(snapshot, manifest.directory, pace));
  if (manifest === undefined || packed === undefined) return undefined;
  const { epoch, sequence } = manifest;
  return emptyOver(createDirectory(packed), epoch, sequence, 0);
}

/** The directory as the rows give it, and no index. */
export async function loadRows(snapshot: Snapshot, pace: Pace): Promise<Loaded> {
  const blocks: BlockRef[] = [];
  let after: string | undefined;
  for (;;) {
    const page = snapshot.documents(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const document of page) blocks.push(...document.blocks);
    after = last.row.id;
    await pace();
  }
  const directory = createDirectory();
  // As the log would have given them.
  for (const block of blocks.sort((left, right) => left.number - right.number)) {
    directory.add(block);
    await pace();
  }
  const { sequence } = snapshot.state;
  return emptyOver(directory, sequence, sequence, directory.size);
}

/**
 * Follows the log up to the snapshot. Every block gets its ordinals, also one that was removed by a later commit: so they do not depend on
 * how often somebody looked.
 */
export async function replay(loaded: Loaded, entries: readonly LogEntry[], snapshot: Snapshot, pace: Pace): Promise<void> {
  const { directory, vectors, keywords, scalars } = loaded;
  const known = directory.size;
  for (const { added, removed } of entries) {
    for (const number of removed) {
      const dead = directory.remove(number);
      loaded.unsaved += dead.length;
      for (const ordinal of dead) {
        if (ordinal >= known) break;
        vectors?.remove(ordinal);
        keywords?.remove(ordinal);
      }
    }
    for (const block of added) {
      directory.add(block);
      loaded.unsaved += block.chunks;
    }
    await pace();
  }
  for (const block of directory.blocks(known)) {
    await vectors?.addBlock(snapshot, block);
    if (keywords !== undefined) await addTerms(keywords, snapshot, block, pace);
    if (!scalars.isEmpty) addHeads(scalars, snapshot, block);
    await pace();
  }
  await vectors?.settle(pace);
  loaded.sequence = snapshot.state.sequence;
}

export interface LoadOptions {
  readonly openVectors: OpenVectors;
  /** Whether a saved part, by its name, may be read: not again when it was damaged. */
  readonly isTrusted: (name: string) => boolean;
}

/** Loads what is needed and not there yet: from what was saved, and from the rows what came since. */
export async function loadParts(
  loaded: Loaded,
  snapshot: Snapshot,
  needs: Needs,
  { openVectors, isTrusted }: LoadOptions,
  pace: Pace,
): Promise<void> {
  const { directory, scalars } = loaded;
  const manifest = readManifest(snapshot);
  const saved = manifest?.epoch === loaded.epoch ? manifest : undefined;
  if (needs.vectors === true && loaded.vectors === undefined) {
    const vectors = await openVectors(directory, () => readVectors(saved, snapshot, pace));
    const known = vectors.size;
    for (const block of directory.blocks(known)) {
      await vectors.addBlock(snapshot, block);
      await pace();
    }
    if (directory.liveCount < directory.size) {
      for (let ordinal = 0; ordinal < known; ordinal++) if (!directory.alive.has(ordinal)) vectors.remove(ordinal);
    }
    await vectors.settle(pace);
    if (known === 0 && vectors.save !== undefined) loaded.unsaved += directory.liveCount;
    loaded.vectors = vectors;
  }
  if (needs.keywords === true && loaded.keywords === undefined) {
    const packed = await readKeywords(saved, snapshot, isTrusted, pace);
    const keywords = createKeywordIndex(directory.alive, packed);
    for (const block of directory.blocks(packed?.lengths.length ?? 0)) {
      await addTerms(keywords, snapshot, block, pace);
      await pace();
    }
    if (packed === undefined) loaded.unsaved += directory.liveCount;
    loaded.keywords = keywords;
  }
  const missing = scalars.missing(needs.fields ?? new Set());
  if (missing.size > 0) {
    const { packed, sizes } = await readFields(saved, missing, snapshot, pace);
    scalars.start(missing, packed);
    // One pass over the chunks for all fields that lack them.
    for (const block of directory.blocks(Math.min(...[...missing].map((field) => sizes.get(field) ?? 0)))) {
      const lacking = new Set([...missing].filter((field) => (sizes.get(field) ?? 0) <= block.first));
      addHeads(scalars, snapshot, block, lacking);
      await pace();
    }
    if (packed.size < missing.size) loaded.unsaved += directory.liveCount;
  }
}

/** Reads saved pieces within a snapshot. */
export function pieceReader(snapshot: Snapshot): ReadPiece {
  return (name) => {
    const piece = snapshot.saved(name);
    if (piece === undefined) throw new PieceGone(name);
    return piece;
  };
}

/** The head of a saved part: what is read at once when it is opened. */
export function packHead(firsts: Uint32Array, lengths: Uint32Array): Uint8Array {
  return joinArrays([firsts, lengths]);
}

async function readKeywords(
  manifest: Manifest | undefined,
  snapshot: Snapshot,
  isTrusted: (name: string) => boolean,
  pace: Pace,
) {
  const saved = manifest?.keywords;
  if (saved === undefined || !saved.every(({ name }) => isTrusted(name))) return undefined;
  const parts = [];
  const lengths = new Uint32Array(saved.at(-1)?.to ?? 0);
  for (const { head, name, frequent, ...shape } of saved) {
    const bytes = await readBlob(snapshot, head, pace);
    if (bytes === undefined) return undefined;
    const [firsts, own] = splitArrays(bytes);
    if (firsts === undefined || own === undefined) return undefined;
    lengths.set(asWords(own), shape.from);
    parts.push({ ...shape, firsts: asWords(firsts), frequent: new Map(frequent), pieces: name });
  }
  return { parts, lengths };
}

/** The saved indexes of fields, and the ordinals that each has. */
async function readFields(manifest: Manifest | undefined, wanted: ReadonlySet<string>, snapshot: Snapshot, pace: Pace) {
  const packed = new Map<string, Uint8Array>();
  const sizes = new Map<string, number>();
  for (const { field, size, blob } of manifest?.fields ?? []) {
    const bytes = wanted.has(field) ? await readBlob(snapshot, blob, pace) : undefined;
    if (bytes === undefined) continue;
    packed.set(field, bytes);
    sizes.set(field, size);
  }
  return { packed, sizes };
}

/** The saved parts of the vector index by key; none when one is missing or damaged. */
async function readVectors(
  manifest: Manifest | undefined,
  snapshot: Snapshot,
  pace: Pace,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const read = new Map<string, Uint8Array>();
  for (const { key, blob } of manifest?.vectors ?? []) {
    const bytes = await readBlob(snapshot, blob, pace);
    if (bytes === undefined) return new Map();
    read.set(key, bytes);
  }
  return read;
}

function emptyOver(directory: Directory, epoch: number, sequence: number, unsaved: number): Loaded {
  return { epoch, sequence, directory, vectors: undefined, keywords: undefined, scalars: createScalarIndex(), unsaved };
}

async function addTerms(index: KeywordIndex, snapshot: Snapshot, block: PlacedBlock, pace: Pace): Promise<void> {
  const counts: readonly TermCounts[] = unpackTerms(snapshot.column(block.number, 'terms'), block.chunks);
  for (const [row, own] of counts.entries()) index.add(block.first + row, own);
  if (index.isLong) await index.compact({ thorough: false, read: pieceReader(snapshot), pace });
}

function addHeads(index: ScalarIndex, snapshot: Snapshot, block: PlacedBlock, fields?: ReadonlySet<string>): void {
  const heads = headsOf(snapshot.column(block.number, 'heads'), block.chunks);
  for (const [row, head] of heads.entries()) index.add(block.first + row, head, fields);
}
