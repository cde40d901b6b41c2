import type { Collection, Filter, Match, Reranker } from './contracts.js';
import { filterToJson } from './filter.js';
import { chunksOf, type FindParts, findMatches } from './find.js';
import { sortMatches } from './fuse.js';
import { CHILDREN_A_PARENT, exchangeForParents, type Scored } from './parents.js';
import { createStages } from './stages.js';
import type { Explanation, Hit, SearchMode } from './types.js';

/** How many of the best hits a reranker reads. */
const RERANK_DEPTH = 30;
/** How often a search starts over when the documents it found are replaced while it reads them. */
const MOST_ROUNDS = 5;

export interface RetrieveParts extends FindParts {
  readonly reranker: Reranker | undefined;
  readonly clock: () => number;
}

/** A checked request: core/requests.ts makes it. */
export interface RetrieveRequest {
  readonly queries: readonly string[];
  readonly filter: Filter | undefined;
  readonly topK: number;
  readonly mode: SearchMode;
  /** Groups to search; undefined: all, as one. */
  readonly groups: readonly string[] | undefined;
  /** The group whose chunks are shown in place of those that were found. */
  readonly returns: string | undefined;
  readonly rerank: boolean;
}

export interface Retrieved {
  readonly hits: readonly Hit[];
  readonly explain: Explanation;
}

/**
 * One search, uncached: embed, match vectors and keywords side by side, fuse, fetch the text of the best, exchange them for their parents,
 * rerank. Deterministic: the same collection and request give the same hits in the same order.
 */
export async function retrieve(
  parts: RetrieveParts,
  collection: Collection,
  request: RetrieveRequest,
  signal: AbortSignal | undefined,
): Promise<Retrieved> {
  const { queries, mode, groups, returns } = request;
  const shown = request.rerank ? Math.max(RERANK_DEPTH, request.topK) : request.topK;
  const depth = returns === undefined ? shown : shown * CHILDREN_A_PARENT;
  for (let round = 1; ; round++) {
    const stages = createStages(parts.clock);
    const plan = request.filter === undefined ? undefined : collection.plan(request.filter);
    const { matches, index } = await findMatches(parts, collection, { queries, mode, groups, plan, depth }, stages, signal);
    const wanted = matches.slice(0, depth);
    let found = await stages.time('fetch', () => fetchChunks(collection, wanted, signal));
    // A chunk that is gone was replaced since it was found; what took its place was not looked at.
    if (found.length < wanted.length && round < MOST_ROUNDS) continue;
    if (returns !== undefined) {
      found = await stages.time('parents', () => exchangeForParents(collection, found, returns, signal));
    }
    const hits = found.slice(0, shown).map(hitOf);
    return {
      hits: request.rerank ? await stages.time('rerank', () => rerank(parts, request, hits, signal)) : hits,
      explain: {
        stages: stages.list,
        index,
        pushedDown: plan?.pushed === undefined ? null : filterToJson(plan.pushed),
        residual: plan?.residual === undefined ? null : filterToJson(plan.residual),
      },
    };
  }
}

async function fetchChunks(
  collection: Collection,
  matches: readonly Match[],
  signal: AbortSignal | undefined,
): Promise<readonly Scored[]> {
  const chunks = await chunksOf(collection, matches, signal);
  return matches.flatMap(({ score }, index) => {
    const chunk = chunks[index];
    return chunk === undefined ? [] : [{ chunk, score }];
  });
}

async function rerank(
  { reranker }: RetrieveParts,
  request: RetrieveRequest,
  hits: readonly Hit[],
  signal: AbortSignal | undefined,
): Promise<readonly Hit[]> {
  if (reranker === undefined || hits.length === 0) return hits.slice(0, request.topK);
  const scores = await reranker.rerank(
    request.queries.join('\n'),
    hits.map(({ text }) => text),
    { signal },
  );
  const byId = new Map(hits.map((hit) => [hit.id, hit]));
  const order = sortMatches(hits.map(({ id }, index) => ({ id, score: scores[index] ?? Number.NEGATIVE_INFINITY })));
  return order.slice(0, request.topK).flatMap(({ id, score }) => {
    const hit = byId.get(id);
    return hit === undefined ? [] : [{ ...hit, score }];
  });
}

function hitOf({ chunk, score }: Scored): Hit {
  const { id, documentId, uri, text, group, span, location, metadata } = chunk;
  return { id, documentId, uri, text, score, group, span, location, metadata };
}
