import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRagError, RagError } from '../../../core/errors.js';
import { createPacer } from '../../../core/turns.js';
import { type BackupContents, contentsOf } from './backup.js';
import { type BackupReader, openBackupFile } from './backup-reader.js';
import { storeError } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import { openLmdb } from './lmdb-open.js';
import { createLmdbRows } from './lmdb-rows.js';
import { type BuiltSpace, createSpaces, type SpaceRow } from './lmdb-spaces.js';
import { apply, createWriting, type LmdbParts } from './lmdb-write.js';
import { unseal } from './seal.js';
import { createSummary } from './summary.js';
import { createWriterLock } from './writer-lock.js';

export interface RestoreOptions {
  /** Replace the collections that are there, or a store that is damaged. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What was restored, and over what. */
export interface RestoredContents extends BackupContents {
  /** Names of the collections that were there before. */
  readonly replaced: readonly string[];
  /** Where the damaged file was put that the backup replaced. */
  readonly damaged?: string | undefined;
}

/**
 * Puts what a backup holds in the place of all that is in a store, at once: whoever has it open sees the old collections or the new
 * ones, at the next query. The whole backup is checked before anything is touched. Collections get new uuids, because what is kept
 * under the old ones in caches may be newer than the backup.
 * @throws RagError INPUT_INVALID (no backup; there are collections, and no `force`) · NOT_FOUND (no such file) ·
 *   STORE_CORRUPT (the backup is damaged; the store is, and no `force`) · UNSUPPORTED (either is of another version)
 */
export async function restore(folder: string, path: string, options: RestoreOptions): Promise<RestoredContents> {
  const backup = await openBackupFile(path);
  try {
    await verify(backup, options.signal);
    const { createdAt, collections } = backup.head;
    const contents = { createdAt, collections: contentsOf(collections), bytes: backup.bytes };
    try {
      return { ...contents, replaced: await fill(folder, backup, options) };
    } catch (error) {
      if (!(isRagError(error) && error.code === 'STORE_CORRUPT')) throw error;
      if (!options.force) {
        throw new RagError(
          'STORE_CORRUPT',
          `${error.message}; restore with \`force\` (on the command line, --force) to replace it`,
          {
            cause: error,
            adapter: 'memory',
          },
        );
      }
      return { ...contents, replaced: [], damaged: await replaceFile(folder, backup, options) };
    }
  } finally {
    await backup.close();
  }
}

async function verify(backup: BackupReader, signal: AbortSignal | undefined): Promise<void> {
  const pace = createPacer(signal);
  for await (const { collection, rows, place } of backup.rows()) {
    signal?.throwIfAborted();
    const name = backup.head.collections[collection]?.space.collection;
    for (const { kind, rest, value } of rows) {
      if (!keys.TRUTH_KINDS.includes(kind))
        throw new RagError('STORE_CORRUPT', `the backup ${place}: it holds what no backup holds`);
      unseal(value, `the backup ${place}: ${keys.describeRow(kind, rest)} of collection "${name}"`);
      await pace();
    }
  }
}

/** @returns the names of the collections that were there */
async function fill(folder: string, backup: BackupReader, { force, signal }: RestoreOptions): Promise<readonly string[]> {
  const parts = await openLmdb(folder);
  try {
    const spaces = createSpaces(parts);
    let names: readonly string[] = [];
    const check = (replaced: readonly SpaceRow[]) => {
      names = replaced.map(({ space }) => space.collection);
      if (names.length === 0 || force) return;
      throw new RagError(
        'INPUT_INVALID',
        `the store at ${folder} is not empty: it holds ${names.map((name) => `"${name}"`).join(', ')}; restore with \`force\` (on the command line, --force) to replace them, or into another folder`,
      );
    };
    check(spaces.list());
    const count = backup.head.collections.length;
    const first = await spaces.reserve(count);
    try {
      await spaces.replace(await build(parts, backup, first, signal), check);
    } catch (error) {
      await spaces.discard(first, count);
      throw error;
    }
    const summary = createSummary(createLmdbRows(parts), folder);
    summary.touch();
    await summary.close();
    return names;
  } finally {
    await parts.lock.close();
    await parts.table.close();
  }
}

/** Writes the rows under numbers that nobody looks under yet. */
async function build(
  parts: LmdbParts,
  backup: BackupReader,
  first: number,
  signal: AbortSignal | undefined,
): Promise<readonly BuiltSpace[]> {
  const { table, folder } = parts;
  const writing = createWriting(parts);
  const action = `restoring into the store at ${folder}`;
  for await (const { collection, rows } of backup.rows()) {
    signal?.throwIfAborted();
    const number = first + collection;
    const operations = rows.map(({ kind, rest, value }) => ({ key: keys.keyOf(kind, number, rest), value, version: 1 }));
    const done = await writing(
      action,
      () => table.ifVersion(keys.buildingKey(number), 1, () => apply(table, operations)),
      signal,
    );
    if (!done)
      throw new RagError('STORE_LOCKED', `${action}: another restore has cleared away what this one had written; try again`);
  }
  return backup.head.collections.map(({ space, state }, index) => ({
    space: { ...space, uuid: randomUUID() },
    number: first + index,
    state,
  }));
}

/**
 * For a file that LMDB can't open: makes a new one beside it and renames it. The damaged one stays, under another name. Processes that
 * have it open are refused at their next query, and start again with the new one when they open it.
 */
async function replaceFile(folder: string, backup: BackupReader, options: RestoreOptions): Promise<string | undefined> {
  const beside = join(folder, `restoring-${process.pid}`);
  const path = join(folder, 'data.mdb');
  const damaged = join(folder, 'data.mdb.damaged');
  const action = `replacing the damaged store at ${folder}`;
  const lock = createWriterLock(folder);
  let kept = true;
  try {
    await mkdir(beside);
    await fill(beside, backup, options);
    await lock.run(
      action,
      async () => {
        await rm(damaged, { force: true });
        await link(path, damaged).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
          kept = false;
        });
        // It counts the old file's transactions.
        await rm(join(folder, 'data.mdb-lock'), { force: true });
        await rename(join(beside, 'data.mdb'), path);
        await rename(join(beside, 'summary.json'), join(folder, 'summary.json'));
        return true;
      },
      options.signal,
    );
    return kept ? damaged : undefined;
  } catch (error) {
    throw storeError(action, error);
  } finally {
    await lock.close();
    await rm(beside, { recursive: true, force: true });
  }
}
