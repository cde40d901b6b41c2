import { checkChange, checkLimit, checkVector } from '../../../core/checks.js';
import type { CallOptions, Chunk, Collection, DocumentRow, Filter, Plan, Space } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';
import { andFilters, documentSubject, matches, splitFilter } from '../../../core/filter.js';
import { abortable, batches } from '../../../core/flow.js';
import { createPacer } from '../../../core/turns.js';
import { type Commit, createCommit } from './commit.js';
import type { FilterCompiler, RemoteTables, StoredChunk } from './contract.js';
import { createMirror, type Mirror } from './mirror.js';
import { findNearest } from './nearest.js';
import { ownersOf, rowIdOf } from './row-id.js';
import { scanChunks } from './scan.js';
import { readSettled } from './settled.js';
import { createSidecar, type SidecarOptions } from './sidecar.js';
import { placeAfter, sortTexts } from './sort.js';

/** Manifest rows that one trip to the server brings. */
const PAGE_ROWS = 500;

export interface RemoteCollectionParts {
  readonly space: Space;
  readonly compiler: FilterCompiler;
  readonly tables: RemoteTables;
  readonly keywords: SidecarOptions;
}

/** Makes a Collection of two plain tables on a server. */
export function createRemoteCollection({ space, compiler, tables, keywords }: RemoteCollectionParts): Collection {
  const mirror = createMirror(tables);
  const parts = { tables, mirror };
  const sidecar = createSidecar(parts, keywords);
  // Begun before anybody asks, so that the first search waits less; who asks meanwhile shares it or gets its error again.
  mirror.refresh().catch(() => {});
  const { dimensions } = space.fingerprint;
  const apply = createCommit(tables, mirror);
  const commits = oneAtATime(async (change, options) => {
    await checkChange(change, dimensions, createPacer(options.signal));
    await apply(change, options);
  });
  let closed = false;

  const check = ({ signal }: CallOptions): void => {
    signal?.throwIfAborted();
    if (closed) throw invalidInput(`collection "${space.collection}"`, 'it was closed; open it again');
  };

  return {
    space,
    remote: true,
    async version(options = {}) {
      check(options);
      return mirror.version(options);
    },
    plan: (filter) => planOf(compiler, filter),
    async nearest(query, options = {}) {
      check(options);
      checkLimit(query.limit);
      checkVector(query.vector, dimensions, 'query.vector');
      if (allowsNothing(query.plan)) return { matches: [], index: 'none' };
      return findNearest(parts, query, options);
    },
    async keywords(query, options = {}) {
      check(options);
      checkLimit(query.limit);
      if (query.limit === 0 || allowsNothing(query.plan)) return { matches: [], index: 'none' };
      return sidecar.keywords(query, options);
    },
    async get(ids, options = {}) {
      check(options);
      if (ids.length === 0) return [];
      const here = await sidecar.get(ids, options);
      if (here !== undefined) return here;
      const owners = () => new Map(ids.map((id) => [id, ownersOf(id, mirror.get)]));
      const isLive = ({ chunk, stamp }: StoredChunk) => mirror.isLive(chunk.documentId, stamp);
      if (!mirror.loaded) await abortable(mirror.refresh(), options.signal);
      const chunks = await readSettled(
        parts,
        {
          read: () => {
            const rowIds = [...owners()].flatMap(([id, documents]) => documents.map(({ stamp }) => rowIdOf(id, stamp)));
            return tables.chunks([...new Set(rowIds)], options);
          },
          documentsOf: () => [...owners().values()].flat().map(({ id }) => id),
          isLive: (rows) => rows.every(isLive),
          pick: (rows) => new Map<string, Chunk>(rows.filter(isLive).map(({ chunk }) => [chunk.id, chunk])),
        },
        options,
      );
      return ids.map((id) => chunks.get(id));
    },
    async *scan(query, options = {}) {
      check(options);
      await catchUp(mirror, options);
      yield* scanChunks(parts, query, options);
    },
    async *documents({ ids, after, filter }, options = {}) {
      check(options);
      await catchUp(mirror, options);
      const wanted = ids === undefined ? await mirror.ids() : await sortTexts([...new Set(ids)]);
      const rest = after === undefined ? wanted : wanted.slice(placeAfter(wanted, after));
      for (const page of batches(rest, PAGE_ROWS)) {
        const rows = await tables.documents(page, options);
        const byId = new Map<string, DocumentRow>(rows.map(({ document }) => [document.id, document]));
        for (const id of page) {
          const row = byId.get(id);
          if (row !== undefined && (filter === undefined || matches(filter, documentSubject(row)))) yield row;
        }
      }
    },
    async commit(change, options = {}) {
      check(options);
      await commits.run(change, options);
      // It is in. Where the index failed to take it, the next search by keywords reads it from the server, or tells why it can't.
      await sidecar.take(change).catch(() => {});
    },
    async close() {
      closed = true;
      await commits.idle();
      await sidecar.close();
      await tables.close();
    },
  };
}

function planOf(compiler: FilterCompiler, filter: Filter): Plan {
  const split = splitFilter(filter, compiler.canPush);
  let pushed: Filter | undefined;
  let residual = split.residual;
  const parts = split.pushed?.op === 'and' ? split.pushed.filters : [split.pushed];
  for (const part of parts) {
    const wider = andFilters(pushed, part);
    if (wider === undefined || (compiler.fits?.(wider) ?? true)) pushed = wider;
    else residual = andFilters(residual, part);
  }
  const plan = { pushed, residual, native: undefined };
  return pushed === undefined || allowsNothing(plan) ? plan : { ...plan, native: compiler.compile(pushed) };
}

/** True for the one filter that needs no server to answer: an `or` of none. */
function allowsNothing(plan: Plan | undefined): boolean {
  return plan?.pushed?.op === 'or' && plan.pushed.filters.length === 0;
}

async function catchUp(mirror: Mirror, options: CallOptions): Promise<void> {
  if (!(await mirror.look(options))) await abortable(mirror.refresh(), options.signal);
}

/** Commits of one process to one collection, one after another; one that is aborted while it waits never starts. */
function oneAtATime(commit: Commit): { readonly run: Commit; idle(): Promise<void> } {
  let last: Promise<void> = Promise.resolve();
  return {
    run(change, options) {
      const result = last.then(() => {
        options.signal?.throwIfAborted();
        return commit(change, options);
      });
      last = result.catch(() => {}); // told to the one who asked
      return abortable(result, options.signal);
    },
    idle: () => last,
  };
}
