import type { Change, DocumentRow, Entry } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';
import { chunkId } from '../../../core/ids.js';

/** Checks before anything is sent: servers coerce, cut or ignore what is wrong, each in its own way. */

/** @throws RagError INPUT_INVALID: another length, NaN or infinite values */
export function checkVector(vector: Float32Array, dimensions: number, path: string): void {
  if (vector.length !== dimensions) throw invalidInput(path, `has ${vector.length} dimensions, the collection ${dimensions}`);
  const wrong = vector.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw invalidInput(path, `holds ${vector[wrong]} at ${wrong}`);
}

/** @throws RagError INPUT_INVALID: not a whole number from 0 on */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 0) throw invalidInput('query.limit', `must be a whole number from 0 on, got ${limit}`);
}

/**
 * The same rules as the embedded engine's, which also takes every chunk as the keyword index.
 * @throws RagError INPUT_INVALID: a document or chunk twice, a chunk of another document or with another's id, a bad vector, a gap
 */
export function checkChange({ put, drop }: Change, dimensions: number): void {
  const documents = new Set<string>();
  for (const { document, entries } of put) {
    checkId(document.id, 'a document id');
    if (documents.has(document.id)) throw invalidInput('change.put', `document "${document.id}" occurs twice`);
    documents.add(document.id);
    for (const entry of entries) checkEntry(entry, document, dimensions);
    checkPositions(document.id, entries);
  }
  for (const id of drop) {
    if (documents.has(id)) throw invalidInput('change.drop', `document "${id}" is put by the same change`);
  }
}

function checkEntry(entry: Entry, { id, hash }: DocumentRow, dimensions: number): void {
  const path = `chunk "${entry.id}"`;
  checkId(entry.id, 'a chunk id');
  if (entry.documentId !== id) throw invalidInput(path, `is of document "${entry.documentId}", but given with "${id}"`);
  const made = chunkId(id, hash, entry.group, entry.position);
  if (entry.hash !== hash || entry.id !== made) {
    throw invalidInput(path, `must have the id that its document, hash, group and position make: "${made}"`);
  }
  checkVector(entry.vector, dimensions, `the vector of ${path}`);
}

/** Positions of a group are 0, 1, 2, … without a gap. */
function checkPositions(documentId: string, entries: readonly Entry[]): void {
  const groups = new Map<string, Set<number>>();
  for (const { group, position } of entries) {
    const seen = groups.get(group) ?? new Set();
    if (seen.has(position))
      throw invalidInput(`document "${documentId}"`, `position ${position} of group "${group}" occurs twice`);
    groups.set(group, seen.add(position));
  }
  for (const [group, seen] of groups) {
    for (let position = 0; position < seen.size; position++) {
      if (!seen.has(position))
        throw invalidInput(`document "${documentId}"`, `group "${group}" has no chunk at position ${position}`);
    }
  }
}

function checkId(id: string, what: string): void {
  if (id === '') throw invalidInput(what, 'must not be empty');
  // Two ids with different halves of surrogate pairs would be one in UTF-8.
  if (/\p{Surrogate}/u.test(id)) throw invalidInput(what, `must be well-formed Unicode, got ${JSON.stringify(id)}`);
}
