import type { Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import type { SavedRows } from './rows.js';
import { packRow, seal, sealedIn } from './seal.js';

/** Rows that are removed at once. */
const REMOVED_AT_ONCE = 512;

interface LeaseRow {
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * What is derived from a collection's rows, in the same file. LMDB writes in a thread of its own, each call in one transaction.
 * @param writing runs a write in its turn among all processes
 */
export function createLmdbSaved(
  table: Table,
  number: number,
  writing: (work: () => Promise<boolean>) => Promise<boolean>,
): SavedRows {
  return {
    async lease(holder, now, until) {
      const key = keys.leaseKey(number);
      table.resetReadTxn();
      const entry = table.getEntry(key);
      // A damaged lease is nobody's.
      const bytes = entry && sealedIn(entry.value);
      const lease = bytes && (JSON.parse(bytes.toString('utf8')) as LeaseRow);
      if (lease !== undefined && lease.holder !== holder && lease.until > now) return false;
      const row = packRow({ holder, until } satisfies LeaseRow);
      const version = entry?.version ?? 0;
      return writing(() => conditionally(key, version, () => table.put(key, row, version + 1)));
    },
    async release(holder) {
      await this.lease(holder, 0, 0);
    },
    async write(pieces) {
      await writing(async () => {
        await Promise.all(pieces.map(([name, bytes]) => table.put(keys.savedKey(number, name), seal(bytes), 1)));
        return true;
      });
    },
    remove: (names) => removeAll(names.map((name) => keys.savedKey(number, name))),
    names() {
      table.resetReadTxn();
      return [...table.getKeys(keys.savedRange(number))].map(keys.savedName);
    },
    revision() {
      table.resetReadTxn();
      return table.getEntry(keys.manifestKey(number))?.version ?? 0;
    },
    replaceManifest(bytes, revision) {
      const key = keys.manifestKey(number);
      return writing(() => conditionally(key, revision, () => table.put(key, seal(bytes), revision + 1)));
    },
    async trimLog(sequence) {
      table.resetReadTxn();
      await removeAll([...table.getKeys(keys.logRange(number, sequence))]);
    },
  };

  /** @param version that the row must have; 0: there is none */
  function conditionally(key: Buffer, version: number, write: () => Promise<boolean>): Promise<boolean> {
    // Its failure reaches the caller through the condition's own promise.
    const apply = () => void write().catch(() => {});
    return version === 0 ? table.ifNoExists(key, apply) : table.ifVersion(key, version, apply);
  }

  async function removeAll(all: readonly Buffer[]): Promise<void> {
    for (let start = 0; start < all.length; start += REMOVED_AT_ONCE) {
      await writing(async () => {
        await Promise.all(all.slice(start, start + REMOVED_AT_ONCE).map((key) => table.remove(key)));
        return true;
      });
    }
  }
}
