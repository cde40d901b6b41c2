import type { Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import type { Pace } from '../../../core/turns.js';
import { storeError, type Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import { createLmdbSnapshot } from './lmdb-snapshot.js';
import type { RowState, RowStore, Rows, RowWrite } from './rows.js';
import { COLUMNS, dropped, LOG_LENGTH } from './rows.js';
import { packRow, seal, unpackRow } from './seal.js';

/** The layout that this code reads and writes; a store with a later one is refused. */
const FORMAT = 1;
/** Rows of a dropped collection that are removed at once. */
const SWEEP_SIZE = 512;

interface FormatRow {
  readonly format: number;
  /** Raised whenever a collection comes or goes. */
  readonly revision: number;
  readonly nextCollection: number;
}
interface SpaceRow {
  readonly space: Space;
  readonly number: number;
}

/**
 * Rows in a file, shared by all processes that open it. LMDB alone decides who wrote first: a write is conditional on the version of
 * one row (the state of a collection, or the format row), carries everything with it, and is done in LMDB's own thread, so nobody
 * ever waits for the writer lock on the event loop. lmdb 3.5.6's `transaction(callback)` would do that wait, and was seen never to
 * call back.
 * @throws RagError UNSUPPORTED when the store was made by a later version
 */
export function createLmdbRows(table: Table, folder: string): RowStore {
  const format = readFormat();
  if (format.format > FORMAT) {
    throw new RagError(
      'UNSUPPORTED',
      `the store at ${folder} has format ${format.format}, made by a newer hotrag; this one reads up to ${FORMAT}: update hotrag`,
      { adapter: 'memory' },
    );
  }

  return {
    collections() {
      table.resetReadTxn();
      return [...table.getRange(keys.spacesRange())].map(({ value }) => unpackRow<SpaceRow>(value, 'a collection').space);
    },
    find: (collection) => findSpace(collection)?.space,
    async create(space) {
      const before = readFormat();
      if (findSpace(space.collection) !== undefined) return false;
      const number = before.nextCollection;
      return writeFormat(before, { ...before, nextCollection: number + 1 }, [
        put(keys.spaceKey(space.collection), { space, number } satisfies SpaceRow),
        putState(number, { sequence: 0, nextBlock: 0, documents: 0, chunks: 0 }),
      ]);
    },
    async drop(collection) {
      for (;;) {
        const before = readFormat();
        const found = findSpace(collection);
        if (found === undefined) return false;
        const done = await writeFormat(before, before, [
          remove(keys.spaceKey(collection)),
          remove(keys.stateKey(found.number)),
          put(keys.droppedKey(found.number), {}),
        ]);
        if (done) break;
      }
      await sweep();
      return true;
    },
    rowsOf(space) {
      const found = findSpace(space.collection);
      if (found === undefined || found.space.uuid !== space.uuid) throw dropped(space);
      return createRows(found.space, found.number);
    },
    close: () => table.close(),
  };

  function createRows(space: Space, number: number): Rows {
    return {
      snapshot() {
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
      async append(write, pace) {
        const operations = await operationsOf(number, write, pace);
        return writing(`writing to collection "${space.collection}"`, () =>
          table.ifVersion(keys.stateKey(number), versionOf(write.before.sequence), () => apply(operations)),
        );
      },
    };
  }

  /** Worked out before the condition is opened: what throws inside it leaves the operations before it queued. */
  async function operationsOf(number: number, write: RowWrite, pace: Pace): Promise<readonly Operation[]> {
    const operations: Operation[] = [putState(number, write.after), put(keys.logKey(number, write.after.sequence), write.entry)];
    const oldest = write.after.sequence - LOG_LENGTH;
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

  function readFormat(): FormatRow {
    table.resetReadTxn();
    const bytes = table.get(keys.formatKey());
    return bytes === undefined
      ? { format: FORMAT, revision: 0, nextCollection: 1 }
      : unpackRow<FormatRow>(bytes, 'the format row');
  }

  function findSpace(collection: string): SpaceRow | undefined {
    table.resetReadTxn();
    const bytes = table.get(keys.spaceKey(collection));
    return bytes && unpackRow<SpaceRow>(bytes, `collection "${collection}"`);
  }

  function writeFormat(before: FormatRow, after: FormatRow, others: readonly Operation[]): Promise<boolean> {
    const key = keys.formatKey();
    const revision = before.revision + 1;
    const operations = [{ ...put(key, { ...after, revision } satisfies FormatRow), version: revision }, ...others];
    return writing(`writing the store at ${folder}`, () =>
      before.revision === 0
        ? table.ifNoExists(key, () => apply(operations))
        : table.ifVersion(key, before.revision, () => apply(operations)),
    );
  }

  /** Removes what dropped collections left, also those whose dropping process died over it. */
  async function sweep(): Promise<void> {
    for (const key of [...table.getKeys(keys.droppedRange())]) {
      const number = keys.numberOf(key);
      for (const kind of keys.COLLECTION_KINDS) {
        for (;;) {
          table.resetReadTxn();
          const some = [...table.getKeys({ ...keys.rowsRange(kind, number), limit: SWEEP_SIZE })];
          if (some.length === 0) break;
          await writing('removing a dropped collection', () => Promise.all(some.map((row) => table.remove(row))));
        }
      }
      await writing('removing a dropped collection', () => table.remove(key));
    }
  }

  /** Failures reach the caller through the condition's own promise. */
  function apply(operations: readonly Operation[]): void {
    for (const { key, value, version } of operations) {
      (value === undefined ? table.remove(key) : table.put(key, value, version)).catch(() => {});
    }
  }

  async function writing<Result>(action: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw storeError(action, await rootOf(error));
    }
  }
}

/** One row to write; without a value, to remove. */
interface Operation {
  readonly key: Buffer;
  readonly value?: Buffer;
  readonly version: number;
}

function put(key: Buffer, row: object): Operation {
  return { key, value: packRow(row), version: 1 };
}

function remove(key: Buffer): Operation {
  return { key, version: 1 };
}

/** Its version is what writers compete for. */
function putState(number: number, state: RowState): Operation {
  return { ...put(keys.stateKey(number), state), version: versionOf(state.sequence) };
}

/** LMDB counts versions from 1. */
function versionOf(sequence: number): number {
  return sequence + 1;
}

/** lmdb says "Commit failed" and keeps the reason apart, as a promise that rejects with it. */
async function rootOf(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (reason) {
    return reason;
  }
}
