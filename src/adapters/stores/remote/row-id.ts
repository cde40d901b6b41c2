import { createHash } from 'node:crypto';
import type { DocumentStamp, Stamp } from './contract.js';

/**
 * The id of a chunk's row. The stamp is in it, so that two writes of one chunk, by the same or by two writers, never meet. Hashed,
 * because chunk ids hold paths of any length in any script, and servers limit ids in bytes.
 * @example rowIdOf('a.md#1f3a9c2b77d0/default/000003', { writer: '9f2c41d07be3', seq: 5 }) // 'c0ffee….9f2c41d07be3.5'
 */
export function rowIdOf(chunkId: string, stamp: Stamp): string {
  return `${createHash('sha256').update(chunkId).digest('hex').slice(0, 32)}.${stampToText(stamp)}`;
}

/** The stamp that `rowIdOf` put into an id. */
export function stampOfRowId(rowId: string): Stamp {
  return stampFromText(rowId.slice(rowId.indexOf('.') + 1));
}

/** One text for a stamp; equal texts are equal stamps. */
export function stampToText(stamp: Stamp): string {
  return `${stamp.writer}.${stamp.seq}`;
}

/** Reads what `stampToText` wrote. */
function stampFromText(text: string): Stamp {
  const dot = text.lastIndexOf('.');
  return { writer: text.slice(0, dot), seq: Number(text.slice(dot + 1)) };
}

export function sameStamp(left: Stamp, right: Stamp): boolean {
  return left.seq === right.seq && left.writer === right.writer;
}

/**
 * The documents that a chunk id can belong to, of those that `find` knows: one, as a rule. Document ids and group names may hold
 * `#` and `/` themselves, so every `#` that the document's own hash follows is a candidate.
 */
export function ownersOf(chunkId: string, find: (documentId: string) => DocumentStamp | undefined): readonly DocumentStamp[] {
  const owners: DocumentStamp[] = [];
  for (let at = chunkId.indexOf('#'); at !== -1; at = chunkId.indexOf('#', at + 1)) {
    const owner = find(chunkId.slice(0, at));
    if (owner !== undefined && chunkId.startsWith(`${owner.hash.slice(0, 12)}/`, at + 1)) owners.push(owner);
  }
  return owners;
}
