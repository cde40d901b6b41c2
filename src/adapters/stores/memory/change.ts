import type { Change, Entry, Fingerprint } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';
import { cutBlocks, headsOf, packBlock } from './blocks.js';
import type { Block, BlockRef, RowWrite, Snapshot, StoredDocument } from './rows.js';

/** A change that was checked and encoded: all that can be done before it is known what it replaces. */
export interface PreparedChange {
  readonly put: readonly { readonly row: StoredDocument['row']; readonly blocks: readonly PackedBlock[] }[];
  readonly drop: readonly string[];
}
interface PackedBlock extends Omit<Block, 'ref'> {
  readonly group: string;
}

type Pace = () => Promise<void> | undefined;

/**
 * Checks and encodes a change.
 * @throws RagError INPUT_INVALID naming what is wrong: a document twice, a vector of other dimensions or with NaN, a chunk of another document
 */
export async function prepareChange(change: Change, fingerprint: Fingerprint, pace: Pace): Promise<PreparedChange> {
  const ids = new Set<string>();
  const chunkIds = new Set<string>();
  for (const { document } of change.put) {
    if (ids.has(document.id)) throw invalidInput('change.put', `document "${document.id}" occurs twice`);
    ids.add(document.id);
  }
  for (const id of change.drop) if (ids.has(id)) throw invalidInput('change.drop', `document "${id}" is put by the same change`);
  const put: PreparedChange['put'][number][] = [];
  for (const { document, entries } of change.put) {
    checkText(document.id, 'a document id');
    for (const entry of entries) {
      checkEntry(entry, document.id, fingerprint.dimensions, chunkIds);
      await pace();
    }
    const blocks: PackedBlock[] = [];
    for (const cut of cutBlocks(entries)) {
      blocks.push({ ...packBlock(cut), group: cut[0]?.group ?? '' });
      await pace();
    }
    put.push({ row: document, blocks });
  }
  return { put, drop: [...new Set(change.drop)] };
}

/** What writing the change over this state comes to; undefined: nothing. */
export async function planWrite(change: PreparedChange, snapshot: Snapshot, pace: Pace): Promise<RowWrite | undefined> {
  const before = snapshot.state;
  const replaced = change.put.flatMap(({ row }) => snapshot.document(row.id) ?? []);
  const dropped = change.drop.flatMap((id) => snapshot.document(id) ?? []);
  if (change.put.length === 0 && dropped.length === 0) return undefined;
  let nextBlock = before.nextBlock;
  const blocks: Block[] = [];
  const documents: StoredDocument[] = [];
  for (const { row, blocks: packed } of change.put) {
    const refs: BlockRef[] = [];
    for (const { group, ...block } of packed) {
      const ref = { number: nextBlock++, chunks: block.chunkIds.length, group };
      refs.push(ref);
      blocks.push({ ...block, ref });
    }
    documents.push({ row, blocks: refs });
  }
  const added = documents.flatMap((document) => document.blocks);
  const removed = [...replaced, ...dropped].flatMap((document) => document.blocks);
  const kept = new Set(blocks.flatMap((block) => block.chunkIds));
  const droppedChunks: string[] = [];
  for (const block of removed) {
    for (const { id } of headsOf(snapshot.column(block.number, 'heads'), block)) if (!kept.has(id)) droppedChunks.push(id);
    await pace();
  }
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
    droppedChunks,
  };
}

function countChunks(blocks: readonly BlockRef[]): number {
  return blocks.reduce((total, block) => total + block.chunks, 0);
}

function checkEntry(entry: Entry, documentId: string, dimensions: number, seen: Set<string>): void {
  const name = `chunk "${entry.id}"`;
  checkText(entry.id, 'a chunk id');
  if (entry.documentId !== documentId)
    throw invalidInput(name, `is of document "${entry.documentId}", but given with "${documentId}"`);
  if (seen.has(entry.id)) throw invalidInput(name, 'occurs twice in the change');
  seen.add(entry.id);
  if (entry.vector.length !== dimensions) {
    throw invalidInput(name, `its vector has ${entry.vector.length} dimensions, the collection ${dimensions}`);
  }
  const wrong = entry.vector.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw invalidInput(name, `its vector holds ${entry.vector[wrong]} at ${wrong}`);
}

/** Two ids with different halves of surrogate pairs would be one in UTF-8. */
function checkText(text: string, what: string): void {
  if (text === '') throw invalidInput(what, 'must not be empty');
  if (/\p{Surrogate}/u.test(text)) throw invalidInput(what, `must be well-formed Unicode, got ${JSON.stringify(text)}`);
}
