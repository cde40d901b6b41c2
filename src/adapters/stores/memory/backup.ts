import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transaction } from 'lmdb';
import { messageOf, RagError } from '../../../core/errors.js';
import { createPacer } from '../../../core/turns.js';
import type { BackedUpCollection } from './backup-format.js';
import { createBackupFile } from './backup-writer.js';
import { storeError, type Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import { openLmdb } from './lmdb-open.js';
import { createSpaces, type SpaceRow } from './lmdb-spaces.js';
import type { LmdbParts } from './lmdb-write.js';
import type { RowState, StoredDocument } from './rows.js';
import { unpackRow, unseal } from './seal.js';

/** What is in a backup. */
export interface BackupContents {
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly collections: readonly { readonly name: string; readonly documents: number; readonly chunks: number }[];
  /** Length of the file. */
  readonly bytes: number;
}

export interface BackUpOptions {
  /** Overwrite a file that is there. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that are read at once. */
const PAGE = 16;

interface FoundCollection extends SpaceRow {
  readonly state: RowState;
}

/**
 * Writes one state of a whole store to a file, while others go on reading and writing. Every row is checked on the way, so that what was
 * backed up can be restored; the file appears under its name when it is complete. What is derived from the rows is left out.
 * @throws RagError NOT_FOUND (no store) · INPUT_INVALID (the file is there, and no `force`; it can't be made) ·
 *   STORE_CORRUPT naming the row that is damaged or missing · UPSTREAM_FAILED (disk full) · the signal's reason
 */
export async function backUp(folder: string, path: string, { force, signal }: BackUpOptions): Promise<BackupContents> {
  if (!(await exists(join(folder, 'data.mdb')))) {
    throw new RagError('NOT_FOUND', `there is no store at ${folder} to back up`, { adapter: 'memory' });
  }
  if (!force && (await exists(path))) {
    throw new RagError(
      'INPUT_INVALID',
      `${path} is there already; give \`force\` (on the command line, --force) to overwrite it, or back up under another name`,
    );
  }
  const parts = await openLmdb(folder);
  try {
    createSpaces(parts); // refuses a store of another version
    return await writeAll(parts, path, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(path, error);
  } finally {
    await parts.lock.close();
    await parts.table.close();
  }
}

async function writeAll({ table }: LmdbParts, path: string, signal: AbortSignal | undefined): Promise<BackupContents> {
  table.resetReadTxn();
  // Held to the end: all that is read is of the one moment. What others replace meanwhile stays in the file of the store until then.
  const transaction = table.useReadTransaction();
  try {
    const createdAt = new Date().toISOString();
    const found = findCollections(table, transaction);
    const collections = found.map(({ space, state }): BackedUpCollection => ({ space, state }));
    const file = await createBackupFile(path, { createdAt, collections });
    try {
      const pace = createPacer(signal);
      for (const [index, collection] of found.entries()) {
        for (const row of readRows(table, transaction, collection)) {
          signal?.throwIfAborted();
          await file.add(index, row);
          await pace();
        }
      }
      return { createdAt, collections: contentsOf(collections), bytes: await file.finish() };
    } finally {
      await file.abort();
    }
  } finally {
    transaction.done();
  }
}

/** The collections of a backup, as they are reported. */
export function contentsOf(collections: readonly BackedUpCollection[]): BackupContents['collections'] {
  return collections.map(({ space, state: { documents, chunks } }) => ({ name: space.collection, documents, chunks }));
}

function findCollections(table: Table, transaction: Transaction): readonly FoundCollection[] {
  return [...table.getRange({ ...keys.spacesRange(), transaction })].map(({ value }) => {
    const row = unpackRow<SpaceRow>(value, 'a collection');
    const what = `collection "${row.space.collection}": its state`;
    const state = table.get(keys.stateKey(row.number), { transaction });
    if (state === undefined) throw corrupt(`${what}: missing`);
    return { ...row, state: unpackRow<RowState>(state, what) };
  });
}

/** The rows of a collection that are the truth, each checked, and their number too. */
function* readRows(table: Table, transaction: Transaction, { space, number, state }: FoundCollection) {
  const where = `collection "${space.collection}"`;
  let blocks = 0;
  for (const kind of keys.TRUTH_KINDS) {
    let count = 0;
    for (const { key, value } of readRange(table, transaction, keys.rowsRange(kind, number))) {
      const rest = keys.restOf(key);
      const what = `${where}: ${keys.describeRow(kind, rest)}`;
      if (kind === keys.DOCUMENT_KIND) blocks += unpackRow<StoredDocument>(value, what).blocks.length;
      else unseal(value, what);
      count++;
      yield { kind, rest, value };
    }
    const expected = kind === keys.DOCUMENT_KIND ? state.documents : blocks;
    if (count !== expected)
      throw corrupt(`${where}: it has ${count} rows of ${keys.describeKind(kind)}, and should have ${expected}`);
  }
}

/** In pages, each read at once: an iterator of lmdb's isn't made to stay open from one turn of the event loop to the next. */
function* readRange(table: Table, transaction: Transaction, range: keys.KeyRange) {
  for (let start = range.start; ; ) {
    const page = [...table.getRange({ start, end: range.end, limit: PAGE, transaction })];
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    start = Buffer.concat([last.key, Buffer.alloc(1)]);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function fileError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code; // undefined for what is no file's error
  const isPath = code !== undefined && /^(ENOENT|ENOTDIR|EACCES|EPERM|EROFS|EISDIR)$/.test(code);
  if (!isPath) return storeError(`writing the backup ${path}`, error);
  return new RagError('INPUT_INVALID', `the backup ${path} can't be written (${messageOf(error)})`, { cause: error });
}

function corrupt(message: string): RagError {
  return new RagError('STORE_CORRUPT', message, { adapter: 'memory' });
}
