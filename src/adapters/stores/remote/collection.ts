import type { CallOptions, Change, Chunk, Collection, DocumentRow, Filter, Plan, Space } from '../../../core/contracts.js';
import { invalidInput } from '../../../core/errors.js';
import { andFilters, documentSubject, matches, splitFilter } from '../../../core/filter.js';
import { abortable, batches } from '../../../core/flow.js';
import { compareText } from '../../../core/ids.js';
import { type Commit, createCommit } from './commit.js';
import type { FilterCompiler, RemoteTables, StoredChunk } from './contract.js';
import { createMirror, type Mirror } from './mirror.js';
import { findNearest } from './nearest.js';
import { ownersOf, rowIdOf } from './row-id.js';
import { scanChunks } from './scan.js';
import { readSettled } from './settled.js';
import { createSidecar } from './sidecar.js';

/** Manifest rows that one trip to the server brings. */
const PAGE_ROWS = 500;

export interface RemoteCollectionParts {
  readonly space: Space;
  readonly compiler: FilterCompiler;
  readonly tables: RemoteTables;
  /** Opens the embedded collection of the keyword index; called at first use. */
  readonly openKeywords: () => Promise<Collection>;
}

/** Makes a Collection of two plain tables on a server. */
export function createRemoteCollection({ space, compiler, tables, openKeywords }: RemoteCollectionParts): Collection {
  const mirror = createMirror(tables);
  const parts = { tables, mirror };
  const sidecar = createSidecar(parts, openKeywords);
  const commit = oneAtATime(createCommit(tables, mirror));

  return {
    space,
    version: (options = {}) => mirror.version(options),
    plan: (filter) => planOf(compiler, filter),
    async nearest(query, options = {}) {
      checkVector(query.vector, space, 'query vector');
      if (allowsNothing(query.plan)) return { matches: [], index: 'none' };
      return findNearest(parts, query, options);
    },
    async keywords(query, options = {}) {
      if (query.limit <= 0 || allowsNothing(query.plan)) return { matches: [], index: 'none' };
      return sidecar.keywords(query, options);
    },
    async get(ids, options = {}) {
      if (ids.length === 0) return [];
      const here = await sidecar.get(ids, options);
      if (here !== undefined) return here;
      const owners = () => new Map(ids.map((id) => [id, ownersOf(id, mirror.get)]));
      const isLive = ({ chunk, stamp }: StoredChunk) => mirror.isLive(chunk.documentId, stamp);
      if (!mirror.loaded) await abortable(mirror.refresh(), options.signal);
      const found = await readSettled(
        parts,
        {
          read: () => {
            const rowIds = [...owners()].flatMap(([id, documents]) => documents.map(({ stamp }) => rowIdOf(id, stamp)));
            return tables.chunks([...new Set(rowIds)], options);
          },
          documentsOf: () => [...owners().values()].flat().map(({ id }) => id),
          isLive: (rows) => rows.every(isLive),
        },
        options,
      );
      const chunks = new Map<string, Chunk>(found.filter(isLive).map(({ chunk }) => [chunk.id, chunk]));
      return ids.map((id) => chunks.get(id));
    },
    async *scan(query, options = {}) {
      await catchUp(mirror, options);
      yield* scanChunks(parts, query, options);
    },
    async *documents({ ids, after, filter }, options = {}) {
      await catchUp(mirror, options);
      const wanted = ids === undefined ? mirror.ids() : [...new Set(ids)].sort(compareText);
      const rest = after === undefined ? wanted : wanted.filter((id) => compareText(id, after) > 0);
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
      checkChange(change, space);
      await commit(change, options);
      // It is in. Where the index failed to take it, the next search by keywords reads it from the server, or tells why it can't.
      await sidecar.take(change).catch(() => {});
    },
    async close() {
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

/** Servers store another number for NaN, and some take a vector of the wrong length until it is searched. */
function checkVector(vector: Float32Array, { fingerprint }: Space, path: string): void {
  const { dimensions } = fingerprint;
  if (vector.length !== dimensions) throw invalidInput(path, `must have ${dimensions} dimensions, has ${vector.length}`);
  if (!vector.every(Number.isFinite)) throw invalidInput(path, 'must hold finite numbers only');
}

function checkChange(change: Change, space: Space): void {
  for (const { entries } of change.put) for (const { id, vector } of entries) checkVector(vector, space, `vector of chunk ${id}`);
}

/** Commits of one process to one collection, one after another; one that is aborted while it waits never starts. */
function oneAtATime(commit: Commit): Commit {
  let last: Promise<unknown> = Promise.resolve();
  return (change, options) => {
    const result = last.then(() => {
      options.signal?.throwIfAborted();
      return commit(change, options);
    });
    last = result.catch(() => {}); // told to the one who asked
    return abortable(result, options.signal);
  };
}
