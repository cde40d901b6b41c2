import { checkLimit, checkVector } from '../../../core/checks.js';
import type {
  CallOptions,
  Chunk,
  Collection,
  DocumentQuery,
  Entry,
  Matches,
  Plan,
  ScanQuery,
  Space,
} from '../../../core/contracts.js';
import { invalidInput, RagError } from '../../../core/errors.js';
import { documentSubject, fieldsOf, matches } from '../../../core/filter.js';
import { batches } from '../../../core/flow.js';
import { compareText } from '../../../core/ids.js';
import { createPacer } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import { findChunk, headAt, textAt, vectorsOf } from './blocks.js';
import { planWrite, prepareChange } from './change.js';
import { PieceGone } from './keyword-part.js';
import type { Needs } from './loading.js';
import type { OrdinalQueryOptions } from './ordinal-index.js';
import { createResident, type ResidentOptions, type View } from './resident.js';
import type { Rows, Snapshot, StoredDocument } from './rows.js';
import type { Found } from './top.js';

export interface CollectionParts {
  readonly space: Space;
  readonly rows: Rows;
  /** Milliseconds from any fixed point. */
  readonly clock: () => number;
  /** Told after each commit. */
  readonly onCommit: () => void;
  readonly residentOptions: ResidentOptions;
}

/** Documents that are read at once. */
const PAGE = 128;
/** How long a commit goes on against others who always write first. */
const MOST_PATIENCE_MS = 30_000;
/** How often a search starts over when what was saved is gone or damaged; from the second time on it is not asked any more. */
const MOST_ATTEMPTS = 3;

/** A collection of the embedded engine. Everything is filtered before it is searched: a plan leaves no residual. */
export function createCollection({ space, rows, clock, onCommit, residentOptions }: CollectionParts): Collection {
  const { dimensions } = space.fingerprint;
  const resident = createResident(rows, residentOptions);
  let closed = false;
  let lastCommit: Promise<void> = Promise.resolve();

  return {
    space,
    async version({ signal } = {}) {
      check(signal);
      return withSnapshot(({ state: { sequence, stamp } }) => (stamp === undefined ? String(sequence) : `${sequence}-${stamp}`));
    },
    plan: (filter) => ({ pushed: filter, residual: undefined, native: filter }),
    async nearest(query, options = {}) {
      check(options.signal);
      checkLimit(query.limit);
      checkVector(query.vector, dimensions, 'query.vector');
      return search(
        { vectors: true },
        query,
        options,
        (view, found) => view.vectors.query(query.vector, found),
        (view) => view.vectors.name,
      );
    },
    async keywords(query, options = {}) {
      check(options.signal);
      checkLimit(query.limit);
      return search(
        { keywords: true },
        query,
        options,
        (view, found) => view.keywords.query(query.text, found),
        (view) => view.keywords.name,
      );
    },
    async get(ids, { signal } = {}) {
      check(signal);
      const pace = createPacer(signal);
      const snapshot = rows.snapshot();
      try {
        const chunks: (Chunk | undefined)[] = [];
        for (const id of ids) {
          chunks.push(findChunk(snapshot, id));
          await pace();
        }
        return chunks;
      } finally {
        snapshot.release();
      }
    },
    scan: (query, options = {}) => scan(query, options),
    documents: (query, options = {}) => documents(query, options),
    async commit(change, { signal } = {}) {
      check(signal);
      const prepared = prepareChange(change, space.fingerprint, createPacer(signal));
      prepared.catch(() => {}); // told when its turn comes
      // In the order of the calls within this process, however long each takes to prepare: only others can come first.
      const commit = lastCommit.then(async () => write(await prepared, signal));
      lastCommit = commit.catch(() => {});
      await commit;
      onCommit();
    },
    async close() {
      closed = true;
      await lastCommit;
      await resident.close();
    },
  };

  async function write(prepared: Awaited<ReturnType<typeof prepareChange>>, signal: AbortSignal | undefined): Promise<void> {
    const start = clock();
    for (;;) {
      signal?.throwIfAborted();
      const snapshot = rows.snapshot();
      try {
        const planned = planWrite(prepared, snapshot);
        if (planned === undefined) return;
        if (await rows.append(planned, createPacer(signal), signal)) {
          resident.noteWritten(planned.documents.reduce((sum, { row }) => sum + row.chunks, planned.entry.removed.length));
          return;
        }
      } finally {
        snapshot.release();
      }
      if (clock() - start > MOST_PATIENCE_MS) {
        throw new RagError(
          'STORE_LOCKED',
          `collection "${space.collection}": other processes wrote before this one for ${MOST_PATIENCE_MS / 1000} s`,
          {
            adapter: 'memory',
          },
        );
      }
    }
  }

  /** Once more, when a saved piece that it was reading is gone. */
  async function search(...request: Parameters<typeof searchOnce>): Promise<Matches> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await searchOnce(...request);
      } catch (error) {
        if (!(error instanceof PieceGone) || attempt === MOST_ATTEMPTS) throw error;
        resident.renounce(error, attempt > 1);
      }
    }
  }

  async function searchOnce(
    needs: Needs,
    query: { readonly limit: number; readonly groups?: readonly string[] | undefined; readonly plan?: Plan | undefined },
    options: CallOptions,
    run: (view: View, options: OrdinalQueryOptions) => Promise<readonly Found[]>,
    nameOf: (view: View) => string,
  ): Promise<Matches> {
    const filter = query.plan?.pushed;
    const fields = filter === undefined ? new Set<string>() : fieldsOf(filter);
    const view = await resident.view({ ...needs, fields }, options);
    try {
      let allowed: Bitset = view.directory.alive;
      if (query.groups !== undefined) allowed = view.directory.ofGroups(query.groups).intersect(allowed);
      if (filter !== undefined) allowed = view.scalars.evaluate(filter, allowed);
      const pace = createPacer(options.signal);
      const found = await run(view, { limit: query.limit, allowed, idOf: view.idOf, pace, signal: options.signal });
      return {
        matches: found.map(({ ordinal, score }) => ({ id: view.idOf(ordinal), score })),
        index: fields.size === 0 ? nameOf(view) : `${nameOf(view)}, scalar ${[...fields].join('+')}`,
      };
    } finally {
      view.release();
    }
  }

  async function* scan(query: ScanQuery, { signal }: CallOptions): AsyncGenerator<Entry> {
    const groups = query.groups && new Set(query.groups);
    const pace = createPacer(signal);
    for await (const id of idsToScan(query.documentIds, signal)) {
      check(signal);
      // One document is read within one snapshot: as it was or as it became.
      const snapshot = rows.snapshot();
      try {
        for (const block of snapshot.document(id)?.blocks ?? []) {
          if (groups !== undefined && !groups.has(block.group)) continue;
          const vectors = vectorsOf(snapshot.column(block.number, 'vectors'), dimensions);
          for (const [index, vector] of vectors.entries()) {
            yield { ...chunkAt(snapshot, block.number, index), vector: vector.slice() };
            signal?.throwIfAborted();
          }
          await pace();
        }
      } finally {
        snapshot.release();
      }
    }
  }

  async function* idsToScan(ids: readonly string[] | undefined, signal: AbortSignal | undefined): AsyncGenerator<string> {
    if (ids !== undefined) yield* [...new Set(ids)].sort(compareText);
    else for await (const { row } of pages({}, signal)) yield row.id;
  }

  async function* documents(query: DocumentQuery, { signal }: CallOptions): AsyncGenerator<StoredDocument['row']> {
    const { filter } = query;
    for await (const { row } of pages(query, signal)) {
      if (filter === undefined || matches(filter, documentSubject(row))) yield row;
    }
  }

  async function* pages({ ids, after }: DocumentQuery, signal: AbortSignal | undefined): AsyncGenerator<StoredDocument> {
    const pace = createPacer(signal);
    if (ids !== undefined) {
      const wanted = [...new Set(ids)].filter((id) => after === undefined || compareText(id, after) > 0).sort(compareText);
      for (const page of batches(wanted, PAGE)) {
        check(signal);
        yield* withSnapshot((snapshot) => page.flatMap((id) => snapshot.document(id) ?? []));
        await pace();
      }
      return;
    }
    let last = after;
    for (;;) {
      check(signal);
      const from = last;
      const page = withSnapshot((snapshot) => snapshot.documents(from, PAGE));
      if (page.length === 0) return;
      yield* page;
      last = page.at(-1)?.row.id;
      await pace();
    }
  }

  function chunkAt(snapshot: Snapshot, block: number, index: number): Chunk {
    return { ...headAt(snapshot.column(block, 'heads'), index), text: textAt(snapshot.column(block, 'texts'), index) };
  }

  function withSnapshot<Result>(read: (snapshot: Snapshot) => Result): Result {
    const snapshot = rows.snapshot();
    try {
      return read(snapshot);
    } finally {
      snapshot.release();
    }
  }

  function check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (closed) throw invalidInput(`collection "${space.collection}"`, 'it was closed; open it again');
  }
}
