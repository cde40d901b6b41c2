import type { Collection } from './contracts.js';
import { deepFreeze } from './freeze.js';
import type { Memo } from './memo.js';
import type { Opened } from './opened.js';
import { checkOptions, checkSearch, type RequestRules } from './requests.js';
import { type RetrieveParts, type RetrieveRequest, retrieve } from './retrieve.js';
import type { SearchOptions, SearchResult } from './types.js';
import type { Versions } from './versions.js';

export interface SearchingParts {
  readonly opened: Opened;
  readonly versions: Versions;
  readonly rules: RequestRules;
  readonly retrieve: RetrieveParts;
  /** undefined: searches are not cached. */
  readonly memo: Memo<SearchResult['hits']> | undefined;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

/** Searches behind their cache. */
export function createSearching({ opened, versions, rules, retrieve: parts, memo, clock }: SearchingParts) {
  return async function search(query: unknown, options: SearchOptions = {}): Promise<SearchResult> {
    const startedAt = clock();
    const { signal } = options;
    signal?.throwIfAborted();
    checkOptions('search', options);
    const request = checkSearch(query, options, rules);
    return opened.with(options.collection, async (collection) => {
      if (options.explain === true || memo === undefined) {
        const { hits, explain } = await retrieve(parts, collection, request, signal);
        const result = { hits, tookMs: clock() - startedAt, cached: false };
        return options.explain === true ? { ...result, explain } : result;
      }
      const work = async (flight: AbortSignal) => deepFreeze((await retrieve(parts, collection, request, flight)).hits);
      const { hits, cached } = await throughCache(memo, versions, collection, request, work, signal);
      return { hits, tookMs: clock() - startedAt, cached };
    });
  };
}

/**
 * A result is kept under a version that was read before its search began: it may be newer than its key, never older, and versions don't
 * come back, so no entry can be stale.
 */
async function throughCache(
  memo: Memo<SearchResult['hits']>,
  versions: Versions,
  collection: Collection,
  request: RetrieveRequest,
  work: (flight: AbortSignal) => Promise<SearchResult['hits']>,
  signal: AbortSignal | undefined,
): Promise<Pick<SearchResult, 'hits' | 'cached'>> {
  const seen = versions.seen(collection);
  const guess = seen === undefined ? undefined : searchKey(collection, seen, request);
  const isNew = guess !== undefined && !memo.has(guess);
  if (isNew && !memo.isShared) {
    versions.read(collection).catch(() => {}); // for the next search; what is wrong with the store, this one will tell
    return { hits: (await memo.compute(guess, work, { signal })).value, cached: false };
  }
  // What a shared cache holds under an old version would be stale, so that waits for the version; looking needn't.
  const early = isNew ? memo.fetch(guess) : undefined;
  const key = searchKey(collection, await versions.read(collection, { signal }), request);
  const kept = early !== undefined && key === guess ? await early : (memo.peek(key) ?? (await memo.fetch(key, { signal })));
  if (kept !== undefined) return { hits: kept, cached: true };
  const { value, joined } = await memo.compute(key, work, { signal });
  return { hits: value, cached: joined };
}

/** Under what a search is kept: the collection as it is at this version, and everything asked of it. */
export function searchKey({ space }: Collection, version: string, request: RetrieveRequest): string {
  return JSON.stringify([space.uuid, version, request]);
}
