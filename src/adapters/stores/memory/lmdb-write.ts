import { RagError } from '../../../core/errors.js';
import { storeError, type Table } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import type { RowState } from './rows.js';
import { packRow } from './seal.js';
import type { WriterLock } from './writer-lock.js';

/** An opened file and what guards it. */
export interface LmdbParts {
  readonly table: Table;
  readonly folder: string;
  readonly lock: WriterLock;
  /** Refuse every change. */
  readonly readOnly: boolean;
  /** @throws RagError when the file is no longer the one that was opened */
  readonly checkFile: () => void;
}

/** One row to write; without a value, to remove. */
export interface Operation {
  readonly key: Buffer;
  readonly value?: Buffer;
  readonly version: number;
}

/** Does one write at a time, in its turn among all processes, and tells failures in our words. */
export type Writing = (action: string, work: () => Promise<boolean>, signal?: AbortSignal) => Promise<boolean>;

/** @throws RagError CONFIG_INVALID (may only read) · STORE_LOCKED · STORE_CORRUPT · UPSTREAM_FAILED (disk full) */
export function createWriting({ folder, lock, readOnly, checkFile }: LmdbParts): Writing {
  return async (action, work, signal) => {
    if (readOnly) {
      throw new RagError('CONFIG_INVALID', `${action}: the store at ${folder} can only be read by this process, not written`, {
        adapter: 'memory',
      });
    }
    const attempt = async () => {
      checkFile();
      try {
        return await work();
      } catch (error) {
        throw storeError(action, await rootOf(error));
      }
    };
    return lock.run(action, attempt, signal);
  };
}

export function put(key: Buffer, row: object): Operation {
  return { key, value: packRow(row), version: 1 };
}

export function remove(key: Buffer): Operation {
  return { key, version: 1 };
}

/** Its version is what writers compete for. */
export function putState(number: number, state: RowState): Operation {
  return { ...put(keys.stateKey(number), state), version: versionOf(state.sequence) };
}

/** LMDB counts versions from 1. */
export function versionOf(sequence: number): number {
  return sequence + 1;
}

/** To be called within a condition. Failures reach the caller through the condition's own promise. */
export function apply(table: Table, operations: readonly Operation[]): void {
  for (const { key, value, version } of operations) {
    (value === undefined ? table.remove(key) : table.put(key, value, version)).catch(() => {});
  }
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
