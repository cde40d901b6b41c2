import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { checkFingerprint } from '../../../core/checks.js';
import type { Collection, OpenRequest, Space, VectorStore } from '../../../core/contracts.js';
import { invalidInput, RagError } from '../../../core/errors.js';
import { createCollection } from './collection.js';
import { type IndexChoice, isOwnIndex, vectorOptionsOf } from './index-choice.js';
import { createOwnIndex } from './own-vectors.js';
import { engineVectors } from './resident-vectors.js';
import type { RowStore } from './rows.js';
import { createSummary } from './summary.js';
import { createBuildThread } from './vectors/build-thread.js';
import { createVolatileRows } from './volatile-rows.js';
import type { WriterLockOptions } from './writer-lock.js';

export interface OpenMemoryStoreOptions extends WriterLockOptions {
  /** Folder of the store. @default none: everything is gone with this process */
  readonly path?: string | undefined;
  /** Vector index. @default 'auto' */
  readonly index?: IndexChoice | undefined;
  /** Makes the id of a new collection. @default random */
  readonly uuid?: (() => string) | undefined;
  /** Milliseconds from any fixed point. @default performance.now */
  readonly clock?: (() => number) | undefined;
  /** Chunks that must have come or gone before the indexes are saved again, for whoever opens the store next. @default 512 */
  readonly saveAfter?: number | undefined;
  /** The script of the thread that builds graphs. @default the one of the package */
  readonly buildScript?: string | undefined;
}

/**
 * Opens the embedded engine. With a path it is durable, and any number of processes may share it; only what a query needs is loaded,
 * when it is needed.
 * @throws RagError CONFIG_INVALID (the path can't be used) · STORE_CORRUPT · UNSUPPORTED (made by a later version)
 * @example const store = await openMemoryStore({ path: '.hotrag' })
 */
export async function openMemoryStore(options: OpenMemoryStoreOptions = {}): Promise<VectorStore> {
  const { path, index = 'auto', saveAfter, uuid = randomUUID, clock = () => performance.now() } = options;
  const rows = path === undefined ? createVolatileRows() : await openDurableRows(resolve(path), options);
  const summary = path === undefined ? undefined : createSummary(rows, resolve(path));
  const own = isOwnIndex(index) ? createOwnIndex(index) : undefined;
  const vectorOptions = isOwnIndex(index) ? {} : vectorOptionsOf(index);
  const buildThread = createBuildThread(options.buildScript);
  const open = new Set<Collection>();
  let closing: Promise<void> | undefined;

  return {
    name: 'memory',
    async collections({ signal } = {}) {
      check(signal);
      return rows.collections();
    },
    async open(request, { signal } = {}) {
      check(signal);
      const space = rows.find(request.collection) ?? (await create(request));
      checkFingerprint(space, request.fingerprint, 'memory');
      const attached = own?.attach(space);
      const openVectors = attached?.open ?? engineVectors(space.fingerprint, vectorOptions);
      const collection = createCollection({
        space,
        rows: rows.rowsOf(space),
        clock,
        onCommit: () => summary?.touch(),
        residentOptions: { saveAfter, openVectors, isOwnIndex: own !== undefined, buildThread },
      });
      open.add(collection);
      return {
        ...collection,
        async close() {
          open.delete(collection);
          await collection.close();
          attached?.detach();
        },
      };
    },
    async drop(collection, { signal } = {}) {
      check(signal);
      const was = await rows.drop(collection);
      own?.release(collection);
      summary?.touch();
      return was;
    },
    close() {
      closing ??= closeAll();
      return closing;
    },
  };

  async function create(request: OpenRequest): Promise<Space> {
    const { collection, fingerprint, fields } = request;
    if (!request.create) {
      throw new RagError('NOT_FOUND', `there is no collection "${collection}"${path === undefined ? '' : ` in ${path}`}`, {
        adapter: 'memory',
      });
    }
    const space = { collection, uuid: uuid(), fingerprint, fields };
    for (;;) {
      if (await rows.create(space)) {
        summary?.touch();
        return space;
      }
      // Another process was first: theirs it is.
      const theirs = rows.find(collection);
      if (theirs !== undefined) return theirs;
    }
  }

  async function closeAll(): Promise<void> {
    await Promise.all([...open].map((collection) => collection.close()));
    await buildThread.close();
    await summary?.close();
    await rows.close();
  }

  function check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (closing !== undefined) throw invalidInput('store', 'it was closed; open it again');
  }
}

async function openDurableRows(folder: string, options: WriterLockOptions): Promise<RowStore> {
  // Loaded here and not above: a volatile store needs no file and no LMDB.
  const [{ openLmdb }, { createLmdbRows }] = await Promise.all([import('./lmdb-open.js'), import('./lmdb-rows.js')]);
  const parts = await openLmdb(folder, options);
  try {
    return createLmdbRows(parts);
  } catch (error) {
    await parts.table.close();
    throw error;
  }
}
