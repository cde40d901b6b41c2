import type { FieldType, Metadata, Scalar } from '../../../core/contracts.js';
import { ABSENT, type FieldColumn } from './columns.js';

/** What a packed key begins with: the type of its value; `[]` is the empty list. */
export type PackedType = FieldType | '[]';

/** Under this key stand the names of all fields. No packed key is like it: those hold a colon. */
export const FIELD_NAMES = 'fields';

export type PackedMetadata = Readonly<Record<string, readonly Scalar[]>>;

/** @example packedKey('number', 'year') // 'number:year' */
export function packedKey(type: PackedType, field: string): string {
  return `${type}:${field}`;
}

/**
 * Metadata as the JSON column holds it: each key with its value's type before it, each value a list.
 *
 * Servers compare values of different types each in their own way: on Milvus Lite `true` equals 1, and a comparison across types is
 * neither true nor false. Under typed keys they never meet. As lists, equality is `json_contains_any`: false, never null, for a missing
 * key on every server; and one of many values is one test, where Lite takes 35 ms for each `==` on a path (6,000 rows).
 *
 * @example packMetadata({ year: 2020, tags: ['a', 'b'] })
 * // { fields: ['year', 'tags'], 'number:year': [2020], 'string[]:tags': ['a', 'b'] }
 */
export function packMetadata(metadata: Metadata): PackedMetadata {
  const entries = Object.entries(metadata).map(([field, value]): [string, readonly Scalar[]] => [
    packedKey(typeOf(value), field),
    isList(value) ? value : [value],
  ]);
  return Object.fromEntries([[FIELD_NAMES, Object.keys(metadata)], ...entries]);
}

/** The inverse of `packMetadata`. */
export function unpackMetadata(packed: PackedMetadata): Metadata {
  const metadata: Record<string, Scalar | readonly Scalar[]> = {};
  for (const [key, values] of Object.entries(packed)) {
    const colon = key.indexOf(':');
    if (colon === -1) continue;
    const [only] = values;
    metadata[key.slice(colon + 1)] = key.slice(0, colon).endsWith('[]') || only === undefined ? values : only;
  }
  return metadata;
}

/** The values of the declared fields' columns. */
export function fieldValues(columns: ReadonlyMap<string, FieldColumn>, metadata: Metadata): Record<string, Scalar> {
  const values: Record<string, Scalar> = {};
  for (const column of columns.values()) {
    const value = Object.hasOwn(metadata, column.field) ? metadata[column.field] : undefined;
    const fits = value !== undefined && !isList(value) && typeof value === column.type;
    values[column.present] = fits;
    // Lite finds no -0 by `in [0]`.
    values[column.value] = fits ? (value === 0 ? 0 : value) : ABSENT[column.type];
  }
  return values;
}

function typeOf(value: Scalar | readonly Scalar[]): PackedType {
  if (!isList(value)) return scalarType(value);
  const [first] = value;
  return first === undefined ? '[]' : `${scalarType(first)}[]`;
}

function scalarType(value: Scalar): 'string' | 'number' | 'boolean' {
  return typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'boolean';
}

function isList(value: Scalar | readonly Scalar[]): value is readonly Scalar[] {
  return typeof value === 'object';
}
