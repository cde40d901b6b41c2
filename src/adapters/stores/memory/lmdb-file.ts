import { access, constants, type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { isRagError, messageOf, RagError } from '../../../core/errors.js';

/** The table that everything lies in; keys and values are bytes, each value has a version number. */
export type Table = RootDatabase<Buffer, Buffer>;

export interface OpenedTable {
  readonly table: Table;
  /** The folder or file can't be written: everything can be read and nothing changed. */
  readonly readOnly: boolean;
}

/** Of LMDB's first page: a header of 24 bytes, then magic number, version, address, map size, two tables, last page. */
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, end: 168 } as const;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;

/** A file may look wrong while another process is just making it. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 20;

/**
 * Opens the file of a store, and makes folder and file where there are none.
 *
 * The file is looked at before LMDB gets it: LMDB maps it into memory, where a file shorter than it says kills the process instead of
 * failing a call. Commits are flushed to the disk before they are acknowledged (`overlappingSync` off), so they survive a power loss
 * as well as a SIGKILL. A store that this process may read and not write is opened for reading.
 * @throws RagError CONFIG_INVALID (not a folder, no permission) · STORE_CORRUPT (truncated, emptied, not a store)
 */
export async function openTable(folder: string): Promise<OpenedTable> {
  const path = join(folder, 'data.mdb');
  const readOnly = await isReadOnly(folder, path);
  if (!readOnly) await makeFolder(folder);
  await checkFile(folder, path);
  try {
    const lmdb = await import('lmdb');
    const table = lmdb.open<Buffer, Buffer>({
      path,
      readOnly,
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      useVersions: true,
      overlappingSync: false,
      // Each conditional write is a batch of its own. A failed one of lmdb's making rejects a promise that nobody can catch.
      eventTurnBatching: false,
    });
    return { table, readOnly };
  } catch (error) {
    throw storeError(`opening the store at ${folder}`, error);
  }
}

/** Translates what LMDB throws. */
export function storeError(action: string, error: unknown): unknown {
  if (isRagError(error)) return error;
  const message = messageOf(error);
  const options = { cause: error, adapter: 'memory' };
  if (/MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|VERSION_MISMATCH|BAD_TXN)|file is not|corrupt/i.test(message)) {
    return new RagError('STORE_CORRUPT', `${action}: the store is damaged (${message})`, options);
  }
  // LMDB reports a write that came out short as an input/output error.
  if (/ENOSPC|EFBIG|no space left|file too large|input\/output error/i.test(message)) {
    return new RagError('UPSTREAM_FAILED', `${action}: the disk is full or failing (${message})`, options);
  }
  if (/MDB_READERS_FULL/.test(message)) {
    return new RagError('STORE_LOCKED', `${action}: too many processes read the store at once (${message})`, options);
  }
  return new RagError('UPSTREAM_FAILED', `${action}: ${message}`, options);
}

/** Whether a store lies there that this process may read only: a folder of another user, a disc mounted so. */
async function isReadOnly(folder: string, path: string): Promise<boolean> {
  const allows = (name: string, mode: number) =>
    access(name, mode).then(
      () => true,
      () => false,
    );
  if (!(await allows(path, constants.R_OK))) return false;
  return !((await allows(path, constants.W_OK)) && (await allows(folder, constants.W_OK)));
}

async function makeFolder(folder: string): Promise<void> {
  try {
    const known = await stat(folder).catch(() => undefined);
    if (known !== undefined && !known.isDirectory()) {
      throw new RagError('CONFIG_INVALID', `store.path: ${folder} is a file; name a folder`, { adapter: 'memory' });
    }
    await makeFolders(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (isRagError(error)) throw error;
    throw new RagError('CONFIG_INVALID', `store.path: the folder ${folder} can't be written (${messageOf(error)})`, {
      cause: error,
      adapter: 'memory',
    });
  }
}

/** Not `mkdir`'s own `recursive`: where a file system refuses with ENOENT, as /proc does, that tries for ever. */
async function makeFolders(folder: string): Promise<void> {
  const make = (path: string) =>
    mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  try {
    await make(folder);
  } catch (error) {
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error; // fs throws nothing else
    await makeFolders(parent);
    await make(folder);
  }
}

async function checkFile(folder: string, path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new RagError('CONFIG_INVALID', `store.path: ${path} can't be read (${messageOf(error)})`, {
      cause: error,
      adapter: 'memory',
    });
  });
  try {
    for (let look = 1; ; look++) {
      const problem = file === undefined ? await lossOf(folder) : await problemOf(file, folder);
      if (problem === undefined) return;
      if (look === LOOKS) throw new RagError('STORE_CORRUPT', `${path}: ${problem}`, { adapter: 'memory' });
      await setTimeout(LOOK_AGAIN_MS);
    }
  } finally {
    await file?.close();
  }
}

/**
 * What is wrong with a file that is empty, or not there: the summary beside it may tell of collections, which must have been in it. A
 * process that dies at once leaves an empty file too, and no such summary.
 */
async function lossOf(folder: string): Promise<string | undefined> {
  try {
    const summary: unknown = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
    const { collections } = summary as { readonly collections?: unknown }; // any JSON value but null has properties, and null throws
    if (!Array.isArray(collections) || collections.length === 0) return undefined;
    return `it is empty or gone, and summary.json beside it tells of ${collections.length} collections that were in it`;
  } catch {
    return undefined;
  }
}

/** What is wrong with a file; undefined: nothing. */
async function problemOf(file: FileHandle, folder: string): Promise<string | undefined> {
  const first = await metaAt(file, 0);
  const pageSize = first.readUInt32LE(META.pageSize);
  const second = isMeta(first) ? await metaAt(file, pageSize) : first;
  // After the pages: a process that writes meanwhile makes the file longer before it says so in them.
  const { size } = await file.stat();
  if (size === 0) return lossOf(folder);
  if (!isMeta(first)) return 'it is no store of hotrag, or its beginning is damaged';
  if (!isMeta(second)) return 'its beginning is damaged';
  const lastPage = [first, second].map((page) => page.readBigUInt64LE(META.lastPage)).reduce((a, b) => (a > b ? a : b));
  const expected = (lastPage + 1n) * BigInt(pageSize);
  return expected > BigInt(size) ? `it was truncated: it has ${size} bytes, and should have ${expected}` : undefined;
}

async function metaAt(file: FileHandle, position: number): Promise<Buffer> {
  const page = Buffer.alloc(META.end);
  await file.read(page, 0, META.end, position);
  return page;
}

function isMeta(page: Buffer): boolean {
  return page.readUInt32LE(META.magic) === MAGIC && (page.readUInt32LE(META.version) & 0xffff) === DATA_VERSION;
}
