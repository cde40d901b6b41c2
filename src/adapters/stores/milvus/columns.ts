import { createHash } from 'node:crypto';
import type { Field, Scalar } from '../../../core/contracts.js';

/** The columns of the chunk table, under the names that the server knows. */
export const CHUNK = {
  rowId: 'row_id',
  vector: 'vector',
  /** False for the zero vector, which servers rank each in their own way. */
  hasVector: 'has_vector',
  chunkId: 'chunk_id',
  documentId: 'document_id',
  uri: 'uri',
  hash: 'hash',
  group: 'chunk_group',
  position: 'position',
  /** Long texts go on in the following columns. */
  text: ['text', 'text_2', 'text_3', 'text_4'],
  /** Span and location, JSON. */
  place: 'place',
  metadata: 'metadata',
} as const;

/** The columns of the document table; its key is a hash, since document ids are of any length. */
export const DOCUMENT = {
  key: 'document_key',
  documentId: 'document_id',
  hash: 'hash',
  chunks: 'chunks',
  writer: 'writer',
  seq: 'seq',
  /** The whole row, JSON, over as many columns as it takes. */
  row: ['row', 'row_2', 'row_3', 'row_4'],
  /** Milvus makes no table without a vector. */
  vector: 'vector',
} as const;

/** The columns of the writer table. */
export const WRITER = { writer: 'writer', seq: 'seq', at: 'at', vector: 'vector' } as const;

/** The longest VarChar that Milvus has. 2.3 counts bytes of UTF-8, Lite characters; we count bytes. */
export const MAX_TEXT_BYTES = 65_535;
/** The most bytes of a JSON value (`common.JSONMaxLength` of Milvus). */
export const MAX_JSON_BYTES = 65_536;

/** More declared fields than this are filtered through the JSON column only: Milvus has 64 columns a table, and a field takes two. */
export const MAX_FIELD_COLUMNS = 20;

/** A declared field that has a typed column of its own beside the JSON, so that the server can index it. */
export interface FieldColumn {
  readonly field: string;
  readonly type: 'string' | 'number' | 'boolean';
  /** Holds the value, or the type's zero where the chunk has none of this type. */
  readonly value: string;
  /** True where `value` is real: Milvus 2.3 has no nullable columns, and the logic of null differs between servers. */
  readonly present: string;
}

/** The declared scalar fields that have columns, by field name; lists stay in the JSON, where no server indexes them. */
export function fieldColumns(fields: readonly Field[]): ReadonlyMap<string, FieldColumn> {
  const columns = new Map<string, FieldColumn>();
  for (const { name, type } of fields) {
    if (columns.size === MAX_FIELD_COLUMNS) break;
    if (type !== 'string' && type !== 'number' && type !== 'boolean') continue;
    const suffix = columnSuffix(name);
    columns.set(name, { field: name, type, value: `field_${suffix}`, present: `has_field_${suffix}` });
  }
  return columns;
}

/** What stands in a field column where there is no value. */
export const ABSENT: Readonly<Record<FieldColumn['type'], Scalar>> = { string: '', number: 0, boolean: false };

/** Field names hold any characters, column names few: what doesn't fit is named by its hash, behind a letter that no plain one has. */
function columnSuffix(field: string): string {
  if (/^[A-Za-z0-9_]{1,60}$/.test(field)) return `_${field}`;
  return `x${createHash('sha256').update(field).digest('hex').slice(0, 24)}`;
}
