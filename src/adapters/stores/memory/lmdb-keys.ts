import { createHash } from 'node:crypto';
import type { Column } from './rows.js';

/**
 * The keys of the one table that everything lies in. Each starts with a kind; what belongs to a collection goes on with its number.
 * Numbers are big-endian, so keys ascend as they do; UTF-8 ascends by code point, as ids must.
 */
const KIND = {
  format: 1,
  space: 2,
  dropped: 3,
  state: 4,
  document: 5,
  log: 6,
  saved: 7,
  manifest: 8,
  lease: 9,
  building: 10,
} as const;
const COLUMN_KIND: Readonly<Record<Column, number>> = { texts: 16, heads: 17, vectors: 18, terms: 19 };

/** LMDB takes keys of 1,978 bytes; a longer id is cut here and told apart by its hash. */
const LONGEST_TEXT = 1900;

/** What a collection's rows lie under, to be swept when it was dropped. */
export const COLLECTION_KINDS: readonly number[] = [
  KIND.document,
  KIND.log,
  KIND.saved,
  KIND.manifest,
  KIND.lease,
  ...Object.values(COLUMN_KIND),
];

/** What of these is the truth and goes into a backup; the rest is made anew from it. */
export const TRUTH_KINDS: readonly number[] = [KIND.document, ...Object.values(COLUMN_KIND)];
export const DOCUMENT_KIND: number = KIND.document;

export const formatKey = (): Buffer => Buffer.from([KIND.format]);
export const spaceKey = (collection: string): Buffer => Buffer.concat([Buffer.from([KIND.space]), textKey(collection)]);
export const droppedKey = (number: number): Buffer => numbered(KIND.dropped, number);
export const buildingKey = (number: number): Buffer => numbered(KIND.building, number);
export const stateKey = (number: number): Buffer => numbered(KIND.state, number);
export const documentKey = (number: number, id: string): Buffer => Buffer.concat([numbered(KIND.document, number), textKey(id)]);
export const logKey = (number: number, sequence: number): Buffer => counted(KIND.log, number, sequence);
export const columnKey = (number: number, column: Column, block: number): Buffer => counted(COLUMN_KIND[column], number, block);

/** What is derived from a collection's rows: a piece, the manifest of all pieces, and who may write them. */
export const savedKey = (number: number, name: string): Buffer => Buffer.concat([numbered(KIND.saved, number), textKey(name)]);
export const manifestKey = (number: number): Buffer => numbered(KIND.manifest, number);
export const leaseKey = (number: number): Buffer => numbered(KIND.lease, number);
export const savedRange = (number: number): KeyRange => rowsRange(KIND.saved, number);
/** The name in a key of `savedRange`. */
export const savedName = (key: Buffer): string => key.toString('utf8', 5);
export const logRange = (number: number, through: number): KeyRange => ({
  start: numbered(KIND.log, number),
  end: logKey(number, through + 1),
});

/** All spaces, all collections that wait to be swept, all that are being built unseen, all rows of one kind. */
export const spacesRange = (): KeyRange => ({ start: Buffer.from([KIND.space]), end: Buffer.from([KIND.space + 1]) });
export const droppedRange = (): KeyRange => ({ start: Buffer.from([KIND.dropped]), end: Buffer.from([KIND.dropped + 1]) });
export const buildingRange = (): KeyRange => ({ start: Buffer.from([KIND.building]), end: Buffer.from([KIND.building + 1]) });
export const rowsRange = (kind: number, number: number): KeyRange => ({
  start: numbered(kind, number),
  end: numbered(kind, number + 1),
});

/**
 * The documents from an id on. Ids that were cut come by their hash among those with the same beginning, so the range starts at the
 * first of these, and whoever reads it puts them in order.
 */
export const documentsFrom = (number: number, id: string | undefined): KeyRange => ({
  start: id === undefined ? numbered(KIND.document, number) : documentKey(number, id).subarray(0, 5 + LONGEST_TEXT),
  end: numbered(KIND.document, number + 1),
});

/** Undefined where a document's key tells its place among all; else what its neighbours out of order have in common. */
export function cutBeginning(key: Buffer): Buffer | undefined {
  return key.length < 5 + LONGEST_TEXT ? undefined : key.subarray(0, 5 + LONGEST_TEXT);
}

/** The collection's number in a key of `droppedRange` or `buildingRange`. */
export const numberOf = (key: Buffer): number => key.readUInt32BE(1);

/** A key of one of `COLLECTION_KINDS` without kind and number, and put together again under another number. */
export const restOf = (key: Buffer): Buffer => key.subarray(5);
export const keyOf = (kind: number, number: number, rest: Buffer): Buffer => Buffer.concat([numbered(kind, number), rest]);

/** Rows of one of `TRUTH_KINDS`, and one of them, in words, for errors. */
export function describeKind(kind: number): string {
  return Object.entries(COLUMN_KIND).find(([, own]) => own === kind)?.[0] ?? 'documents';
}
export function describeRow(kind: number, rest: Buffer): string {
  return kind === DOCUMENT_KIND ? `document ${rest.toString('utf8')}` : `${describeKind(kind)} of block ${rest.readUIntBE(0, 6)}`;
}

export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

function textKey(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length < LONGEST_TEXT) return bytes;
  return Buffer.concat([bytes.subarray(0, LONGEST_TEXT), createHash('sha256').update(bytes).digest()]);
}

function numbered(kind: number, number: number): Buffer {
  const key = Buffer.alloc(5);
  key[0] = kind;
  key.writeUInt32BE(number, 1);
  return key;
}

function counted(kind: number, number: number, count: number): Buffer {
  const key = Buffer.alloc(11);
  key[0] = kind;
  key.writeUInt32BE(number, 1);
  key.writeUIntBE(count, 5, 6);
  return key;
}
