import { randomUUID } from 'node:crypto';
import { checkChange } from '../../../core/checks.js';
import type { Change, Fingerprint } from '../../../core/contracts.js';
import type { Pace } from '../../../core/turns.js';
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

/**
 * Checks and encodes a change.
 * @throws RagError INPUT_INVALID naming what is wrong, as `checkChange` does
 */
export async function prepareChange(change: Change, fingerprint: Fingerprint, pace: Pace): Promise<PreparedChange> {
  await checkChange(change, fingerprint.dimensions, pace);
  const put: PreparedChange['put'][number][] = [];
  for (const { document, entries } of change.put) {
    const blocks: PackedBlock[] = [];
    for (const cut of cutBlocks(entries)) {
      blocks.push({ columns: packBlock(cut), group: cut[0]?.group ?? '', chunks: cut.length, start: cut[0]?.position ?? 0 });
      await pace();
    }
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
      stamp: randomUUID(),
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
