import type {
  Chunk,
  Chunker,
  Collection,
  DocumentRow,
  Entry,
  Field,
  LoadedDocument,
  Loader,
  Metadata,
  Source,
} from './contracts.js';
import { keepCostlyCuts, recipesOf } from './costly.js';
import { cutDocument } from './cut.js';
import { type ErrorCode, isRagError, messageOf, RagError } from './errors.js';
import { batchesOf, mapAhead, prefetch, toArray } from './flow.js';
import { convertMetadata } from './metadata.js';
import type { IngestProgress, IngestReport } from './types.js';

/** Documents that are looked up in the manifest at once. */
const LOOKAHEAD = 64;
/** A commit is made when this many chunks or characters have gathered: large enough to be cheap, small enough to be prompt. */
const COMMIT_CHUNKS = 512;
const COMMIT_CHARACTERS = 4_000_000;
/** What a document can't be blamed for: the engine that writes summaries is gone, and would be for the next one too. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set([
  'NO_ENGINE',
  'CONNECTION_FAILED',
  'TIMEOUT',
  'UNAUTHORIZED',
  'DEPENDENCY_MISSING',
]);

export interface IngestParts {
  readonly loaders: readonly Loader[];
  /** Node groups by name. */
  readonly groups: Readonly<Record<string, Chunker>>;
  readonly fields: readonly Field[];
  /** Documents that are read before their turn. */
  readonly readAhead: number;
  /** Normalised vectors; zero vectors where there is nothing to embed. */
  readonly embedDocuments: (texts: readonly string[], signal: AbortSignal | undefined) => Promise<readonly Float32Array[]>;
  /** Hex digest of texts and bytes, each part delimited from the next. */
  readonly hash: (parts: readonly (string | Uint8Array)[]) => Promise<string>;
  readonly clock: () => number;
  readonly now: () => Date;
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

interface Work {
  readonly item: IngestItem;
  readonly source: Source;
  readonly loader: Loader | undefined;
  readonly hash: string;
  readonly known: DocumentRow | undefined;
}

interface Prepared {
  readonly row: DocumentRow;
  readonly chunks: readonly Chunk[];
  readonly known: DocumentRow | undefined;
}

/**
 * Brings a collection in step with its sources: reads, hashes, and for what changed loads, chunks, embeds and commits.
 *
 * A document is replaced in one commit, so an abort or a crash leaves each one old or new; running again does the rest.
 * Vectors of chunks whose text stayed the same are taken from the document's old chunks. A broken document is reported, keeps
 * its old state, and the rest goes on; a failing store or embedder ends the run.
 */
export async function ingest(parts: IngestParts, collection: Collection, run: IngestRun): Promise<IngestReport> {
  const { signal } = run;
  const startedAt = parts.clock();
  const count = { added: 0, changed: 0, unchanged: 0, removed: 0, documents: 0, chunks: 0 };
  const failed: { uri: string; code: string; message: string }[] = [];
  const warnings: { uri: string; message: string }[] = [];
  const seen = new Set<string>();
  let done = 0;

  function progress(phase: IngestProgress['phase'], uri?: string): void {
    run.onProgress?.({ phase, done, total: Math.max(done, run.total?.() ?? 0), chunks: count.chunks, uri });
  }

  function fail(uri: string, error: unknown): void {
    signal?.throwIfAborted();
    failed.push({ uri, code: isRagError(error) ? error.code : 'INPUT_INVALID', message: messageOf(error) });
    done++;
    progress('ingesting', uri);
  }

  /** Reads a batch side by side, and sorts out what is unchanged. */
  async function* changedOf(batch: readonly (IngestItem | IngestProblem)[]): AsyncIterable<Work> {
    const items = batch.flatMap((item) => ('error' in item ? [] : [item]));
    for (const problem of batch) if ('error' in problem) fail(problem.uri, problem.error);
    const ids = items.map(({ id }) => id);
    const rows = new Map((await toArray(collection.documents({ ids }, { signal }))).map((row) => [row.id, row]));
    const outcomes = mapAhead(items, parts.readAhead, async (item) => {
      try {
        return { item, source: await item.read(signal) };
      } catch (error) {
        return { item, error };
      }
    });
    for await (const outcome of outcomes) {
      const { item } = outcome;
      seen.add(item.id);
      if ('error' in outcome) {
        fail(item.uri, outcome.error);
        continue;
      }
      const loader = item.text === undefined ? loaderOf(parts.loaders, outcome.source) : undefined;
      const hash = await hashOf(parts, item, outcome.source, loader);
      const known = rows.get(item.id);
      if (known?.hash === hash) {
        count.unchanged++;
        count.documents++;
        done++;
        progress('ingesting', item.uri);
      } else yield { item, source: outcome.source, loader, hash, known };
    }
  }

  async function prepare({ item, source, loader, hash, known }: Work): Promise<Prepared | undefined> {
    try {
      const loaded = await load(item, source, loader, signal);
      const own = convertMetadata(loaded.metadata, parts.fields.length === 0 ? undefined : parts.fields);
      const metadata: Metadata = { ...own.metadata, ...item.metadata };
      const recipes = await recipesOf(parts, loaded, loader);
      const groups = await keepCostlyCuts(parts.groups, recipes, known, collection, signal);
      const chunks = await cutDocument(loaded, { id: item.id, uri: item.uri, hash, metadata }, groups, signal);
      for (const message of [...loaded.warnings, ...own.warnings]) warnings.push({ uri: item.uri, message });
      for (const group of emptyGroups(loaded, groups, chunks)) {
        warnings.push({
          uri: item.uri,
          message: `its chunker made nothing of it for the group "${group}": it is not found there`,
        });
      }
      if (known !== undefined && isForeign(known.origin, item.origin)) {
        warnings.push({ uri: item.uri, message: `took the place of the document of the same id from ${known.origin}` });
      }
      const { id, uri, origin } = item;
      const row = {
        id,
        uri,
        hash,
        metadata,
        origin,
        loader: loader?.id ?? 'text',
        length: loaded.text.length,
        chunks: chunks.length,
        ...(Object.keys(recipes).length > 0 ? { recipes } : {}),
      };
      return { row: { ...row, updatedAt: parts.now().toISOString() }, chunks, known };
    } catch (error) {
      if (isRagError(error) && ENDS_ALL.has(error.code)) throw error;
      fail(item.uri, error);
      return undefined;
    }
  }

  async function commit(group: readonly Prepared[]): Promise<void> {
    if (group.length === 0) return;
    const vectors = await vectorsOf(parts, collection, group, signal);
    let next = 0;
    const put = group.map(({ row, chunks }) => ({
      document: row,
      entries: chunks.map((chunk): Entry => ({ ...chunk, vector: vectors[next++] ?? new Float32Array() })),
    }));
    await collection.commit({ put, drop: [] }, { signal });
    for (const { row, known } of group) {
      count[known === undefined ? 'added' : 'changed']++;
      count.documents++;
      count.chunks += row.chunks;
      done++;
      progress('ingesting', row.uri);
    }
  }

  progress('listing');
  let group: Prepared[] = [];
  let size = { chunks: 0, characters: 0 };
  for await (const batch of prefetch(batchesOf(run.items, LOOKAHEAD))) {
    signal?.throwIfAborted();
    for await (const work of changedOf(batch)) {
      const prepared = await prepare(work);
      if (prepared === undefined) continue;
      group.push(prepared);
      size = { chunks: size.chunks + prepared.chunks.length, characters: size.characters + prepared.row.length };
      if (size.chunks < COMMIT_CHUNKS && size.characters < COMMIT_CHARACTERS) continue;
      await commit(group);
      group = [];
      size = { chunks: 0, characters: 0 };
    }
  }
  await commit(group);

  if (run.prune !== undefined) {
    progress('pruning');
    count.removed = await prune(collection, run.prune, seen, signal);
  }
  progress('done');
  return { ...count, failed, warnings, tookMs: parts.clock() - startedAt };
}

/** Groups that have nothing of a document that isn't empty. */
function emptyGroups({ text }: LoadedDocument, groups: IngestParts['groups'], chunks: readonly Chunk[]): readonly string[] {
  if (text.trim() === '') return [];
  const filled = new Set(chunks.map(({ group }) => group));
  return Object.keys(groups).filter((name) => !filled.has(name));
}

/** Whether a document of the same id came from another place: two folders that share a collection overwrite each other's. */
function isForeign(earlier: string, now: string): boolean {
  return earlier !== '' && now !== '' && !earlier.startsWith(now) && !now.startsWith(earlier);
}

/** Covers everything that decides what is stored, so that an equal hash means nothing to do. */
function hashOf({ hash, groups }: IngestParts, item: IngestItem, source: Source, loader: Loader | undefined): Promise<string> {
  const metadata = Object.entries(item.metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  const chunkers = Object.entries(groups).map(([name, { id }]) => [name, id]);
  return hash([JSON.stringify([item.uri, metadata, loader?.id ?? 'text', chunkers]), source.bytes]);
}

function loaderOf(loaders: readonly Loader[], source: Source): Loader {
  const head = source.bytes.subarray(0, 4096);
  const loader = loaders.find((candidate) => candidate.accepts(source.uri, head));
  if (loader === undefined) throw new RagError('UNSUPPORTED', `${source.uri}: no loader reads this kind of file`);
  return loader;
}

async function load(
  item: IngestItem,
  source: Source,
  loader: Loader | undefined,
  signal: AbortSignal | undefined,
): Promise<LoadedDocument> {
  if (loader !== undefined) return loader.load(source, { signal });
  const text = (item.text ?? '').replace(/\r\n?/g, '\n');
  return { text, format: 'text', metadata: {}, warnings: text.trim() === '' ? ['is empty: nothing to search in it'] : [] };
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
  if (gone.length > 0) await collection.commit({ put: [], drop: gone }, { signal });
  return gone.length;
}
