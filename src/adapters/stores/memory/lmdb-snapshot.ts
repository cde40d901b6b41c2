import type { Transaction } from 'lmdb';
import type { Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import { compareText } from '../../../core/ids.js';
import { storeError, type Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import type { LogEntry, RowState, Snapshot, StoredDocument } from './rows.js';
import { sealedIn, unpackRow, unseal } from './seal.js';

/** One state of a collection in the file, held by a read transaction until it is released. */
export function createLmdbSnapshot(
  table: Table,
  space: Space,
  number: number,
  transaction: Transaction,
  state: RowState,
): Snapshot {
  const where = `collection "${space.collection}"`;
  let open = true;
  return {
    state,
    document(id) {
      const what = `${where}: document ${id}`;
      const bytes = get(keys.documentKey(number, id), what);
      return bytes && unpackRow<StoredDocument>(bytes, what);
    },
    documents(after, limit) {
      const found: StoredDocument[] = [];
      let cut: Buffer | undefined;
      try {
        for (const { key, value } of table.getRange({ ...keys.documentsFrom(number, after), transaction })) {
          if (found.length >= limit && !(cut !== undefined && key.subarray(0, cut.length).equals(cut))) break;
          const what = `${where}: ${keys.describeRow(keys.DOCUMENT_KIND, keys.restOf(key))}`;
          const document = unpackRow<StoredDocument>(value, what);
          if (after !== undefined && compareText(document.row.id, after) <= 0) continue;
          cut = keys.cutBeginning(key) ?? cut;
          found.push(document);
        }
      } catch (error) {
        throw storeError(`${where}: reading documents`, error);
      }
      if (cut !== undefined) found.sort((left, right) => compareText(left.row.id, right.row.id));
      return found;
    },
    logAfter(sequence) {
      const entries: LogEntry[] = [];
      for (let next = sequence + 1; next <= state.sequence; next++) {
        const what = `${where}: log row ${next}`;
        const bytes = get(keys.logKey(number, next), what);
        if (bytes === undefined) return undefined;
        entries.push(unpackRow<LogEntry>(bytes, what));
      }
      return entries;
    },
    column(block, column) {
      const what = `${where}: ${column} of block ${block}`;
      const bytes = get(keys.columnKey(number, column, block), what);
      if (bytes === undefined) throw new RagError('STORE_CORRUPT', `${what}: missing`, { adapter: 'memory' });
      return unseal(bytes, what);
    },
    saved: (name) => derived(keys.savedKey(number, name)),
    savedManifest: () => derived(keys.manifestKey(number)),
    release() {
      if (open) transaction.done();
      open = false;
    },
  };

  function get(key: Buffer, what: string): Buffer | undefined {
    try {
      return table.get(key, { transaction });
    } catch (error) {
      throw storeError(what, error);
    }
  }

  function derived(key: Buffer): Uint8Array | undefined {
    const bytes = get(key, `${where}: its saved indexes`);
    return bytes && sealedIn(bytes);
  }
}
