import { randomBytes } from 'node:crypto';
import type { CallOptions, Change } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import { abortable, batches } from '../../../core/flow.js';
import type { ChunkRow, DocumentStamp, RemoteTables, Stamp, WriterRow } from './contract.js';
import type { Mirror } from './mirror.js';
import { rowIdOf } from './row-id.js';
import { removeStale, tidy } from './stale.js';

/** Documents and chunks that are written between two renewals of the writer's row: seconds of a slow server's time. */
const BATCH_DOCUMENTS = 500;
const BATCH_CHUNKS = 2000;
/** How often a commit is written again after another process took this one for dead. */
const MOST_ATTEMPTS = 3;

/** Applies one checked change; the caller sees to it that there is one at a time. */
export type Commit = (change: Change, options: CallOptions) => Promise<void>;

/**
 * Commits on a server without transactions. Per batch of documents: new chunks, then the manifest rows, then the old chunks are
 * removed; around it all the writer's row is raised. Readers count only chunks whose stamp their document's manifest row has, so
 * a writer that dies at any point leaves the old or the new document, and rows that nobody counts: a later commit removes those.
 */
export function createCommit(tables: RemoteTables, mirror: Mirror): Commit {
  let writer: Writer | undefined;
  /** Writers of this process whose commit failed half-way. */
  const failed = new Set<string>();

  const write = async (change: Change, row: Writer, options: CallOptions): Promise<readonly WriterRow[]> => {
    let writers = await abortable(mirror.refresh(), options.signal);
    /** Only after a death can there be chunks of a document that is not in. */
    const leftovers = writers.some(({ writer: id, seq }) => id !== row.id && seq % 2 === 1);
    const run = async (documentIds: readonly string[], flip: (stamp: Stamp) => Promise<void>): Promise<void> => {
      const before = leftovers ? documentIds : documentIds.filter((id) => mirror.get(id) !== undefined);
      const stamp = await raise(tables, row, row.seq % 2 === 0 ? 1 : 2, options);
      await flip(stamp);
      writers = await tables.writers(options);
      if (!writers.some(({ writer: id, seq }) => id === stamp.writer && seq === stamp.seq)) throw new TakenForDead();
      if (before.length > 0) await removeStale(tables, mirror, before, new Set([row.id]), options);
    };
    for (const batch of batchesOfChange(change)) {
      await run(
        batch.map(({ document }) => document.id),
        (stamp) => putBatch(tables, mirror, batch, stamp, options),
      );
    }
    for (const ids of batches(change.drop, BATCH_DOCUMENTS)) await run(ids, () => dropBatch(tables, mirror, ids, options));
    await raise(tables, row, 1, options);
    return writers;
  };

  return async (change, options) => {
    const unique = { put: change.put, drop: [...new Set(change.drop)] };
    if (unique.put.length + unique.drop.length === 0) return;
    for (let attempt = 1; ; attempt++) {
      writer ??= { id: randomBytes(6).toString('hex'), seq: 0 };
      const own = writer.id;
      mirror.setOwnWriter(own);
      try {
        const writers = await write(unique, writer, options);
        // The change is in. What can't be tidied up now is found again by the next commit.
        const tidied = tidy(tables, mirror, { writers, own, failed, signal: options.signal });
        await tidied.then(
          () => failed.clear(),
          () => {},
        );
        return;
      } catch (error) {
        // Part of it may have reached the server, or still will. The row stays raised, so everybody looks again at what it wrote.
        failed.add(own);
        writer = undefined;
        mirror.setOwnWriter(undefined);
        if (!(error instanceof TakenForDead)) throw error;
        if (attempt === MOST_ATTEMPTS) throw overtaken(error);
      }
    }
  };
}

/** This process's part of the writers' rows. */
interface Writer {
  readonly id: string;
  seq: number;
}

async function raise(tables: RemoteTables, row: Writer, by: number, options: CallOptions): Promise<Stamp> {
  row.seq += by;
  const stamp = { writer: row.id, seq: row.seq };
  await tables.putWriter({ ...stamp, at: Date.now() }, options);
  await tables.pulse?.set(randomBytes(8).toString('hex'), options);
  return stamp;
}

/** The writer's row is not as it left it: another process took it for dead, and maybe removed chunks before they were counted. */
class TakenForDead extends Error {}

function overtaken(cause: unknown): RagError {
  const message = 'the commit was taken for abandoned by another process three times; the server is very slow or its clock jumps';
  return new RagError('UPSTREAM_FAILED', message, { cause });
}

type Put = Change['put'];

async function putBatch(tables: RemoteTables, mirror: Mirror, put: Put, stamp: Stamp, options: CallOptions): Promise<void> {
  const rows = put.flatMap(({ entries }) =>
    entries.map((entry): ChunkRow => ({ rowId: rowIdOf(entry.id, stamp), stamp, entry })),
  );
  await tables.insertChunks(rows, options);
  const since = mirror.generation;
  await tables.putDocuments(
    put.map(({ document }) => ({ document, stamp })),
    options,
  );
  mirror.learn(
    put.map(({ document }): DocumentStamp => ({ id: document.id, hash: document.hash, chunks: document.chunks, stamp })),
    [],
    since,
  );
}

async function dropBatch(tables: RemoteTables, mirror: Mirror, ids: readonly string[], options: CallOptions): Promise<void> {
  const since = mirror.generation;
  await tables.deleteDocuments(ids, options);
  mirror.learn([], ids, since);
}

/** Cuts between documents only: a document is flipped when all its chunks are written. */
function* batchesOfChange({ put }: Change): Iterable<Put> {
  let batch: Put[number][] = [];
  let chunks = 0;
  for (const item of put) {
    if (batch.length > 0 && (batch.length === BATCH_DOCUMENTS || chunks + item.entries.length > BATCH_CHUNKS)) {
      yield batch;
      batch = [];
      chunks = 0;
    }
    batch.push(item);
    chunks += item.entries.length;
  }
  if (batch.length > 0) yield batch;
}
