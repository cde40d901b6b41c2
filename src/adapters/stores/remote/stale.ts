import { randomBytes } from 'node:crypto';
import type { CallOptions } from '../../../core/contracts.js';
import { abortable } from '../../../core/flow.js';
import type { ChunkKey, RemoteTables, WriterRow } from './contract.js';
import type { Mirror } from './mirror.js';
import { EPOCH } from './writers.js';

/** How old an unfinished writer's row must be, ms, by the clocks of two machines, before what it left is removed … */
const ABANDONED_MS = 10 * 60_000;
/** … and where this process has not itself seen it stand still: beyond what clocks are wrong by. */
const FORGOTTEN_MS = 24 * 60 * 60_000;
/** Rows of writers that are done are thinned out from this many on … */
const MOST_WRITERS = 32;
/** … but not those that wrote within this time, ms. */
const RECENT_MS = 60 * 60_000;

/**
 * Removes rows of these documents, or of all (undefined), that no manifest row counts. Rows of a writer at work are left alone,
 * since their manifest rows are still to come, unless it is one of `ended`.
 *
 * The order is what makes it safe: first the chunks, then the writers, then the manifest. A row whose writer is no longer at work
 * when the writers are read has its manifest row in what is read after that, or never will have. And row ids are never used again.
 */
export async function removeStale(
  tables: RemoteTables,
  mirror: Mirror,
  documentIds: readonly string[] | undefined,
  ended: ReadonlySet<string>,
  options: CallOptions,
): Promise<void> {
  if (!mirror.loaded) await abortable(mirror.refresh(), options.signal);
  const suspects: ChunkKey[] = [];
  for await (const key of tables.chunkKeys(documentIds, options)) {
    if (!mirror.isLive(key.documentId, key.stamp)) suspects.push(key);
  }
  if (suspects.length === 0) return;
  const working = mirror.active(await abortable(mirror.refresh(), options.signal));
  const stale = suspects.filter(
    ({ documentId, stamp }) => !mirror.isLive(documentId, stamp) && (ended.has(stamp.writer) || !working.has(stamp.writer)),
  );
  await tables.deleteChunks(
    stale.map(({ rowId }) => rowId),
    options,
  );
}

export interface TidyOptions extends CallOptions {
  /** All rows, just read. */
  readonly writers: readonly WriterRow[];
  readonly own: string;
  /** Writers of this process whose commit failed. */
  readonly failed: ReadonlySet<string>;
}

/**
 * After a commit: removes what writers left that died or failed, and thins out the rows of those that are done. A dead writer's row
 * is changed before its chunks are removed: if it lives after all, it sees that before its commit resolves, and writes again.
 */
export async function tidy(tables: RemoteTables, mirror: Mirror, { writers, own, failed, signal }: TidyOptions): Promise<void> {
  const now = Date.now();
  const others = writers.filter(({ writer }) => writer !== own && writer !== EPOCH);
  const working = mirror.active(writers);
  const isDead = ({ writer, seq, at }: WriterRow) =>
    seq % 2 === 1 && (failed.has(writer) || now - at > (working.has(writer) ? FORGOTTEN_MS : ABANDONED_MS));
  const dead = others.filter(isDead);
  const done = others.filter(({ seq, at }) => seq % 2 === 0 && now - at > RECENT_MS);
  const going = [...dead, ...(writers.length > MOST_WRITERS ? done : [])];
  if (going.length === 0) return;
  for (const row of dead) await tables.putWriter({ ...row, seq: row.seq + 2 }, { signal });
  if (dead.length > 0) await removeStale(tables, mirror, undefined, new Set(dead.map(({ writer }) => writer)), { signal });
  const epoch = writers.find(({ writer }) => writer === EPOCH)?.seq ?? 0;
  await tables.putWriter({ writer: EPOCH, seq: Math.max(epoch + 2, now * 2), at: now }, { signal });
  await tables.deleteWriters(
    going.map(({ writer }) => writer),
    { signal },
  );
  await tables.pulse?.set(randomBytes(8).toString('hex'), { signal });
}
