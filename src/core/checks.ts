import type { Change, DocumentRow, Entry, Fingerprint, Space } from './contracts.js';
import { invalidInput, RagError } from './errors.js';
import { chunkId } from './ids.js';
import type { Pace } from './turns.js';
import { isWellFormed } from './values.js';

/** What every store checks before it takes anything: servers coerce, cut or ignore what is wrong, each in its own way. */

/**
 * Checks a whole change; nothing of it may be written before.
 * @throws RagError INPUT_INVALID: a document or position twice, a document both put and dropped, a chunk of another document or with
 * another's id, an id that is empty or no well-formed Unicode, a bad vector, a gap between positions · what `pace` throws
 */
export async function checkChange({ put, drop }: Change, dimensions: number, pace: Pace): Promise<void> {
  const documents = new Set<string>();
  for (const { document, entries } of put) {
    checkId(document.id, 'a document id');
    if (documents.has(document.id)) throw invalidInput('change.put', `document "${document.id}" occurs twice`);
    documents.add(document.id);
    for (const entry of entries) {
      checkEntry(entry, document, dimensions);
      await pace();
    }
    checkPositions(document.id, entries);
    await pace();
  }
  for (const id of drop) {
    if (documents.has(id)) throw invalidInput('change.drop', `document "${id}" is put by the same change`);
  }
}

/**
 * @param adapter the store's name, for the error
 * @throws RagError FINGERPRINT_MISMATCH where what made the collection's vectors isn't what is to search or write them
 */
export function checkFingerprint({ collection, fingerprint }: Space, wanted: Fingerprint, adapter: string): void {
  if (isSameFingerprint(fingerprint, wanted)) return;
  const message =
    `collection "${collection}" was embedded with ${nameOf(fingerprint)}, and is opened with ${nameOf(wanted)}: their vectors can't be compared. ` +
    `Open it with the first, or re-embed: ingest into another collection, or drop this one and ingest again`;
  throw new RagError('FINGERPRINT_MISMATCH', message, { adapter });
}

/** Whether vectors of the two can be compared. */
export function isSameFingerprint(left: Fingerprint, right: Fingerprint): boolean {
  return left.embedder === right.embedder && left.dimensions === right.dimensions && left.metric === right.metric;
}

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

function nameOf({ embedder, dimensions, metric }: Fingerprint): string {
  return `"${embedder}" (${dimensions} dimensions, ${metric})`;
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

/** A chunk is found again by its position: those of a group are 0, 1, 2, … without a gap. */
function checkPositions(documentId: string, entries: readonly Entry[]): void {
  const name = `document "${documentId}"`;
  const groups = new Map<string, Set<number>>();
  for (const { group, position } of entries) {
    const seen = groups.get(group) ?? new Set();
    if (seen.has(position)) throw invalidInput(name, `position ${position} of group "${group}" occurs twice`);
    groups.set(group, seen.add(position));
  }
  for (const [group, seen] of groups) {
    for (let position = 0; position < seen.size; position++) {
      if (!seen.has(position)) throw invalidInput(name, `group "${group}" has no chunk at position ${position}`);
    }
  }
}

function checkId(id: string, what: string): void {
  if (id === '') throw invalidInput(what, 'must not be empty');
  if (!isWellFormed(id)) throw invalidInput(what, `must be well-formed Unicode, got ${JSON.stringify(id)}`);
}
