/** What users get back: the public shapes of docs and INTERFACE. Types only. */

import type { CallOptions, Location, Metadata } from './contracts.js';

export type SearchMode = 'hybrid' | 'vector' | 'keyword';

export interface Hit<M = Metadata> {
  readonly id: string;
  readonly documentId: string;
  readonly uri: string;
  readonly text: string;
  /** Higher is better. Its scale depends on the mode; it is comparable within one result only. */
  readonly score: number;
  readonly group: string;
  /** UTF-16 offsets in the extracted text. */
  readonly span: readonly [number, number];
  readonly location: Location;
  readonly metadata: M;
}

export interface ExplainStage {
  readonly name: string;
  readonly ms: number;
  readonly detail: string;
}

export interface Explanation {
  readonly stages: readonly ExplainStage[];
  /** The index that found the vectors or keywords, such as `flat + bm25`. */
  readonly index: string;
  /** The part of the filter that the store evaluated, in JSON form; null = none. */
  readonly pushedDown: FilterJson | null;
  /** The part that the core evaluated; null = none. */
  readonly residual: FilterJson | null;
}

/** A filter in JSON form, untyped. */
export type FilterJson = { readonly [key: string]: unknown };

export interface SearchResult<M = Metadata> {
  readonly hits: readonly Hit<M>[];
  readonly tookMs: number;
  readonly cached: boolean;
  readonly explain?: Explanation | undefined;
}

export interface AnswerSource {
  /** The number by which the text cites it: [1] is the first. */
  readonly index: number;
  readonly cited: boolean;
  readonly hitId: string;
  readonly documentId: string;
  readonly uri: string;
}

/** Milliseconds and tokens; null where there is no value. */
export interface AnswerMetrics {
  /** From the request to the engine until its first text. */
  readonly ttftMs: number | null;
  /** Mean time per output token after the first. */
  readonly tpotMs: number | null;
  readonly inputTokens: number | null;
  /** Of the input: read from the engine's prefix cache. */
  readonly cachedTokens: number | null;
  readonly outputTokens: number | null;
  readonly tokensPerSecond: number | null;
  /** Waiting for a free place before the request was sent, for engines that failed, and in the queue of an engine that tells. */
  readonly queueMs: number | null;
  /** Loading the model, where this answer had to wait for it; part of the engine's TTFT. */
  readonly loadMs: number | null;
  readonly retrieveMs: number | null;
  readonly totalMs: number;
  /** Who measured TTFT and TPOT. */
  readonly source: 'client' | 'engine';
}

export interface Answer {
  readonly text: string;
  /** All hits given to the model, in order. */
  readonly sources: readonly AnswerSource[];
  readonly finish: 'stop' | 'length';
  readonly cached: false | 'exact';
  /** What was searched for in the question's place, where `rewrite` made something else of it. */
  readonly queries?: readonly string[] | undefined;
  readonly engine: string;
  readonly model: string;
  readonly metrics: AnswerMetrics;
}

export type AnswerEvent<M = Metadata> =
  | { readonly type: 'hits'; readonly hits: readonly Hit<M>[] }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'finish'; readonly answer: Answer };

/** Counts are of documents in this call. */
export interface IngestReport {
  readonly added: number;
  readonly changed: number;
  /** Text and metadata as they were. */
  readonly unchanged: number;
  readonly removed: number;
  readonly failed: readonly { readonly uri: string; readonly code: string; readonly message: string }[];
  readonly warnings: readonly { readonly uri: string; readonly message: string }[];
  readonly documents: number;
  /** Chunks written. */
  readonly chunks: number;
  readonly tookMs: number;
}

/** Told after each document; `total` grows until the sources are listed. */
export interface IngestProgress {
  readonly phase: 'listing' | 'ingesting' | 'pruning' | 'done';
  readonly done: number;
  readonly total: number;
  readonly chunks: number;
  /** The document that was just finished. */
  readonly uri?: string | undefined;
}

export interface CacheTierStats {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
}

export interface CacheLayerStats {
  readonly hits: number;
  readonly misses: number;
  /** hits / (hits + misses); 0 before the first look-up. */
  readonly hitRate: number;
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
  /** Measured: for each hit, what computing that value had cost when it was computed, less the look-up. */
  readonly savedMs: number;
  readonly tiers: readonly CacheTierStats[];
}

export interface CacheStats {
  readonly layers: { readonly embeddings: CacheLayerStats; readonly search: CacheLayerStats; readonly answers: CacheLayerStats };
  readonly collection: string;
  /** The collection's version; '' when it does not exist yet. */
  readonly version: string;
}

export interface DocumentInfo<M = Metadata> {
  readonly id: string;
  readonly uri: string;
  readonly hash: string;
  readonly chunks: number;
  readonly metadata: M;
  readonly updatedAt: string;
}

export interface DocumentPage<M = Metadata> {
  readonly documents: readonly DocumentInfo<M>[];
  readonly nextCursor?: string | undefined;
}

export interface DocumentText<M = Metadata> {
  readonly id: string;
  readonly uri: string;
  readonly text: string;
  /** First and last line of `text`, from 1, inclusive. */
  readonly lines: readonly [number, number];
  readonly metadata: M;
  /** Where the document goes on; absent at its end. */
  readonly nextLine?: number | undefined;
  /** True when the line was longer than `maxChars` and its end is left out. */
  readonly cut?: true | undefined;
}

// ── The engine, as SDK, server and command line use it ──────────────────────────────────────────────────────────

/** What `ingest` takes: a path, folder or glob; one of these with metadata; or a text. */
export type IngestSource<M = Metadata> =
  | string
  | { readonly uri: string; readonly metadata?: Partial<M> | undefined }
  | { readonly id?: string | undefined; readonly text: string; readonly metadata?: Partial<M> | undefined };

export interface RequestOptions extends CallOptions {
  /** Over the collection that the engine was opened with. */
  readonly collection?: string | undefined;
}

export interface IngestOptions<M = Metadata> extends RequestOptions {
  /** For every document of this call; a document's own goes over it. */
  readonly metadata?: Partial<M> | undefined;
  /** Remove documents that an earlier call ingested from the same folders and globs and that are gone. @default false */
  readonly prune?: boolean | undefined;
  readonly onProgress?: ((event: IngestProgress) => void) | undefined;
  /** Folders that sources must lie in; an empty list allows none. @default those of the configuration, else anywhere */
  readonly roots?: readonly string[] | undefined;
}

export interface SearchOptions<F = FilterJson> extends RequestOptions {
  readonly filter?: F | undefined;
  /** 1 to 100. @default 5 */
  readonly topK?: number | undefined;
  /** @default 'hybrid' */
  readonly mode?: SearchMode | undefined;
  /** Node groups to search; several are searched side by side and fused. @default all */
  readonly groups?: readonly string[] | undefined;
  /** Show the chunks of this group that what was found lies in: match what is small, read what is large. @default what was found */
  readonly returns?: string | undefined;
  /** Reorder the best hits with the configured reranker. @default true where there is one */
  readonly rerank?: boolean | undefined;
  /** Run the search uncached and tell its stages. @default false */
  readonly explain?: boolean | undefined;
}

export interface GenerateOptions<F = FilterJson> extends Omit<SearchOptions<F>, 'explain'> {
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  /** Turns under one name see the ones before. */
  readonly session?: string | undefined;
  /** What the engine makes of the question before the search; costs it one more call. @default 'off' */
  readonly rewrite?: Rewrite | undefined;
}

/**
 * `off`: the question is searched for as it is · `standalone`: with earlier turns of the session, as a question that is understood without
 * them · `multi`: also in three other wordings, all searched for at once.
 */
export type Rewrite = 'off' | 'standalone' | 'multi';

/** The whole system. Every method takes `signal`; one caller's abort never ends work that others wait for. */
export interface Rag<M = Metadata, F = FilterJson> {
  readonly collection: string;
  ingest(sources: IngestSource<M> | readonly IngestSource<M>[], options?: IngestOptions<M>): Promise<IngestReport>;
  /**
   * Ingests, and again after every change of the files, until the loop is left: a report at the start and after each burst of changes.
   * What vanishes from its folders and globs is removed, unless `prune` is false.
   */
  watch(sources: IngestSource<M> | readonly IngestSource<M>[], options?: IngestOptions<M>): AsyncIterable<IngestReport>;
  search(query: string | readonly string[], options?: SearchOptions<F>): Promise<SearchResult<M>>;
  generate(question: string, options?: GenerateOptions<F>): Promise<Answer>;
  /** The same as `generate`, watched. Leaving the loop aborts. */
  stream(question: string, options?: GenerateOptions<F>): AsyncIterable<AnswerEvent<M>>;
  readonly documents: {
    /** By ascending id; `limit` 1 to 1000, default 100. */
    list(
      options?: RequestOptions & { filter?: F | undefined; limit?: number | undefined; cursor?: string | undefined },
    ): Promise<DocumentPage<M>>;
    /** `around`: a hit's id, to read the text about it. `lines`: 'a-b'. @throws NOT_FOUND */
    read(
      id: string,
      options?: RequestOptions & { around?: string | undefined; lines?: string | undefined; maxChars?: number | undefined },
    ): Promise<DocumentText<M>>;
    delete(
      selection: RequestOptions & { ids?: readonly string[] | undefined; filter?: F | undefined; all?: boolean | undefined },
      options?: RequestOptions,
    ): Promise<{ readonly removed: number }>;
  };
  readonly collections: {
    list(
      options?: CallOptions,
    ): Promise<
      readonly { readonly name: string; readonly documents: number; readonly chunks: number; readonly embedder: string }[]
    >;
    drop(name: string, options?: CallOptions): Promise<void>;
  };
  cacheStats(options?: RequestOptions): Promise<CacheStats>;
  /** Opens the engine and loads its model, so that the first question doesn't wait for that. @throws as `generate`: NO_ENGINE … */
  warm(options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}
