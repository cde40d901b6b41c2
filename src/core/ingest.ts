import type { Collection, DocumentRow, Entry, LoadedDocument, Metadata, Source } from './contracts.js';
import { type ErrorCode, isRagError, messageOf } from './errors.js';
import { batches, batchesOf, createStage, mapAhead, prefetch, toArray } from './flow.js';
import { identify, load, type Prepared, type PrepareParts, prepare, prepareMove, type Read } from './prepare.js';
import { nextTurn, turnIsOver } from './turns.js';
import type { IngestProgress, IngestReport } from './types.js';

/** Documents that are looked up in the manifest at once. */
const LOOKAHEAD = 64;
/** A commit is made when this many chunks or characters have gathered: large enough to be cheap, small enough to be prompt. */
const COMMIT_CHUNKS = 512;
const COMMIT_CHARACTERS = 4_000_000;
/** Documents that one commit removes. */
const PRUNED_AT_ONCE = 512;
/** What a document can't be blamed for: the engine that writes summaries is gone, and would be for the next one too. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set([
  'NO_ENGINE',
  'CONNECTION_FAILED',
  'TIMEOUT',
  'UNAUTHORIZED',
  'DEPENDENCY_MISSING',
]);

export interface IngestParts extends PrepareParts {
  /** Documents that are read before their turn. */
  readonly readAhead: number;
  /** Normalised vectors; zero vectors where there is nothing to embed. */
  readonly embedDocuments: (texts: readonly string[], signal: AbortSignal | undefined) => Promise<readonly Float32Array[]>;
  readonly clock: () => number;
}

/** One document that the call names; `read` is called once, and only when its turn has come. */
export interface IngestItem {
  readonly id: string;
  readonly uri: string;
  /** The folder or glob it was found by; '' for raw text. */
  readonly origin: string;
  /** The caller's; goes over the document's own. */
  readonly metadata: Metadata;
  readonly read: (signal: AbortSignal | undefined) => Promise<Source>;
  /** Raw text needs no loader. */
  readonly text?: string | undefined;
}

/** What could not be taken, said instead of the item. */
export interface IngestProblem {
  readonly uri: string;
  readonly error: unknown;
}

export interface IngestRun {
  readonly items: AsyncIterable<IngestItem | IngestProblem>;
  /** Documents of these origins that `items` didn't name are removed. */
  readonly prune: ReadonlySet<string> | undefined;
  readonly onProgress?: ((event: IngestProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The number of items, where it is known beforehand. */
  readonly total?: (() => number) | undefined;
}

/**
 * Brings a collection in step with its sources: reads, hashes, and for what changed loads, chunks, embeds and commits.
 *
 * A document is replaced in one commit, so an abort or a crash leaves each one old or new; running again does the rest.
 * Vectors of chunks whose text stayed the same are taken from the document's old chunks. A broken document is reported, keeps
 * its old state, and the rest goes on; a failing store or embedder ends the run.
 *
 * While one batch is written the next is embedded, and the one after that is read and cut; no more is in memory, whatever the corpus.
 */
export async function ingest(parts: IngestParts, collection: Collection, run: IngestRun): Promise<IngestReport> {
  const { signal } = run;
  const startedAt = parts.clock();
  const count = { added: 0, changed: 0, unchanged: 0, removed: 0, documents: 0, chunks: 0 };
  const failed: { uri: string; code: string; message: string }[] = [];
  const warnings: { uri: string; message: string }[] = [];
  const seen = run.prune === undefined ? undefined : new Set<string>();
  let done = 0;

  function progress(phase: IngestProgress['phase'], uri?: string): void {
    run.onProgress?.({ phase, done, total: Math.max(done, run.total?.() ?? 0), chunks: count.chunks, uri });
  }

  function finish(uri: string, outcome: 'added' | 'changed' | 'unchanged'): void {
    count[outcome]++;
    count.documents++;
    done++;
    progress('ingesting', uri);
  }

  function fail(uri: string, error: unknown): void {
    signal?.throwIfAborted();
    failed.push({ uri, code: isRagError(error) ? error.code : 'INPUT_INVALID', message: messageOf(error) });
    done++;
    progress('ingesting', uri);
  }

  /** What there is to write, in the order of the items. */
  async function* preparedOf(items: AsyncIterable<LookedUp | IngestProblem>): AsyncIterable<Prepared> {
    const outcomes = mapAhead(items, parts.readAhead, async (found) => {
      if ('error' in found) return found;
      const { item, known } = found;
      try {
        return await identify(parts, item, await item.read(signal), known);
      } catch (error) {
        return { uri: item.uri, id: item.id, error };
      }
    });
    for await (const read of outcomes) {
      if (turnIsOver()) await nextTurn(signal);
      if ('error' in read) {
        if ('id' in read) seen?.add(read.id); // it is there
        fail(read.uri, read.error);
        continue;
      }
      const { item, known, hash } = read;
      seen?.add(item.id);
      const isSame = known?.hash === hash;
      const prepared = isSame ? await prepareMove(collection, item, known, signal) : await loadAndPrepare(read);
      if (prepared !== undefined) yield prepared;
      else if (isSame) finish(item.uri, 'unchanged');
    }
  }

  /** undefined: it failed, and that was told. */
  async function loadAndPrepare(read: Read): Promise<Prepared | undefined> {
    const { uri } = read.item;
    let loaded: LoadedDocument;
    try {
      loaded = await load(read, signal);
    } catch (error) {
      fail(uri, error); // whatever it is, the next file may be a better one
      return undefined;
    }
    try {
      return await prepare(parts, collection, read, loaded, (message) => warnings.push({ uri, message }), signal);
    } catch (error) {
      if (isRagError(error) && ENDS_ALL.has(error.code)) throw error;
      fail(uri, error);
      return undefined;
    }
  }

  const writing = createStage(async (entries: readonly (readonly [Prepared, readonly Entry[]])[]) => {
    const put = entries.map(([{ row }, own]) => ({ document: row, entries: own }));
    await collection.commit({ put, drop: [] }, { signal });
    for (const [{ row, known }] of entries) {
      const isSame = known?.hash === row.hash;
      if (!isSame) count.chunks += row.chunks;
      finish(row.uri, known === undefined ? 'added' : isSame ? 'unchanged' : 'changed');
    }
  });
  const embedding = createStage(async (group: readonly Prepared[]) => {
    const vectors = await vectorsOf(parts, collection, group, signal);
    let next = 0;
    const entriesOf = ({ chunks }: Prepared) =>
      chunks.map((chunk): Entry => ({ ...chunk, vector: vectors[next++] ?? new Float32Array() }));
    await writing.push(group.map((prepared) => [prepared, entriesOf(prepared)] as const));
  });

  progress('listing');
  try {
    for await (const group of groupsOf(preparedOf(lookUp(collection, run.items, signal)))) await embedding.push(group);
    await embedding.done();
    await writing.done();
  } finally {
    // Whoever gets an error may start anew at once: nothing of this run may still be writing.
    await Promise.allSettled([embedding.done()]);
    await Promise.allSettled([writing.done()]);
  }

  if (run.prune !== undefined && seen !== undefined) {
    progress('pruning');
    count.removed = await prune(collection, run.prune, seen, signal);
  }
  progress('done');
  return { ...count, failed, warnings, tookMs: parts.clock() - startedAt };
}

interface LookedUp {
  readonly item: IngestItem;
  readonly known: DocumentRow | undefined;
}

/** The items with what the manifest has of each. */
async function* lookUp(
  collection: Collection,
  items: IngestRun['items'],
  signal: AbortSignal | undefined,
): AsyncIterable<LookedUp | IngestProblem> {
  for await (const batch of prefetch(batchesOf(items, LOOKAHEAD))) {
    signal?.throwIfAborted();
    const ids = batch.flatMap((item) => ('error' in item ? [] : [item.id]));
    const rows = new Map((await toArray(collection.documents({ ids }, { signal }))).map((row) => [row.id, row]));
    for (const item of batch) yield 'error' in item ? item : { item, known: rows.get(item.id) };
  }
}

/** Documents that are committed together. */
async function* groupsOf(prepared: AsyncIterable<Prepared>): AsyncIterable<readonly Prepared[]> {
  let group: Prepared[] = [];
  let chunks = 0;
  let characters = 0;
  for await (const document of prepared) {
    group.push(document);
    chunks += document.chunks.length;
    characters += document.row.length;
    if (chunks < COMMIT_CHUNKS && characters < COMMIT_CHARACTERS) continue;
    yield group;
    group = [];
    chunks = 0;
    characters = 0;
  }
  if (group.length > 0) yield group;
}

/** Vectors for the chunks of a group of documents, in order; texts that a replaced document already had are not embedded again. */
async function vectorsOf(
  parts: IngestParts,
  collection: Collection,
  group: readonly Prepared[],
  signal: AbortSignal | undefined,
): Promise<readonly Float32Array[]> {
  const replaced = group.flatMap(({ row, known }) => (known === undefined ? [] : [row.id]));
  const old = new Map<string, Float32Array>();
  if (replaced.length > 0) {
    for await (const { text, vector } of collection.scan({ documentIds: replaced }, { signal })) old.set(text, vector);
  }
  const chunks = group.flatMap(({ chunks }) => chunks);
  const fresh = chunks.filter(({ text }) => !old.has(text)).map(({ text }) => text);
  const embedded = fresh.length === 0 ? [] : await parts.embedDocuments(fresh, signal);
  let next = 0;
  return chunks.map(({ text }) => old.get(text) ?? embedded[next++] ?? new Float32Array());
}

async function prune(
  collection: Collection,
  origins: ReadonlySet<string>,
  seen: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const gone: string[] = [];
  for await (const { id, origin } of collection.documents({}, { signal })) {
    if (origins.has(origin) && !seen.has(id)) gone.push(id);
  }
  for (const drop of batches(gone, PRUNED_AT_ONCE)) await collection.commit({ put: [], drop }, { signal });
  return gone.length;
}
