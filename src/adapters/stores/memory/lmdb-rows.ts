import type { Space } from '../../../core/contracts.js';
import type { Pace } from '../../../core/turns.js';
import { storeError } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import { createLmdbSaved } from './lmdb-saved.js';
import { createLmdbSnapshot } from './lmdb-snapshot.js';
import { createSpaces } from './lmdb-spaces.js';
import { apply, createWriting, type LmdbParts, type Operation, put, putState, remove, versionOf } from './lmdb-write.js';
import type { RowState, RowStore, Rows, RowWrite } from './rows.js';
import { COLUMNS, dropped, LONGEST_LOG } from './rows.js';
import { seal, unpackRow } from './seal.js';

/**
 * Rows in a file, shared by all processes that open it. LMDB alone decides who wrote first: a write is conditional on the version of
 * one row (the state of a collection, or the format row), carries everything with it, and is done in LMDB's own thread, so nobody
 * ever waits for LMDB's lock on the event loop. lmdb 3.5.6's `transaction(callback)` would do that wait, and was seen never to
 * call back. Before it, the writer lock lets one process after the other have its turn.
 * @throws RagError UNSUPPORTED when the store was made by a later version
 */
export function createLmdbRows(parts: LmdbParts): RowStore {
  const { table, lock, readOnly, checkFile } = parts;
  const spaces = createSpaces(parts);
  const writing = createWriting(parts);

  return {
    collections: () => spaces.list().map(({ space }) => space),
    find: (collection) => spaces.find(collection)?.space,
    create: spaces.create,
    drop: spaces.drop,
    rowsOf(space) {
      const found = spaces.find(space.collection);
      if (found === undefined || found.space.uuid !== space.uuid) throw dropped(space);
      return createRows(found.space, found.number);
    },
    async close() {
      await lock.close();
      await table.close();
    },
  };

  function createRows(space: Space, number: number): Rows {
    const action = `saving the indexes of collection "${space.collection}"`;
    return {
      saved: readOnly ? undefined : createLmdbSaved(table, number, (work) => writing(action, work)),
      snapshot() {
        checkFile();
        // Without it, reads would go on with the state of the last turn of the event loop, and miss what others wrote since.
        table.resetReadTxn();
        const transaction = table.useReadTransaction();
        try {
          const bytes = table.get(keys.stateKey(number), { transaction });
          if (bytes === undefined) throw dropped(space);
          return createLmdbSnapshot(
            table,
            space,
            number,
            transaction,
            unpackRow<RowState>(bytes, `collection "${space.collection}": its state`),
          );
        } catch (error) {
          transaction.done();
          throw storeError(`reading collection "${space.collection}"`, error);
        }
      },
      async append(write, pace, signal) {
        const operations = await operationsOf(number, write, pace);
        const condition = () =>
          table.ifVersion(keys.stateKey(number), versionOf(write.before.sequence), () => apply(table, operations));
        return writing(`writing to collection "${space.collection}"`, condition, signal);
      },
    };
  }
}

/** Worked out before the condition is opened: what throws inside it leaves the operations before it queued. */
async function operationsOf(number: number, write: RowWrite, pace: Pace): Promise<readonly Operation[]> {
  const operations: Operation[] = [putState(number, write.after), put(keys.logKey(number, write.after.sequence), write.entry)];
  const oldest = write.after.sequence - LONGEST_LOG;
  if (oldest > 0) operations.push(remove(keys.logKey(number, oldest)));
  for (const block of write.entry.removed) {
    for (const column of COLUMNS) operations.push(remove(keys.columnKey(number, column, block)));
  }
  for (const id of write.droppedDocuments) operations.push(remove(keys.documentKey(number, id)));
  for (const { ref, columns } of write.blocks) {
    for (const column of COLUMNS) {
      operations.push({ key: keys.columnKey(number, column, ref.number), value: seal(columns[column]), version: 1 });
    }
    await pace();
  }
  for (const document of write.documents) operations.push(put(keys.documentKey(number, document.row.id), document));
  return operations;
}
