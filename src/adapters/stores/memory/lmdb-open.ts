import { statSync } from 'node:fs';
import { join } from 'node:path';
import { RagError } from '../../../core/errors.js';
import { openTable } from './lmdb-file.js';
import type { LmdbParts } from './lmdb-write.js';
import { createWriterLock, type WriterLockOptions } from './writer-lock.js';

/**
 * Opens the file of a store with what guards it.
 * @throws RagError CONFIG_INVALID · STORE_CORRUPT · STORE_LOCKED (a process has been holding the store for too long)
 */
export async function openLmdb(folder: string, options: WriterLockOptions = {}): Promise<LmdbParts> {
  const lock = createWriterLock(folder, options);
  await lock.passed(`opening the store at ${folder}`);
  const { table, readOnly } = await openTable(folder);
  const path = join(folder, 'data.mdb');
  const opened = numberOf(path);
  return {
    table,
    folder,
    lock,
    readOnly,
    checkFile() {
      // The old file lives on for those who have it open: what they write goes nowhere, and what they read is no longer true.
      if (numberOf(path) === opened) return;
      const message = `the store at ${folder} is another file than when it was opened: it was replaced or removed; open it again`;
      throw new RagError('STORE_CORRUPT', message, { adapter: 'memory' });
    },
  };
}

/** What the file system calls the file; undefined: there is none. Some two microseconds. */
function numberOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
