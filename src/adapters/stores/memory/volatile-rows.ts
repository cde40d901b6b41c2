import type { Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import { compareText } from '../../../core/ids.js';
import type { Block, LogEntry, RowState, RowStore, Rows, Snapshot, StoredDocument } from './rows.js';
import { dropped, LOG_LENGTH } from './rows.js';

/** Rows in this process's memory, gone with it. */
export function createVolatileRows(): RowStore {
  const collections = new Map<string, { readonly space: Space; readonly rows: VolatileRows }>();
  return {
    collections: () => [...collections.values()].map(({ space }) => space),
    find: (collection) => collections.get(collection)?.space,
    async create(space) {
      if (collections.has(space.collection)) return false;
      collections.set(space.collection, { space, rows: createRows(space) });
      return true;
    },
    async drop(collection) {
      collections.get(collection)?.rows.end();
      return collections.delete(collection);
    },
    rowsOf(space) {
      const open = collections.get(space.collection);
      if (open === undefined || open.space.uuid !== space.uuid) throw dropped(space);
      return open.rows;
    },
    async close() {
      for (const { rows } of collections.values()) rows.end();
      collections.clear();
    },
  };
}

interface VolatileRows extends Rows {
  end(): void;
}

function createRows(space: Space): VolatileRows {
  let state: RowState = { sequence: 0, nextBlock: 0, documents: 0, chunks: 0 };
  let ended = false;
  /** For each open snapshot, what the documents changed since then had been. */
  const snapshots = new Set<Map<string, StoredDocument | undefined>>();
  const documents = new Map<string, StoredDocument>();
  /** The keys of `documents` in order. A snapshot keeps the list that it found. */
  let ids: string[] = [];
  const blocks = new Map<number, Block>();
  const log: LogEntry[] = [];
  /** Blocks that were removed while a snapshot was open, which may still read them. */
  const removed: number[] = [];

  return {
    snapshot() {
      if (ended) throw dropped(space);
      return createSnapshot(state, ids);
    },
    async append(write) {
      if (ended) throw dropped(space);
      if (write.before.sequence !== state.sequence) return false;
      state = write.after;
      log.push(write.entry);
      if (log.length > LOG_LENGTH) log.shift();
      if (snapshots.size > 0) ids = ids.slice();
      removed.push(...write.entry.removed);
      forgetRemoved();
      for (const block of write.blocks) blocks.set(block.ref.number, block);
      for (const id of write.droppedDocuments) {
        rememberOld(id);
        if (documents.delete(id)) ids.splice(positionOf(ids, id), 1);
      }
      for (const document of write.documents) {
        rememberOld(document.row.id);
        if (!documents.has(document.row.id)) ids.splice(positionOf(ids, document.row.id), 0, document.row.id);
        documents.set(document.row.id, document);
      }
      return true;
    },
    end() {
      ended = true;
    },
  };

  function createSnapshot(seen: RowState, seenIds: readonly string[]): Snapshot {
    const changed = new Map<string, StoredDocument | undefined>();
    snapshots.add(changed);
    const document = (id: string) => (changed.has(id) ? changed.get(id) : documents.get(id));
    return {
      state: seen,
      document,
      documents(after, limit) {
        const found: StoredDocument[] = [];
        for (let at = after === undefined ? 0 : positionOf(seenIds, after); at < seenIds.length && found.length < limit; at++) {
          const next = document(seenIds[at] ?? '');
          if (next !== undefined && next.row.id !== after) found.push(next);
        }
        return found;
      },
      logAfter(sequence) {
        const first = log.length - (state.sequence - sequence);
        return first < 0 ? undefined : log.slice(first, log.length - (state.sequence - seen.sequence));
      },
      column(number, column) {
        const block = blocks.get(number);
        if (block === undefined)
          throw new RagError('STORE_CORRUPT', `collection "${space.collection}": block ${number} is missing`);
        return block.columns[column];
      },
      saved: () => undefined,
      savedManifest: () => undefined,
      release() {
        snapshots.delete(changed);
        forgetRemoved();
      },
    };
  }

  function forgetRemoved(): void {
    if (snapshots.size > 0) return;
    for (const number of removed) blocks.delete(number);
    removed.length = 0;
  }

  function rememberOld(id: string): void {
    for (const changed of snapshots) if (!changed.has(id)) changed.set(id, documents.get(id));
  }
}

/** Where an id stands in an ordered list, or would stand. */
function positionOf(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(ids[middle] ?? '', id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
