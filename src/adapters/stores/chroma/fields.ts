import type { Chunk, Scalar } from '../../../core/contracts.js';

/**
 * Keys of a chunk's row in Chroma. A field's own name never stands alone, so a field may be called `chroma:document`, `#x` or
 * `documentId`; and what Chroma would coerce or refuse is not stored as what it is but as text.
 */
export const KEYS = {
  documentId: 'd',
  /** Only where it is not the document's id. */
  uri: 'u',
  group: 'g',
  /** A list: one flag a field that the chunk has. */
  flags: 'f',
  /** A string, number or boolean, as itself: Chroma tells the three apart. */
  scalar: (field: string) => `s:${field}`,
  /** A list as `tokenOf` its values: of numbers, Chroma would mix up integers and floats. */
  list: (field: string) => `l:${field}`,
} as const;

/** Flag of a field that holds one number. */
export const numberFlag = (field: string) => `#${field}`;
/** Flag of a field that holds anything else. */
export const otherFlag = (field: string) => `=${field}`;
/** Flag of a chunk that has `KEYS.uri`. */
export const URI_FLAG = '$uri';

/** One text for a value and its type. @example tokenOf('1') // '"1"' */
export function tokenOf(value: Scalar): string {
  return JSON.stringify(value);
}

export type RowMetadata = Record<string, string | number | boolean | string[]>;

/** What filters look at; the chunk itself is stored beside it as JSON. */
export function metadataOf(chunk: Chunk): RowMetadata {
  const { documentId, uri, group, metadata } = chunk;
  const row: RowMetadata = { [KEYS.documentId]: documentId, [KEYS.group]: group };
  const flags: string[] = [];
  if (uri !== documentId) {
    row[KEYS.uri] = uri;
    flags.push(URI_FLAG);
  }
  for (const [field, value] of Object.entries(metadata)) {
    flags.push(typeof value === 'number' ? numberFlag(field) : otherFlag(field));
    if (typeof value !== 'object') row[KEYS.scalar(field)] = value;
    // Chroma refuses empty lists; the flag tells that there is one.
    else if (value.length > 0) row[KEYS.list(field)] = value.map(tokenOf);
  }
  if (flags.length > 0) row[KEYS.flags] = flags;
  return row;
}
