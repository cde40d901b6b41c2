import type { Change, Entry } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';

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

/** @throws RagError INPUT_INVALID: a document or chunk twice, a chunk of another document, a bad id or vector */
export function checkChange({ put, drop }: Change, dimensions: number): void {
  const documents = new Set<string>();
  const chunks = new Set<string>();
  for (const { document, entries } of put) {
    checkId(document.id, 'a document id');
    if (documents.has(document.id)) throw invalidInput('change.put', `document "${document.id}" occurs twice`);
    documents.add(document.id);
    for (const entry of entries) checkEntry(entry, document.id, dimensions, chunks);
  }
  for (const id of drop) {
    if (documents.has(id)) throw invalidInput('change.drop', `document "${id}" is put by the same change`);
  }
}

function checkEntry(entry: Entry, documentId: string, dimensions: number, seen: Set<string>): void {
  const path = `chunk "${entry.id}"`;
  checkId(entry.id, 'a chunk id');
  if (entry.documentId !== documentId)
    throw invalidInput(path, `is of document "${entry.documentId}", but given with "${documentId}"`);
  if (seen.has(entry.id)) throw invalidInput(path, 'occurs twice in the change');
  seen.add(entry.id);
  checkVector(entry.vector, dimensions, `the vector of ${path}`);
}

function checkId(id: string, what: string): void {
  if (id === '') throw invalidInput(what, 'must not be empty');
  // Two ids with different halves of surrogate pairs would be one in UTF-8.
  if (/\p{Surrogate}/u.test(id)) throw invalidInput(what, `must be well-formed Unicode, got ${JSON.stringify(id)}`);
}
