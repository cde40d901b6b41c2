import type { Transaction } from 'lmdb';
import type { Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import { compareText } from '../../../core/ids.js';
import type { Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import type { LogEntry, RowState, Snapshot, StoredDocument } from './rows.js';
import { unpackRow, unseal } from './seal.js';

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
      const bytes = table.get(keys.documentKey(number, id), { transaction });
      return bytes && unpackRow<StoredDocument>(bytes, `${where}: document ${id}`);
    },
    documents(after, limit) {
      const found: StoredDocument[] = [];
      let cut: Buffer | undefined;
      for (const { key, value } of table.getRange({ ...keys.documentsFrom(number, after), transaction })) {
        if (found.length >= limit && !(cut !== undefined && key.subarray(0, cut.length).equals(cut))) break;
        const document = unpackRow<StoredDocument>(value, `${where}: a document`);
        if (after !== undefined && compareText(document.row.id, after) <= 0) continue;
        cut = keys.cutBeginning(key) ?? cut;
        found.push(document);
      }
      if (cut !== undefined) found.sort((left, right) => compareText(left.row.id, right.row.id));
      return found;
    },
    logAfter(sequence) {
      const entries: LogEntry[] = [];
      for (let next = sequence + 1; next <= state.sequence; next++) {
        const bytes = table.get(keys.logKey(number, next), { transaction });
        if (bytes === undefined) return undefined;
        entries.push(unpackRow<LogEntry>(bytes, `${where}: log row ${next}`));
      }
      return entries;
    },
    column(block, column) {
      const what = `${where}: ${column} of block ${block}`;
      const bytes = table.get(keys.columnKey(number, column, block), { transaction });
      if (bytes === undefined) throw new RagError('STORE_CORRUPT', `${what}: missing`, { adapter: 'memory' });
      return unseal(bytes, what);
    },
    release() {
      if (open) transaction.done();
      open = false;
    },
  };
}
