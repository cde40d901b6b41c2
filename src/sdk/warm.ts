import { isRagError, messageOf, RagError } from '../core/errors.js';
import { batchesOf } from '../core/flow.js';
import type { Answer, FilterJson, GenerateOptions, SearchOptions, SearchResult } from '../core/types.js';

/** Requests under way at once. */
const AT_ONCE = 8;

/** A request as users will make it: the query alone, or with the options that it comes with. */
export type WarmQuery<F = FilterJson> =
  | string
  | ({ readonly query: string } & Pick<SearchOptions<F>, 'filter' | 'topK' | 'mode' | 'groups' | 'returns' | 'rerank'> &
      Pick<GenerateOptions, 'maxTokens' | 'temperature'>);

export interface WarmOptions {
  /** Answer each query too, which costs a run of the engine each. @default false */
  readonly answers?: boolean | undefined;
  /** @default the one that the engine was opened with */
  readonly collection?: string | undefined;
  /** Told after each query. */
  readonly onProgress?: ((event: { readonly done: number; readonly query: string }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of an engine what is used here; `openRag` returns one. */
export interface WarmedRag<F> {
  search(query: string, options?: SearchOptions<F>): Promise<Pick<SearchResult, 'cached'>>;
  generate(question: string, options?: GenerateOptions<F>): Promise<Pick<Answer, 'cached'>>;
}

export interface WarmReport {
  readonly queries: number;
  /** Found in a cache already. */
  readonly cached: number;
  /** Computed, and now kept. */
  readonly computed: number;
  /** By position in the list, from 1. */
  readonly failed: readonly { readonly position: number; readonly code: string; readonly message: string }[];
  readonly tookMs: number;
}

/**
 * Asks what users will ask, before they do, so that embeddings, searches and, on demand, answers are cached. A query that fails is
 * reported and the rest goes on; a store or engine that can't be reached ends it. `rag.close()` waits until all is kept.
 * @throws RagError CONNECTION_FAILED, UNAUTHORIZED, NO_ENGINE and others that would meet every query · the signal's reason
 * @example await warmCaches(rag, ['how long is the line?', { query: 'opening hours', topK: 10, mode: 'keyword' }])
 */
export async function warmCaches<F>(
  rag: WarmedRag<F>,
  queries: Iterable<WarmQuery<F>> | AsyncIterable<WarmQuery<F>>,
  options: WarmOptions = {},
): Promise<WarmReport> {
  const { answers = false, collection, onProgress, signal } = options;
  const startedAt = performance.now();
  const failed: { position: number; code: string; message: string }[] = [];
  let done = 0;
  let cached = 0;

  async function ask(given: WarmQuery<F>, position: number): Promise<void> {
    try {
      const { query, maxTokens, temperature, ...request } = requestOf(given);
      const common = { ...request, collection, signal };
      // The answer searches too, and shares that search; its cache is the one that counts.
      const before = answers
        ? (await rag.generate(query, { ...common, maxTokens, temperature })).cached !== false
        : (await rag.search(query, common)).cached;
      if (before) cached++;
      done++;
      onProgress?.({ done, query });
    } catch (error) {
      if (!isRagError(error) || !OF_ONE_QUERY.has(error.code)) throw error;
      failed.push({ position, code: error.code, message: messageOf(error) });
      done++;
    }
  }

  let position = 0;
  for await (const batch of batchesOf(stream(queries), AT_ONCE)) {
    signal?.throwIfAborted();
    await Promise.all(batch.map((query) => ask(query, ++position)));
  }
  failed.sort((left, right) => left.position - right.position);
  return { queries: done, cached, computed: done - cached - failed.length, failed, tookMs: performance.now() - startedAt };
}

/** What is wrong with one query, and not with the next. */
const OF_ONE_QUERY = new Set(['INPUT_INVALID', 'UNSUPPORTED', 'TIMEOUT', 'UPSTREAM_FAILED']);

function requestOf<F>(given: WarmQuery<F>): Exclude<WarmQuery<F>, string> {
  if (typeof given === 'string') return { query: given };
  if (typeof given === 'object' && given !== null && typeof given.query === 'string') return given;
  throw new RagError('INPUT_INVALID', 'a text or { "query": "…" } is needed');
}

async function* stream<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncIterable<Item> {
  yield* items;
}
