import type { Cache } from '../../core/contracts.js';
import { invalidInput } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { openTable, storeError, type Table } from '../stores/memory/lmdb-file.js';

export interface DiskCacheOptions {
  /** Folder of its file; made where there is none. Several processes may share it. */
  readonly folder: string;
  /** Most bytes of values; the oldest go first. The file is somewhat larger. */
  readonly bytes: number;
  /** Milliseconds since 1970, for lifetimes: they outlast the process. @default Date.now */
  readonly now?: (() => number) | undefined;
}

/** Attempts at a write that other processes are always ahead of. */
const MOST_ATTEMPTS = 20;
/** What key and bookkeeping add to a value. */
const ROW_BYTES = 256;
/** Before each value: its number, when it was written, until when it holds. */
const HEAD_BYTES = 24;

const STATE_KEY = Buffer.from([0]);
const ORDER_KIND = 1;
const VALUE_KIND = 2;

/** Rows are numbered as they are written: those from `first` up to `next` are in. */
interface State {
  readonly first: number;
  readonly next: number;
  readonly bytes: number;
}

/**
 * A cache in a file, bounded in bytes, first in first out. All that one call sets is in or none of it; LMDB decides between processes
 * that write at the same time, as in the embedded store.
 */
export function createDiskCache({ folder, bytes: bound, now = Date.now }: DiskCacheOptions): Cache {
  let opened: Promise<Table> | undefined;
  let closing: Promise<void> | undefined;
  /** Writes of this process wait for each other; only those of others are competed with. */
  let lastWrite: Promise<unknown> = Promise.resolve();

  function table(): Promise<Table> {
    if (closing !== undefined) return Promise.reject(invalidInput('cache', 'it was closed'));
    if (opened === undefined) {
      const opening = openTable(folder).then(({ table }) => table);
      opened = opening;
      opening.catch(() => {
        if (opened === opening) opened = undefined;
      });
    }
    return opened;
  }

  return {
    name: 'disk',
    maxValueBytes: Math.floor(bound / 4),

    async get(keys, { signal } = {}) {
      signal?.throwIfAborted();
      const rows = await table();
      try {
        rows.resetReadTxn();
        const at = now();
        return keys.map((key) => {
          const row = rows.get(valueKey(key));
          return row === undefined || row.length < HEAD_BYTES || !holds(row, at) ? undefined : row.subarray(HEAD_BYTES);
        });
      } catch (error) {
        throw storeError(`reading the cache in ${folder}`, error);
      }
    },

    async set(entries, { signal, ttlMs } = {}) {
      signal?.throwIfAborted();
      if (entries.size === 0) return;
      const rows = await table();
      const written = lastWrite.then(() => writeAgainstOthers(rows, entries, ttlMs));
      lastWrite = written.catch(() => {}); // told below
      await abortable(written, signal);
    },

    close() {
      closing ??= lastWrite.then(async () => (await opened)?.close()).catch(() => {}); // it never opened
      return closing;
    },
  };

  async function writeAgainstOthers(rows: Table, entries: ReadonlyMap<string, Uint8Array>, ttlMs: number | undefined) {
    try {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        if (await write(rows, entries, ttlMs)) return;
      }
      throw new Error('other processes always wrote first');
    } catch (error) {
      throw storeError(`writing the cache in ${folder}`, error);
    }
  }

  /** False, and nothing is written, when another process wrote meanwhile. */
  async function write(rows: Table, entries: ReadonlyMap<string, Uint8Array>, ttlMs: number | undefined): Promise<boolean> {
    rows.resetReadTxn();
    const row = rows.get(STATE_KEY);
    const before: State = row === undefined ? { first: 0, next: 0, bytes: 0 } : (JSON.parse(row.toString()) as State); // only written here
    const at = now();
    let { first, next, bytes } = before;
    const puts: [Buffer, Buffer][] = [];
    for (const [key, value] of entries) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeDoubleLE(next);
      head.writeDoubleLE(at, 8);
      head.writeDoubleLE(ttlMs === undefined ? Number.POSITIVE_INFINITY : at + ttlMs, 16);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(value.length + ROW_BYTES);
      puts.push([valueKey(key), Buffer.concat([head, value])], [orderKey(next++), Buffer.concat([size, Buffer.from(key)])]);
      bytes += value.length + ROW_BYTES;
    }
    const removes: Buffer[] = [];
    for (; bytes > bound && first < before.next; first++) {
      const order = rows.get(orderKey(first));
      removes.push(orderKey(first));
      if (order === undefined) continue;
      bytes -= order.readUInt32LE();
      const key = valueKey(order.toString('utf8', 4));
      // One that was written anew since is in under a later number.
      if (rows.get(key)?.readDoubleLE() === first) removes.push(key);
    }
    const apply = () => {
      const caught = (done: Promise<boolean>) => void done.catch(() => {}); // told by the condition's own promise
      for (const key of removes) caught(rows.remove(key));
      for (const [key, value] of puts) caught(rows.put(key, value, 1));
      caught(rows.put(STATE_KEY, Buffer.from(JSON.stringify({ first, next, bytes } satisfies State)), next));
    };
    return row === undefined ? rows.ifNoExists(STATE_KEY, apply) : rows.ifVersion(STATE_KEY, before.next, apply);
  }
}

/** A clock that was set back makes rows of the future; how old these are isn't known. */
function holds(row: Buffer, at: number): boolean {
  const until = row.readDoubleLE(16);
  return until === Number.POSITIVE_INFINITY || (row.readDoubleLE(8) <= at && at < until);
}

function valueKey(key: string): Buffer {
  return Buffer.concat([Buffer.from([VALUE_KIND]), Buffer.from(key)]);
}

function orderKey(number: number): Buffer {
  const key = Buffer.alloc(9);
  key[0] = ORDER_KIND;
  key.writeBigUInt64BE(BigInt(number), 1);
  return key;
}
