import type { Chunk, Entry, Metadata } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import { tokenize } from '../../../core/tokenize.js';
import { BLOCK_SIZE, type Block, type Snapshot } from './rows.js';
import { countTerms, packTerms } from './terms.js';

/** A chunk without its text: what filters look at. */
export type ChunkHead = Omit<Chunk, 'text'>;

/** Cuts a document's entries into blocks, by group, then position. Numbers are given when the blocks are written. */
export function cutBlocks(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const ordered = [...entries].sort(
    (left, right) => compareText(left.group, right.group) || left.position - right.position || compareText(left.id, right.id),
  );
  const cuts: Entry[][] = [];
  for (const entry of ordered) {
    const last = cuts.at(-1);
    if (last !== undefined && last.length < BLOCK_SIZE && last[0]?.group === entry.group) last.push(entry);
    else cuts.push([entry]);
  }
  return cuts;
}

/** Encodes the entries of one block. */
export function packBlock(entries: readonly Entry[]): Block['columns'] {
  return {
    texts: packItems(entries.map((entry) => JSON.stringify(entry.text))),
    heads: packItems(entries.map((entry) => JSON.stringify(headOf(entry)))),
    vectors: packVectors(entries),
    terms: packTerms(countTerms(entries.map((entry) => tokenize(entry.text)))),
  };
}

/**
 * A chunk by its id. The id tells document, hash, group and position (core/ids.ts), so no index of ids is kept; a `#` in the document's
 * name makes more than one reading of it, and the chunk itself tells which is right.
 */
export function findChunk(snapshot: Snapshot, id: string): Chunk | undefined {
  const positionStart = id.lastIndexOf('/') + 1;
  if (!/^\d+$/.test(id.slice(positionStart))) return undefined;
  for (let mark = id.lastIndexOf('#', positionStart); mark > 0; mark = id.lastIndexOf('#', mark - 1)) {
    const groupStart = id.indexOf('/', mark) + 1;
    const group = id.slice(groupStart, positionStart - 1);
    let position = Number(id.slice(positionStart));
    for (const block of snapshot.document(id.slice(0, mark))?.blocks ?? []) {
      if (block.group !== group) continue;
      if (position < block.chunks) {
        const head = headAt(snapshot.column(block.number, 'heads'), position);
        if (head.id === id) return { ...head, text: textAt(snapshot.column(block.number, 'texts'), position) };
        break;
      }
      position -= block.chunks;
    }
  }
  return undefined;
}

/** The text of one chunk of a `texts` column. JSON, not UTF-8: a chunk may begin or end amid a surrogate pair. */
export function textAt(column: Uint8Array, index: number): string {
  // Written by `packBlock`, and checked for damage when it was read.
  return JSON.parse(itemAt(column, index)) as string;
}

/** One chunk of a `heads` column. */
export function headAt(column: Uint8Array, index: number): ChunkHead {
  // Written by `packBlock`, and checked for damage when it was read.
  return JSON.parse(itemAt(column, index)) as ChunkHead;
}

/** The vectors of a `vectors` column, copied: views of one array. */
export function vectorsOf(column: Uint8Array, dimensions: number): readonly Float32Array[] {
  // By bytes: the column may begin anywhere, and a Float32Array only at multiples of four.
  const all = new Float32Array(column.length / 4);
  new Uint8Array(all.buffer).set(column);
  return Array.from({ length: all.length / dimensions }, (_, index) =>
    all.subarray(index * dimensions, (index + 1) * dimensions),
  );
}

/** All chunks of a `heads` column. */
export function headsOf(column: Uint8Array, chunks: number): readonly ChunkHead[] {
  return Array.from({ length: chunks }, (_, index) => headAt(column, index));
}

function headOf(entry: Entry): ChunkHead {
  const { id, documentId, uri, hash, group, position, span, location } = entry;
  const metadata: Metadata = entry.metadata;
  return { id, documentId, uri, hash, group, position, span, location, metadata };
}

/** Their number, the offset of each one's end, then the items one after the other; numbers have 32 bits. */
function packItems(items: readonly string[]): Uint8Array {
  const encoded = items.map((item) => Buffer.from(item, 'utf8'));
  const head = Buffer.alloc(4 + 4 * items.length);
  head.writeUInt32LE(items.length, 0);
  let end = head.length;
  for (const [index, item] of encoded.entries()) {
    end += item.length;
    head.writeUInt32LE(end, 4 + 4 * index);
  }
  return Buffer.concat([head, ...encoded]);
}

function itemAt(column: Uint8Array, index: number): string {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  const start = index === 0 ? 4 + 4 * bytes.readUInt32LE(0) : bytes.readUInt32LE(4 * index);
  return bytes.toString('utf8', start, bytes.readUInt32LE(4 + 4 * index));
}

/** Little-endian float32, row after row (every platform that Node runs on is little-endian, s390x aside). */
function packVectors(entries: readonly Entry[]): Uint8Array {
  const [first] = entries;
  const dimensions = first?.vector.length ?? 0;
  const all = new Float32Array(dimensions * entries.length);
  for (const [index, entry] of entries.entries()) all.set(entry.vector, index * dimensions);
  return new Uint8Array(all.buffer);
}
