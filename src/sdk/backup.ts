import { resolve } from 'node:path';
import { RagError } from '../core/errors.js';
import type { StoreOption } from './copy.js';
import { isStore } from './parts.js';

export interface BackupOptions {
  /** The embedded store, with its path. */
  readonly store: StoreOption;
  /** The backup: one file. */
  readonly file: string;
  /** Overwrite what is there: `backupStore` the file, `restoreStore` the collections. @default false */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BackupReport {
  readonly file: string;
  /** Length of the file. */
  readonly bytes: number;
  /** When the backup was made; ISO 8601, UTC. */
  readonly createdAt: string;
  readonly collections: readonly { readonly name: string; readonly documents: number; readonly chunks: number }[];
  readonly tookMs: number;
}

export interface RestoreReport extends BackupReport {
  /** Names of the collections that were there before. */
  readonly replaced: readonly string[];
  /** Where the damaged file of the store was put that the backup replaced. */
  readonly damaged?: string | undefined;
}

/**
 * Backs up an embedded store, all its collections as they are at one moment, while other processes read and write. Every row's
 * checksum is verified on the way.
 * @throws RagError UNSUPPORTED (not the embedded store) · CONFIG_INVALID (no path) · NOT_FOUND (no store there) · INPUT_INVALID (the
 *   file is there, and no `force`) · STORE_CORRUPT (the store is damaged; names the place) · UPSTREAM_FAILED (disk full)
 * @example await backupStore({ store: { type: 'memory', path: '.hotrag' }, file: 'docs.backup' })
 */
export async function backupStore(options: BackupOptions): Promise<BackupReport> {
  const start = performance.now();
  const { folder, file } = check('back up', options);
  const { backUp } = await import('../adapters/stores/memory/backup.js');
  const contents = await backUp(folder, file, { force: options.force ?? false, signal: options.signal });
  return { file, ...contents, tookMs: performance.now() - start };
}

/**
 * Puts what a backup holds in the place of all that is in an embedded store, at once. Processes that have the store open go on with
 * the restored collections at their next query. The whole backup is verified before anything is touched.
 * @throws RagError UNSUPPORTED (not the embedded store; another version's file) · CONFIG_INVALID (no path) · NOT_FOUND (no such file) ·
 *   INPUT_INVALID (no backup; the store holds collections, and no `force`) · STORE_CORRUPT (the backup is damaged, or the store is, and no `force`)
 * @example await restoreStore({ store: { type: 'memory', path: '.hotrag' }, file: 'docs.backup', force: true })
 */
export async function restoreStore(options: BackupOptions): Promise<RestoreReport> {
  const start = performance.now();
  const { folder, file } = check('restore', options);
  const { restore } = await import('../adapters/stores/memory/backup-restore.js');
  const contents = await restore(folder, file, { force: options.force ?? false, signal: options.signal });
  return { file, ...contents, tookMs: performance.now() - start };
}

function check(action: string, { store, file, signal }: BackupOptions): { readonly folder: string; readonly file: string } {
  signal?.throwIfAborted();
  if (isStore(store) || store.type !== 'memory') {
    const name = isStore(store) ? store.name : store.type;
    throw new RagError(
      'UNSUPPORTED',
      `hotrag can't ${action} a ${name} store: use the server's own backup, or copy its collections to an embedded store (hotrag copy --to memory:DIR) and back that one up`,
    );
  }
  if (store.path === undefined) {
    throw new RagError(
      'CONFIG_INVALID',
      `store.path: there is nothing to ${action} without one: that store lives in this process only`,
    );
  }
  if (typeof file !== 'string' || file === '') throw new RagError('INPUT_INVALID', 'file: name the file of the backup');
  return { folder: resolve(store.path), file: resolve(file) };
}
