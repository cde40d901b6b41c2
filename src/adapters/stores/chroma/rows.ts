import type { Chunk, DocumentRow } from '../../../core/contracts.js';
import { isZeroVector } from '../../../core/values.js';
import type { ChunkRow, DocumentStamp, RemoteHit, StoredChunk, StoredDocument, WriterRow } from '../remote/contract.js';
import { toExactJson } from '../remote/json.js';
import { stampOfRowId } from '../remote/row-id.js';
import type { RowMetadata } from './fields.js';

/**
 * Rows as Chroma keeps them. Whole chunks and manifest rows are JSON in Chroma's `uri`: it is text that is neither indexed for full
 * text, which makes writing twice as slow, nor sent along with every read of the metadata.
 */

/** A chunk as JSON; `bare` marks one with the zero vector. */
export function chunkToJson({ entry: { vector, ...chunk } }: ChunkRow): string {
  return toExactJson(isZeroVector(vector) ? { ...chunk, bare: true } : chunk);
}

interface StoredJson extends Chunk {
  readonly bare?: true;
}

/** The chunk of a row, and whether it has no vector to be found by. */
export function chunkFromJson(rowId: string, json: string | null | undefined): StoredChunk & { readonly bare: boolean } {
  // Only rows that `chunkToJson` wrote are ever read: a collection without our mark is never opened.
  const { bare = false, ...chunk } = JSON.parse(json ?? 'null') as StoredJson;
  return { rowId, stamp: stampOfRowId(rowId), chunk, bare };
}

/** A distance is 1 − inner product or the squared distance, by the collection's space. */
export function hitOf(stored: StoredChunk, distance: number, metric: 'cosine' | 'dot' | 'l2'): RemoteHit {
  return { ...stored, score: metric === 'l2' ? -distance : 1 - distance };
}

/** What the manifest's reading without texts needs. Every row has the same keys, so that Chroma's merge on upsert replaces all. */
export function documentMetadata({ document, stamp }: StoredDocument): RowMetadata {
  return { hash: document.hash, chunks: document.chunks, writer: stamp.writer, seq: stamp.seq };
}

export function documentStamp(id: string, metadata: Readonly<Record<string, unknown>>): DocumentStamp {
  return {
    id,
    hash: String(metadata.hash),
    chunks: Number(metadata.chunks),
    stamp: { writer: String(metadata.writer), seq: Number(metadata.seq) },
  };
}

export function storedDocument(
  id: string,
  metadata: Readonly<Record<string, unknown>>,
  json: string | null | undefined,
): StoredDocument {
  return { document: JSON.parse(json ?? 'null') as DocumentRow, stamp: documentStamp(id, metadata).stamp }; // written by us only
}

export function writerRow(writer: string, metadata: Readonly<Record<string, unknown>>): WriterRow {
  return { writer, seq: Number(metadata.seq), at: Number(metadata.at) };
}
