import { DIMENSIONS } from './data.mjs';
import { TOP_K } from './engines.mjs';

/** The rows nearest to a query, exactly, best first: of all, or of those that `allows` lets through. */
export function nearest(query, rows, size, allows = () => true) {
  const best = [];
  for (let row = 0; row < size; row++) {
    if (!allows(row)) continue;
    const score = dot(query, rows, row * DIMENSIONS);
    if (best.length === TOP_K && score <= best[TOP_K - 1].score) continue;
    best.push({ row, score });
    best.sort((left, right) => right.score - left.score);
    best.length = Math.min(best.length, TOP_K);
  }
  return best.map(({ row }) => row);
}

export function dot(query, rows, start) {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let at = 0; at < DIMENSIONS; at += 4) {
    a += query[at] * rows[start + at];
    b += query[at + 1] * rows[start + at + 1];
    c += query[at + 2] * rows[start + at + 2];
    d += query[at + 3] * rows[start + at + 3];
  }
  return a + b + (c + d);
}

/** The share of `truth`, a list of rows a query, that `search` finds. */
export async function recallOf(queries, truth, search) {
  let found = 0;
  let wanted = 0;
  for (const [at, query] of queries.entries()) {
    const hits = new Set(await search(query));
    wanted += truth[at].length;
    for (const row of truth[at]) if (hits.has(row)) found++;
  }
  return found / wanted;
}
