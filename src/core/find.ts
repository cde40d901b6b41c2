import type { Chunk, Collection, Embedder, Match, Matches, Plan } from './contracts.js';
import { matches as filterMatches } from './filter.js';
import { FUSION_DEPTH, fuseQueries, fuseWeighted } from './fuse.js';
import { understands } from './scripts.js';
import type { Stages } from './stages.js';
import type { SearchMode } from './types.js';
import { isZeroVector } from './values.js';

export interface FindParts {
  readonly embedder: Embedder;
  readonly embedQueries: (queries: readonly string[], signal: AbortSignal | undefined) => Promise<readonly Float32Array[]>;
}

export interface FindRequest {
  readonly queries: readonly string[];
  readonly mode: SearchMode;
  /** Each is searched by itself and the results are joined; undefined: all as one. */
  readonly groups: readonly string[] | undefined;
  readonly plan: Plan | undefined;
  /** How many matches are wanted. */
  readonly depth: number;
}

/**
 * The best chunks for a request: vectors and keywords side by side for every query and group, fused. At least `depth` matches where there
 * are as many; each group's scores count from its own best, since short and long chunks don't score alike.
 */
export async function findMatches(
  parts: FindParts,
  collection: Collection,
  { queries, mode, groups, plan, depth }: FindRequest,
  stages: Stages,
  signal: AbortSignal | undefined,
): Promise<Matches> {
  const limit = mode === 'hybrid' ? Math.max(FUSION_DEPTH, depth) : depth;
  const { scripts, hybridWeight = 0.4 } = parts.embedder;
  const embeddable = queries.map((query) => mode !== 'keyword' && understands(scripts, query));
  const options = { signal };

  const embedded = queries.filter((_, position) => embeddable[position]);
  const vectors = embedded.length === 0 ? [] : await stages.time('embed', () => parts.embedQueries(embedded, signal));
  let next = 0;
  const asked = queries.flatMap((text, position) => {
    const vector = embeddable[position] ? vectors[next++] : undefined;
    return groupsApart(groups).map((own) => ({ text, vector, groups: own }));
  });
  const indexes = new Set<string>();
  const lists = await Promise.all(
    asked.map(async ({ text, vector, groups }) => {
      const [nearest, keywords] = await Promise.all([
        vector === undefined || isZeroVector(vector)
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

function groupsApart(groups: readonly string[] | undefined): readonly (readonly string[] | undefined)[] {
  return groups === undefined ? [undefined] : groups.map((group) => [group]);
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
export async function chunksOf(
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
