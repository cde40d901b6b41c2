/**
 * Every interface that an adapter can fill, on one page. Types only.
 *
 * Reading order: the data (Chunk, DocumentRow, Space), the filter tree, then one contract per kind of part.
 * Every method that waits takes `CallOptions`; an abort rejects with `signal.reason`.
 */

// ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Scalar = string | number | boolean;

/** What one can filter by: scalars (numbers finite) and arrays of one kind of scalar. Keys hold no control characters, 128 at most. */
export type Metadata = Readonly<Record<string, Scalar | readonly Scalar[]>>;

/** Where a chunk stands in its source; `lines` and `page` count from 1, `lines` is inclusive. */
export interface Location {
  readonly lines?: readonly [number, number];
  readonly page?: number;
  /** The headings above the chunk, outermost first. */
  readonly headings?: readonly string[];
}

/** A searchable piece of a document. */
export interface Chunk {
  /** `chunkId(documentId, hash, group, position)` of core/ids.ts: a replaced document's chunks have other ids. */
  readonly id: string;
  readonly documentId: string;
  readonly uri: string;
  /** The hash of the document that it was cut from. */
  readonly hash: string;
  /** The node group: the name of the chunking that made it. */
  readonly group: string;
  /** From 0, within the document and group. */
  readonly position: number;
  readonly text: string;
  /** UTF-16 offsets in the extracted text: `text === document.text.slice(...span)`. */
  readonly span: readonly [number, number];
  readonly location: Location;
  readonly metadata: Metadata;
}

/** A chunk with its vector, L2-normalised unless it is the zero vector ("has no vector": found by keyword only). */
export interface Entry extends Chunk {
  readonly vector: Float32Array;
}

/** A manifest row: one document that is in. */
export interface DocumentRow {
  readonly id: string;
  readonly uri: string;
  /** Hex; covers the source's bytes, its metadata, the loader and the chunkers: equal means nothing to do. */
  readonly hash: string;
  readonly metadata: Metadata;
  readonly loader: string;
  /** The folder or glob that brought it in ('' for raw text): what `prune` looks at. */
  readonly origin: string;
  /** UTF-16 length of the extracted text. */
  readonly length: number;
  /** Number of chunks, of all groups. */
  readonly chunks: number;
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
  /** For each costly group, a digest of what its cuts were made from: text, loader, chunker. */
  readonly recipes?: Readonly<Record<string, string>> | undefined;
}

/** What made the vectors. Two that differ must never share a collection. */
export interface Fingerprint {
  readonly embedder: string;
  readonly dimensions: number;
  readonly metric: Metric;
}
export type Metric = 'cosine' | 'dot' | 'l2';

/** A metadata field that the user declared. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
}
export type FieldType = 'string' | 'number' | 'boolean' | 'string[]' | 'number[]' | 'boolean[]';

/** A collection as its store knows it. */
export interface Space {
  readonly collection: string;
  /** Random, made with the collection: a dropped and re-created one is another. */
  readonly uuid: string;
  readonly fingerprint: Fingerprint;
  readonly fields: readonly Field[];
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

// ── Filters ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Closed: `matches()` in filter.ts is its meaning, and every compiler is a total switch over it. */
export type Filter =
  | { readonly op: 'eq' | 'ne' | 'contains'; readonly field: string; readonly value: Scalar }
  | { readonly op: 'startsWith'; readonly field: string; readonly value: string }
  | { readonly op: 'gt' | 'gte' | 'lt' | 'lte'; readonly field: string; readonly value: number | string }
  | { readonly op: 'in' | 'nin' | 'containsAny'; readonly field: string; readonly values: readonly Scalar[] }
  | { readonly op: 'exists'; readonly field: string; readonly value: boolean }
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter };

/** How a store will evaluate a filter: `pushed` and `residual`, joined by and, mean the same as the filter. */
export interface Plan {
  /** What the store evaluates; undefined: nothing. */
  readonly pushed?: Filter | undefined;
  /** What the core evaluates on each hit, over-fetching; undefined: nothing. */
  readonly residual?: Filter | undefined;
  /** The store's own form of `pushed`; only the store that made it reads it. */
  readonly native: unknown;
}

// ── Stores ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A place where collections live: this process's memory, a folder, a server. */
export interface VectorStore {
  readonly name: string;
  collections(options?: CallOptions): Promise<readonly Space[]>;
  /**
   * Opens a collection; with `create`, makes it where there is none.
   * @throws RagError NOT_FOUND (no such collection and no `create`) · FINGERPRINT_MISMATCH (`request.fingerprint` differs)
   */
  open(request: OpenRequest, options?: CallOptions): Promise<Collection>;
  /** True when there was one. */
  drop(collection: string, options?: CallOptions): Promise<boolean>;
  close(): Promise<void>;
}

export interface OpenRequest {
  readonly collection: string;
  readonly fingerprint: Fingerprint;
  readonly fields: readonly Field[];
  readonly create: boolean;
}

/** One open collection: chunks to search and the manifest of its documents, which change together. */
export interface Collection {
  readonly space: Space;
  /** Reading the version costs a round trip: searches then read it beside their work and not before it. @default false */
  readonly remote?: boolean;
  /** Opaque; differs after every write by anyone. Equal before and after a read means that nothing changed meanwhile. */
  version(options?: CallOptions): Promise<string>;
  /** Splits a filter; pure. */
  plan(filter: Filter): Plan;
  /** The nearest chunks that the plan's pushed part allows; best first, ties by ascending id. Chunks with a zero vector are never among them. */
  nearest(query: VectorQuery, options?: CallOptions): Promise<Matches>;
  /** The best chunks by BM25 that the plan's pushed part allows; best first, ties by ascending id; scores above 0. */
  keywords(query: KeywordQuery, options?: CallOptions): Promise<Matches>;
  /** Chunks by id, in the order asked; undefined where there is none (any more). */
  get(ids: readonly string[], options?: CallOptions): Promise<readonly (Chunk | undefined)[]>;
  /** Chunks of the documents asked for, by ascending document id, then group, then position. */
  scan(query: ScanQuery, options?: CallOptions): AsyncIterable<Entry>;
  /** Manifest rows by ascending id. */
  documents(query: DocumentQuery, options?: CallOptions): AsyncIterable<DocumentRow>;
  /**
   * Applies a change. When it resolves, the change is durable and every later query, in any process, sees it.
   * Per document a reader sees the old state or the new one, never a mixture, even if the writer dies half-way.
   */
  commit(change: Change, options?: CallOptions): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What a commit does: each document of `put` is replaced by the row and exactly these entries; each of `drop` is removed. */
export interface Change {
  readonly put: readonly { readonly document: DocumentRow; readonly entries: readonly Entry[] }[];
  /** Document ids; unknown ones are fine. */
  readonly drop: readonly string[];
}

export interface VectorQuery {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly groups?: readonly string[] | undefined;
  readonly plan?: Plan | undefined;
}

export interface KeywordQuery {
  readonly text: string;
  readonly limit: number;
  readonly groups?: readonly string[] | undefined;
  readonly plan?: Plan | undefined;
}

/** Higher is better, whatever the server says. `chunk` is there when it came for free; the core fetches the others it needs with `get`. */
export interface Match {
  readonly id: string;
  readonly score: number;
  readonly chunk?: Chunk | undefined;
}
export interface Matches {
  readonly matches: readonly Match[];
  /** How they were found, for `explain`: `flat`, `hnsw`, `bm25`, … with the scalar index used, if any. */
  readonly index: string;
}

export interface ScanQuery {
  readonly documentIds?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
}

export interface DocumentQuery {
  readonly ids?: readonly string[] | undefined;
  /** Rows after this id only. */
  readonly after?: string | undefined;
  readonly filter?: Filter | undefined;
}

/**
 * An index of one's own (LazyLLM's three functions). The engine's own ones work on ordinals and bitsets inside.
 * `query` returns at most `limit` matches, best first, and none that `allows` refuses.
 */
export interface Index<Query> {
  update(entries: readonly Entry[]): void | Promise<void>;
  remove(ids: readonly string[]): void | Promise<void>;
  query(
    query: Query,
    limit: number,
    allows?: (id: string) => boolean,
  ):
    | readonly { readonly id: string; readonly score: number }[]
    | Promise<readonly { readonly id: string; readonly score: number }[]>;
}

// ── Inference ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface Embedder {
  /** Runtime, model and quantisation: part of the fingerprint and of every cache key. */
  readonly id: string;
  readonly dimensions: number;
  /** The core never passes more texts at once. */
  readonly maxBatch: number;
  /** Weight of the vector side in hybrid search, 0 to 1. @default 0.4 */
  readonly hybridWeight?: number | undefined;
  /** Unicode scripts it understands ('Latin'); texts mostly in others get no vector side. @default all */
  readonly scripts?: readonly string[] | undefined;
  /** One vector a text, in order. The core normalises; all zeros = nothing to compare. */
  embed(
    texts: readonly string[],
    options?: CallOptions & { readonly role?: 'query' | 'document' },
  ): Promise<readonly Float32Array[]>;
  /** Frees what it holds in this process. Called when the engine closes; idempotent. */
  close?(): Promise<void>;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface TextRequest {
  readonly messages: readonly ChatMessage[];
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
}

/** Token counts; null where the engine tells none. */
export interface Usage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Of the input: read from the engine's prefix cache. */
  readonly cachedTokens?: number | null | undefined;
}

/** Times as the engine measured them; null where it tells none. */
export interface Timings {
  readonly ttftMs: number | null;
  readonly tpotMs: number | null;
  readonly queueMs: number | null;
  /** Loading the model, where this call had to wait for it; part of `ttftMs`. */
  readonly loadMs?: number | null | undefined;
}

export type TextEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | {
      readonly type: 'finish';
      readonly reason: 'stop' | 'length';
      readonly usage: Usage;
      readonly timings?: Timings | undefined;
      /** Who wrote it, where a generator stands for several engines. */
      readonly by?: { readonly engine: string; readonly model: string } | undefined;
    };

/** What an engine tells of a model, for people. */
export interface ModelInfo {
  /** @example 'Q4_K_M' */
  readonly quantization?: string | undefined;
  /** Number of parameters. @example '4.0B' */
  readonly size?: string | undefined;
  /** @example 'qwen3' */
  readonly family?: string | undefined;
}

/** Not `Generator`: that name is the language's own. */
export interface TextGenerator {
  /** Engine and model: part of the answer cache's key. */
  readonly id: string;
  readonly engine: string;
  readonly model: string;
  /** Tokens that prompt and answer may hold together; the core sends no more. @default 8192 */
  readonly contextTokens?: number | undefined;
  readonly info?: ModelInfo | undefined;
  /** Deltas, then one finish event. Leaving the loop stops the engine. All-at-once is `collect()` in core. */
  generate(request: TextRequest, options?: CallOptions): AsyncIterable<TextEvent>;
  /** Resolves when the model is loaded, so that the first question doesn't wait for that. */
  warm?(options?: CallOptions): Promise<void>;
  /** Frees what it holds in this process. Called when the engine closes; idempotent. */
  close?(): Promise<void>;
}

export interface Reranker {
  readonly id: string;
  /** One score a text, higher is better, in the texts' order. Scores of two rerankers don't compare. */
  rerank(query: string, texts: readonly string[], options?: CallOptions): Promise<readonly number[]>;
  /** Frees what it holds in this process. Called when the engine closes; idempotent. */
  close?(): Promise<void>;
}

// ── Caches ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A tier outside the process: bytes in, bytes out. Counting, framing, namespaces, time limits and what happens while it is away are
 * the core's job. Keys are printable ASCII, 100 characters at most. A call rejects with UPSTREAM_FAILED when the cache answered that
 * it can't do this one thing, and with anything else when it can't be reached; after an abort it may leave its connection behind.
 */
export interface Cache {
  readonly name: string;
  /** Larger values are not given to it. */
  readonly maxValueBytes: number;
  /** In the order of the keys; undefined: not there. */
  get(keys: readonly string[], options?: CallOptions): Promise<readonly (Uint8Array | undefined)[]>;
  /** @param options.ttlMs a value lives this long at most. @default until the cache pushes it out */
  set(entries: ReadonlyMap<string, Uint8Array>, options?: CallOptions & { readonly ttlMs?: number }): Promise<void>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

/** The tier in process: values themselves (immutable by agreement), bounded by entries and bytes. */
export interface LocalCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value, bytes: number): void;
  clear(): void;
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
}

// ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Finds the files that a user named. What it may touch is decided here, before anything is read. */
export interface SourceFinder {
  /**
   * Resolves paths, folders and globs, symlinks included, without listing them yet.
   * @throws RagError FORBIDDEN (outside the roots): the whole call fails · INPUT_INVALID (a URL, an empty or malformed path)
   */
  resolve(
    sources: readonly string[],
    options: CallOptions & { readonly roots?: readonly string[] | undefined },
  ): Promise<readonly FoundSource[]>;
}

/** One resolved source, in the order asked. */
export interface FoundSource {
  /** Stable name of this folder or glob or file, for `prune`: its absolute path or pattern. */
  readonly origin: string;
  /** The existing folder or file that it lies in: what a watcher looks at. Absolute. */
  readonly base: string;
  /** Its files in ascending order of uri; `error` (NOT_FOUND, FORBIDDEN, INPUT_INVALID) stands for one that can't be taken. */
  files(options?: CallOptions): AsyncIterable<FoundFile | { readonly uri: string; readonly error: Error }>;
}

/** Tells that something changed, not what: that is the ingest's to find out. */
export interface Watcher {
  /**
   * Yields once as soon as nothing can be missed any more, then once after each burst of changes in these folders and files.
   * @throws RagError INPUT_INVALID when they can't be watched
   */
  changes(paths: readonly string[], options?: CallOptions): AsyncIterable<void>;
}

export interface FoundFile {
  /** The path relative to its root, with `/`. */
  readonly uri: string;
  /** Absolute, symlinks resolved. */
  readonly path: string;
  /** @throws RagError INPUT_INVALID (over the size limit) · NOT_FOUND (gone since it was listed) · FORBIDDEN (no permission) */
  read(options?: CallOptions): Promise<Uint8Array>;
}

/** A file or text that is to be read. */
export interface Source {
  readonly uri: string;
  readonly bytes: Uint8Array;
}

/** What a loader made of a source. Line ends are LF. */
export interface LoadedDocument {
  readonly text: string;
  /** Of the content ('markdown', 'text', a language …): chunkers choose by it. */
  readonly format: string;
  /** From the content itself (front matter); the caller's metadata goes over it. */
  readonly metadata: Metadata;
  readonly warnings: readonly string[];
  /** UTF-16 offset at which each page starts, where there are pages. */
  readonly pages?: readonly number[] | undefined;
}

export interface Loader {
  /** Name and version: part of a document's hash, so a better loader reads again. */
  readonly id: string;
  /** By name and first bytes. */
  accepts(uri: string, head: Uint8Array): boolean;
  /** @throws RagError INPUT_INVALID when the content isn't what it says it is, or passes a limit · TIMEOUT */
  load(source: Source, options?: CallOptions): Promise<LoadedDocument>;
  /** Ends what it keeps running, such as threads. Called when the engine closes; idempotent. */
  close?(): Promise<void>;
}

/** A cut: what a chunker tells of each chunk; the core makes the Chunk of it. */
export interface Cut {
  readonly span: readonly [number, number];
  readonly headings?: readonly string[] | undefined;
  /** Only where it isn't the span's own text (a summary of it). */
  readonly text?: string | undefined;
}

export interface Chunker {
  /** Name and parameters: part of a document's hash. */
  readonly id: string;
  /** Its cuts cost model calls: they are kept while the document's text, loader and this id stay the same. @default false */
  readonly costly?: boolean | undefined;
  /** In document order. Cuts with their own `text` aside, they leave out nothing but white space. */
  chunk(document: LoadedDocument, options?: CallOptions): Iterable<Cut> | AsyncIterable<Cut>;
}
