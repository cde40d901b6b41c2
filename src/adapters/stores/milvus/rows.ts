import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { DocumentRow, Entry, Location, Metadata } from '../../../core/contracts.js';
import { invalidInput, RagError } from '../../../core/errors.js';
import { isZeroVector } from '../../../core/values.js';
import type { ChunkRow, DocumentStamp, StoredChunk, StoredDocument, WriterRow } from '../remote/contract.js';
import { toExactJson } from '../remote/json.js';
import { stampOfRowId } from '../remote/row-id.js';
import { CHUNK, DOCUMENT, type FieldColumn, MAX_JSON_BYTES, WRITER } from './columns.js';
import { fieldValues, packMetadata, unpackMetadata } from './metadata.js';
import { oneText, splitText } from './text.js';

/** A row as the client takes and gives it. */
export type Row = Record<string, unknown>;

/** What `chunkOf` reads. */
export const CHUNK_OUTPUT: readonly string[] = Object.entries(CHUNK).flatMap(([name, column]) =>
  name === 'vector' || name === 'hasVector' ? [] : column,
);
/** What `documentOf` reads. */
export const DOCUMENT_OUTPUT: readonly string[] = [DOCUMENT.writer, DOCUMENT.seq, ...DOCUMENT.row];
/** What `documentStampOf` reads. */
export const STAMP_OUTPUT: readonly string[] = [
  DOCUMENT.documentId,
  DOCUMENT.hash,
  DOCUMENT.chunks,
  DOCUMENT.writer,
  DOCUMENT.seq,
];
/** What `writerOf` reads. */
export const WRITER_OUTPUT: readonly string[] = [WRITER.writer, WRITER.seq, WRITER.at];
/** The value of the vector that a table must have and that nobody searches. */
export const NO_VECTOR = [0, 0];

/** @throws RagError INPUT_INVALID: a value that is longer than Milvus holds */
export function rowOfChunk({ rowId, entry }: ChunkRow, columns: ReadonlyMap<string, FieldColumn>): Row {
  const of = (part: string) => `${part} of chunk ${entry.id}`;
  const metadata = packMetadata(entry.metadata);
  checkJson(metadata, of('metadata'));
  return {
    [CHUNK.rowId]: rowId,
    [CHUNK.vector]: Array.from(entry.vector),
    [CHUNK.hasVector]: !isZeroVector(entry.vector),
    [CHUNK.chunkId]: oneText(entry.id, of('id')),
    [CHUNK.documentId]: oneText(entry.documentId, of('document id')),
    [CHUNK.uri]: oneText(entry.uri, of('uri')),
    [CHUNK.hash]: oneText(entry.hash, of('hash')),
    [CHUNK.group]: oneText(entry.group, of('group')),
    [CHUNK.position]: entry.position,
    ...spread(CHUNK.text, splitText(entry.text, CHUNK.text.length, of('text'))),
    [CHUNK.place]: oneText(placeOf(entry), of('span and location')),
    [CHUNK.metadata]: metadata,
    ...fieldValues(columns, entry.metadata),
  };
}

export function chunkOf(row: Row): StoredChunk {
  const read = parse(chunkRow, row);
  const place = parse(chunkPlace, JSON.parse(read.place));
  return {
    rowId: read.row_id,
    stamp: stampOfRowId(read.row_id),
    chunk: {
      id: read.chunk_id,
      documentId: read.document_id,
      uri: read.uri,
      hash: read.hash,
      group: read.chunk_group,
      position: read.position,
      text: joined(row, CHUNK.text),
      span: place.span,
      // Written by `rowOfChunk`: the keys that it has are those of a Location, and absent ones stay absent.
      location: place.location as Location,
      metadata: { ...unpackMetadata(read.metadata), ...place.metadata },
    },
  };
}

/** Span and location; and the metadata that the client's JSON would change: it writes 0 for -0. */
function placeOf({ span, location, metadata }: Entry): string {
  const holdsMinusZero = (part: Metadata[string]) =>
    (typeof part === 'object' ? part : [part]).some((item) => Object.is(item, -0));
  const changed = Object.fromEntries(Object.entries(metadata).filter(([, part]) => holdsMinusZero(part)));
  return toExactJson({ span, location, metadata: changed });
}

export function vectorOf(row: Row): Float32Array {
  return Float32Array.from(parse(z.array(z.number()), row[CHUNK.vector]));
}

/** @throws RagError INPUT_INVALID: a row that is longer than Milvus holds */
export function rowOfDocument({ document, stamp }: StoredDocument): Row {
  const of = (part: string) => `${part} of document ${document.id}`;
  return {
    [DOCUMENT.key]: documentKey(document.id),
    [DOCUMENT.documentId]: oneText(document.id, of('id')),
    [DOCUMENT.hash]: oneText(document.hash, of('hash')),
    [DOCUMENT.chunks]: document.chunks,
    [DOCUMENT.writer]: stamp.writer,
    [DOCUMENT.seq]: stamp.seq,
    ...spread(DOCUMENT.row, splitText(toExactJson(document), DOCUMENT.row.length, of('metadata and names'))),
    [DOCUMENT.vector]: NO_VECTOR,
  };
}

export function documentOf(row: Row): StoredDocument {
  const { writer, seq } = parse(documentRow, row);
  // Written by `rowOfDocument`, from a DocumentRow.
  return { document: JSON.parse(joined(row, DOCUMENT.row)) as DocumentRow, stamp: { writer, seq } };
}

export function documentStampOf(row: Row): DocumentStamp {
  const { document_id, hash, chunks, writer, seq } = parse(stampRow, row);
  return { id: document_id, hash, chunks, stamp: { writer, seq } };
}

/** @example documentKey('a.md') // '3f2a…', 32 hex digits */
export function documentKey(documentId: string): string {
  return createHash('sha256').update(documentId).digest('hex').slice(0, 32);
}

export function rowOfWriter({ writer, seq, at }: WriterRow): Row {
  return { [WRITER.writer]: writer, [WRITER.seq]: seq, [WRITER.at]: at, [WRITER.vector]: NO_VECTOR };
}

export function writerOf(row: Row): WriterRow {
  return parse(writerRow, row);
}

/** The client gives 64-bit integers as text. */
const integer = z.union([z.string(), z.number()]).transform(Number).pipe(z.int());
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const value = z.union([scalar, z.array(scalar)]);
const chunkRow = z.object({
  row_id: z.string(),
  chunk_id: z.string(),
  document_id: z.string(),
  uri: z.string(),
  hash: z.string(),
  chunk_group: z.string(),
  position: integer,
  place: z.string(),
  metadata: z.record(z.string(), z.array(scalar)),
});
const chunkPlace = z.object({
  span: z.tuple([z.number(), z.number()]),
  location: z.looseObject({}),
  metadata: z.record(z.string(), value),
});
const documentRow = z.object({ writer: z.string(), seq: integer });
const stampRow = documentRow.extend({ document_id: z.string(), hash: z.string(), chunks: integer });
const writerRow = z.object({ writer: z.string(), seq: integer, at: integer });

function parse<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const message = `a row in Milvus is not as hotrag wrote it: ${z.prettifyError(result.error)}`;
  throw new RagError('STORE_CORRUPT', message, { adapter: 'milvus' });
}

function spread(columns: readonly string[], parts: readonly string[]): Row {
  return Object.fromEntries(columns.map((column, index) => [column, parts[index] ?? '']));
}

function joined(row: Row, columns: readonly string[]): string {
  return columns.map((column) => parse(z.string(), row[column])).join('');
}

function checkJson(value: unknown, what: string): void {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_JSON_BYTES)
    throw invalidInput(what, `takes ${bytes} bytes as JSON; Milvus has room for ${MAX_JSON_BYTES} at most`);
}
