import type { Change, Entry, Fingerprint } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';
import { chunkId } from '../../../core/ids.js';
import { cutBlocks, packBlock } from './blocks.js';
import type { Block, BlockRef, RowWrite, Snapshot, StoredDocument } from './rows.js';

/** A change that was checked and encoded: all that can be done before it is known what it replaces. */
export interface PreparedChange {
  readonly put: readonly { readonly row: StoredDocument['row']; readonly blocks: readonly PackedBlock[] }[];
  readonly drop: readonly string[];
}
interface PackedBlock {
  readonly columns: Block['columns'];
  readonly group: string;
  readonly chunks: number;
  readonly start: number;
}

type Pace = () => Promise<void> | undefined;

/**
 * Checks and encodes a change.
 * @throws RagError INPUT_INVALID naming what is wrong: a document twice, a vector of other dimensions or with NaN, a chunk of another document
 */
export async function prepareChange(change: Change, fingerprint: Fingerprint, pace: Pace): Promise<PreparedChange> {
  const ids = new Set<string>();
  for (const { document } of change.put) {
    if (ids.has(document.id)) throw invalidInput('change.put', `document "${document.id}" occurs twice`);
    ids.add(document.id);
  }
  for (const id of change.drop) if (ids.has(id)) throw invalidInput('change.drop', `document "${id}" is put by the same change`);
  const put: PreparedChange['put'][number][] = [];
  for (const { document, entries } of change.put) {
    checkText(document.id, 'a document id');
    for (const entry of entries) {
      checkEntry(entry, document, fingerprint.dimensions);
      await pace();
    }
    const blocks: PackedBlock[] = [];
    for (const cut of cutBlocks(entries)) {
      blocks.push({ columns: packBlock(cut), group: cut[0]?.group ?? '', chunks: cut.length, start: cut[0]?.position ?? 0 });
      await pace();
    }
    checkPositions(document.id, entries);
    put.push({ row: document, blocks });
  }
  return { put, drop: [...new Set(change.drop)] };
}

/** What writing the change over this state comes to; undefined: nothing. */
export function planWrite(change: PreparedChange, snapshot: Snapshot): RowWrite | undefined {
  const before = snapshot.state;
  const replaced = change.put.flatMap(({ row }) => snapshot.document(row.id) ?? []);
  const dropped = change.drop.flatMap((id) => snapshot.document(id) ?? []);
  if (change.put.length === 0 && dropped.length === 0) return undefined;
  let nextBlock = before.nextBlock;
  const blocks: Block[] = [];
  const documents: StoredDocument[] = [];
  for (const { row, blocks: packed } of change.put) {
    const refs: BlockRef[] = [];
    for (const { columns, ...block } of packed) {
      const ref = { number: nextBlock++, ...block, documentId: row.id, hash: row.hash };
      refs.push(ref);
      blocks.push({ ref, columns });
    }
    documents.push({ row, blocks: refs });
  }
  const added = documents.flatMap((document) => document.blocks);
  const removed = [...replaced, ...dropped].flatMap((document) => document.blocks);
  return {
    before,
    after: {
      sequence: before.sequence + 1,
      nextBlock,
      documents: before.documents + change.put.length - replaced.length - dropped.length,
      chunks: before.chunks + countChunks(added) - countChunks(removed),
    },
    entry: { added, removed: removed.map((block) => block.number) },
    blocks,
    documents,
    droppedDocuments: dropped.map((document) => document.row.id),
  };
}

function countChunks(blocks: readonly BlockRef[]): number {
  return blocks.reduce((total, block) => total + block.chunks, 0);
}

function checkEntry(entry: Entry, { id, hash }: StoredDocument['row'], dimensions: number): void {
  const name = `chunk "${entry.id}"`;
  if (entry.documentId !== id) throw invalidInput(name, `is of document "${entry.documentId}", but given with "${id}"`);
  if (entry.hash !== hash || entry.id !== chunkId(id, hash, entry.group, entry.position)) {
    throw invalidInput(
      name,
      `must have the id that its document, hash, group and position make: "${chunkId(id, hash, entry.group, entry.position)}"`,
    );
  }
  checkText(entry.id, 'a chunk id');
  if (entry.vector.length !== dimensions) {
    throw invalidInput(name, `its vector has ${entry.vector.length} dimensions, the collection ${dimensions}`);
  }
  const wrong = entry.vector.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw invalidInput(name, `its vector holds ${entry.vector[wrong]} at ${wrong}`);
}

/** A chunk is found again by its position: those of a group are 0, 1, 2, … without a gap. */
function checkPositions(documentId: string, entries: readonly Entry[]): void {
  const positions = new Map<string, Set<number>>();
  for (const { group, position } of entries) {
    const seen = positions.get(group) ?? new Set();
    if (seen.has(position))
      throw invalidInput(`document "${documentId}"`, `position ${position} of group "${group}" occurs twice`);
    positions.set(group, seen.add(position));
  }
  for (const [group, seen] of positions) {
    for (let position = 0; position < seen.size; position++) {
      if (!seen.has(position))
        throw invalidInput(`document "${documentId}"`, `group "${group}" has no chunk at position ${position}`);
    }
  }
}

/** Two ids with different halves of surrogate pairs would be one in UTF-8. */
function checkText(text: string, what: string): void {
  if (text === '') throw invalidInput(what, 'must not be empty');
  if (/\p{Surrogate}/u.test(text)) throw invalidInput(what, `must be well-formed Unicode, got ${JSON.stringify(text)}`);
}
