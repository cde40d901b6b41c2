import type { Match } from './contracts.js';
import { compareText } from './ids.js';

/** How many of each side's best enter the fusion; also the rank whose score becomes 0. */
export const FUSION_DEPTH = 100;

/**
 * Joins keyword and vector matches into one list: `(1-w)·norm(bm25) + w·norm(cosine)`.
 *
 * `norm` is min–max within the query against its 100th best score; what is below, or absent, counts 0. With fewer than 100
 * matches the floor is 0, or the lowest score if that is negative. Against the equal-weight reciprocal rank fusion that is
 * common elsewhere it gained .01 to .06 nDCG@10 with a small embedder (docs/search.md has the table).
 * Best first, ties by ascending id.
 */
export function fuseWeighted(keyword: readonly Match[], vector: readonly Match[], vectorWeight: number): readonly Match[] {
  const fused = new Map<string, Match>();
  add(fused, keyword, 1 - vectorWeight);
  add(fused, vector, vectorWeight);
  return sortMatches([...fused.values()]);
}

/** Joins the results of several queries: the mean of their normalised scores. */
export function fuseQueries(lists: readonly (readonly Match[])[]): readonly Match[] {
  const only = lists[0];
  if (lists.length === 1 && only !== undefined) return only;
  const fused = new Map<string, Match>();
  for (const list of lists) add(fused, list, 1 / lists.length);
  return sortMatches([...fused.values()]);
}

/** Best first, ties by ascending id; sorts in place. */
export function sortMatches(matches: Match[]): readonly Match[] {
  return matches.sort((left, right) => right.score - left.score || compareText(left.id, right.id));
}

function add(fused: Map<string, Match>, matches: readonly Match[], weight: number): void {
  if (weight === 0) return;
  const best = matches[0]?.score ?? 0;
  const last = matches[Math.min(matches.length, FUSION_DEPTH) - 1]?.score ?? 0;
  const floor = matches.length >= FUSION_DEPTH ? last : Math.min(0, last);
  const range = best - floor;
  for (const match of matches) {
    const normal = range > 0 ? Math.max(0, (match.score - floor) / range) : 1;
    const known = fused.get(match.id);
    fused.set(match.id, {
      id: match.id,
      score: (known?.score ?? 0) + weight * normal,
      chunk: known?.chunk ?? match.chunk,
    });
  }
}
