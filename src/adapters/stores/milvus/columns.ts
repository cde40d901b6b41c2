import { createHash } from 'node:crypto';
import type { Field, FieldType, Metadata, Scalar } from '../../../core/contracts.js';

/** The fixed columns of a chunk, under the names that the server knows. */
export const COLUMNS = {
  id: 'id',
  vector: 'vector',
  documentId: 'document_id',
  uri: 'uri',
  hash: 'hash',
  group: 'chunk_group',
  position: 'position',
  text: 'text',
  place: 'place',
  metadata: 'metadata',
} as const;

/** More declared fields than this are filtered through the JSON column only: Milvus allows 64 columns, and a field takes two. */
export const MAX_FIELD_COLUMNS = 24;

/** A declared field that has a typed column of its own beside the JSON, so that the server can index it. */
export interface FieldColumn {
  readonly field: string;
  readonly type: 'string' | 'number' | 'boolean';
  /** Holds the value, or the type's zero where the document has none of this type. */
  readonly value: string;
  /** True where `value` is real: Milvus 2.3 has no nullable columns, and null logic differs between servers. */
  readonly present: string;
}

/** The declared scalar fields that get columns, by field name. */
export function fieldColumns(fields: readonly Field[]): ReadonlyMap<string, FieldColumn> {
  const columns = new Map<string, FieldColumn>();
  for (const { name, type } of fields) {
    if (columns.size === MAX_FIELD_COLUMNS) break;
    if (type !== 'string' && type !== 'number' && type !== 'boolean') continue;
    columns.set(name, { field: name, type, value: `field_${columnSuffix(name)}`, present: `has_${columnSuffix(name)}` });
  }
  return columns;
}

/** The values of the field columns of one chunk. */
export function fieldValues(columns: ReadonlyMap<string, FieldColumn>, metadata: Metadata): Record<string, Scalar> {
  const values: Record<string, Scalar> = {};
  for (const column of columns.values()) {
    const value = Object.hasOwn(metadata, column.field) ? metadata[column.field] : undefined;
    const fits = typeof value === column.type && !Array.isArray(value);
    values[column.present] = fits;
    values[column.value] = fits ? (value as Scalar) : ZERO[column.type]; // `fits` has looked at its type
  }
  return values;
}

/** What a value's key in the JSON column begins with: its type, so that no comparison ever meets a value of another type. */
export type KeyType = FieldType | '[]';
export const KEY_TYPES: readonly KeyType[] = ['string', 'number', 'boolean', 'string[]', 'number[]', 'boolean[]', '[]'];

/** @example typedKey('number', 'year') // 'number:year' */
export function typedKey(type: KeyType, field: string): string {
  return `${type}:${field}`;
}

/**
 * Metadata as the JSON column holds it: each key with its value's type before it. Servers compare values of different types each in
 * their own way (on Milvus Lite `true` equals 1 and a comparison across types is neither true nor false); here they never meet.
 */
export function packMetadata(metadata: Metadata): Record<string, Scalar | readonly Scalar[]> {
  return Object.fromEntries(Object.entries(metadata).map(([field, value]) => [typedKey(keyTypeOf(value), field), value]));
}

/** The inverse of `packMetadata`. */
export function unpackMetadata(packed: Readonly<Record<string, Scalar | readonly Scalar[]>>): Metadata {
  return Object.fromEntries(Object.entries(packed).map(([key, value]) => [key.slice(key.indexOf(':') + 1), value]));
}

const ZERO = { string: '', number: 0, boolean: false } as const;

function keyTypeOf(value: Scalar | readonly Scalar[]): KeyType {
  if (typeof value === 'object') return value[0] === undefined ? '[]' : `${scalarType(value[0])}[]`;
  return scalarType(value);
}

function scalarType(value: Scalar): 'string' | 'number' | 'boolean' {
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'boolean';
}

/** Field names hold any characters, column names few: what doesn't fit is named by its hash, behind a letter that no plain one has. */
function columnSuffix(field: string): string {
  if (/^[A-Za-z0-9_]{1,60}$/.test(field)) return `_${field}`;
  return `x${createHash('sha256').update(field).digest('hex').slice(0, 24)}`;
}
