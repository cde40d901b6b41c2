import type { Chunk, Collection, Embedder, Filter, Match, Matches, Plan, Reranker } from './contracts.js';
import { matches as filterMatches, filterToJson } from './filter.js';
import { FUSION_DEPTH, fuseQueries, fuseWeighted, sortMatches } from './fuse.js';
import { understands } from './scripts.js';
import type { ExplainStage, Explanation, Hit, SearchMode } from './types.js';

/** How many of the best hits a reranker reads. */
const RERANK_DEPTH = 30;
/** How often a search starts over when the documents it found are replaced while it reads them. */
const MOST_ROUNDS = 5;

export interface RetrieveParts {
  readonly embedder: Embedder;
  readonly embedQueries: (queries: readonly string[], signal: AbortSignal | undefined) => Promise<readonly Float32Array[]>;
  readonly reranker: Reranker | undefined;
  readonly clock: () => number;
}

/** A checked request: core/requests.ts makes it. */
export interface RetrieveRequest {
  readonly queries: readonly string[];
  readonly filter: Filter | undefined;
  readonly topK: number;
  readonly mode: SearchMode;
  readonly groups: readonly string[] | undefined;
  readonly rerank: boolean;
}

export interface Retrieved {
  readonly hits: readonly Hit[];
  readonly explain: Explanation;
}

/**
 * One search, uncached: embed, match vectors and keywords side by side, fuse, fetch the text of the best, rerank.
 * Deterministic: the same collection and request give the same hits in the same order.
 */
export async function retrieve(
  parts: RetrieveParts,
  collection: Collection,
  request: RetrieveRequest,
  signal: AbortSignal | undefined,
): Promise<Retrieved> {
  for (let round = 1; ; round++) {
    const stages = createStages(parts.clock);
    const plan = request.filter === undefined ? undefined : collection.plan(request.filter);
    const { matches, index } = await findMatches(parts, collection, request, plan, stages, signal);
    const depth = depthOf(request);
    const hits = await stages.time('fetch', () => fetchHits(collection, matches.slice(0, depth), signal));
    // A chunk that is gone was replaced since it was found; what took its place was not looked at.
    if (hits.length < Math.min(depth, matches.length) && round < MOST_ROUNDS) continue;
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

/** How many hits are looked at: those shown, and all that a reranker is to read. */
function depthOf({ rerank, topK }: RetrieveRequest): number {
  return rerank ? Math.max(RERANK_DEPTH, topK) : topK;
}

async function findMatches(
  parts: RetrieveParts,
  collection: Collection,
  request: RetrieveRequest,
  plan: Plan | undefined,
  stages: Stages,
  signal: AbortSignal | undefined,
): Promise<Matches> {
  const { mode, groups } = request;
  const limit = mode === 'hybrid' ? Math.max(FUSION_DEPTH, depthOf(request)) : depthOf(request);
  const { scripts, hybridWeight = 0.4 } = parts.embedder;
  const embeddable = request.queries.map((query) => mode !== 'keyword' && understands(scripts, query));
  const options = { signal };

  const embedded = request.queries.filter((_, position) => embeddable[position]);
  const vectors = embedded.length === 0 ? [] : await stages.time('embed', () => parts.embedQueries(embedded, signal));
  let next = 0;
  const indexes = new Set<string>();
  const lists = await Promise.all(
    request.queries.map(async (text, position) => {
      const vector = embeddable[position] ? vectors[next++] : undefined;
      const [nearest, keywords] = await Promise.all([
        vector === undefined || !hasDirection(vector)
          ? undefined
          : stages.time('vector', () =>
              findAllowed(collection, plan, limit, signal, (count) =>
                collection.nearest({ vector, limit: count, groups, plan }, options),
              ),
            ),
        mode === 'vector'
          ? undefined
          : stages.time('keyword', () =>
              findAllowed(collection, plan, limit, signal, (count) =>
                collection.keywords({ text, limit: count, groups, plan }, options),
              ),
            ),
      ]);
      for (const found of [nearest, keywords]) if (found !== undefined) indexes.add(found.index);
      if (mode !== 'hybrid') return (nearest ?? keywords)?.matches ?? [];
      return fuseWeighted(keywords?.matches ?? [], nearest?.matches ?? [], nearest === undefined ? 0 : hybridWeight);
    }),
  );
  return { matches: fuseQueries(lists), index: [...indexes].join(' + ') || 'none' };
}

/** The best `limit` matches that the plan's residual allows, over-fetching until there are enough or no more. */
async function findAllowed(
  collection: Collection,
  plan: Plan | undefined,
  limit: number,
  signal: AbortSignal | undefined,
  find: (limit: number) => Promise<Matches>,
): Promise<Matches> {
  const residual = plan?.residual;
  if (residual === undefined) return find(limit);
  const verdicts = new Map<string, boolean>();
  for (let count = limit * 2; ; count *= 4) {
    const found = await find(count);
    const unknown = found.matches.filter(({ id }) => !verdicts.has(id));
    const chunks = await chunksOf(collection, unknown, signal);
    unknown.forEach(({ id }, index) => {
      const chunk = chunks[index];
      verdicts.set(id, chunk !== undefined && filterMatches(residual, chunk));
    });
    const allowed = found.matches.filter(({ id }) => verdicts.get(id));
    if (allowed.length >= limit || found.matches.length < count) return { matches: allowed.slice(0, limit), index: found.index };
  }
}

/** The chunks of matches: those that came along, and the others in one request. */
async function chunksOf(
  collection: Collection,
  matches: readonly Match[],
  signal: AbortSignal | undefined,
): Promise<readonly (Chunk | undefined)[]> {
  const absent = matches.filter(({ chunk }) => chunk === undefined).map(({ id }) => id);
  if (absent.length === 0) return matches.map(({ chunk }) => chunk);
  const fetched = await collection.get(absent, { signal });
  let next = 0;
  return matches.map(({ chunk }) => chunk ?? fetched[next++]);
}

async function fetchHits(
  collection: Collection,
  matches: readonly Match[],
  signal: AbortSignal | undefined,
): Promise<readonly Hit[]> {
  const chunks = await chunksOf(collection, matches, signal);
  return matches.flatMap(({ score }, index) => {
    const chunk = chunks[index];
    return chunk === undefined ? [] : [hitOf(chunk, score)];
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

function hitOf(chunk: Chunk, score: number): Hit {
  const { id, documentId, uri, text, group, span, location, metadata } = chunk;
  return { id, documentId, uri, text, score, group, span, location, metadata };
}

/** False for the zero vector: a text without a known word is near to nothing. */
function hasDirection(vector: Float32Array): boolean {
  return vector.some((component) => component !== 0);
}

interface Stages {
  readonly list: readonly ExplainStage[];
  time<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
}

/** Times named stages; those that run side by side overlap. */
function createStages(clock: () => number): Stages {
  const list: ExplainStage[] = [];
  return {
    list,
    async time(name, work) {
      const startedAt = clock();
      const value = await work();
      list.push({ name, ms: clock() - startedAt, detail: detailOf(value) });
      return value;
    },
  };
}

function detailOf(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} items`;
  if (typeof value === 'object' && value !== null && 'matches' in value && 'index' in value && Array.isArray(value.matches)) {
    return `${value.matches.length} matches by ${String(value.index)}`;
  }
  return '';
}
