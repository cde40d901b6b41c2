import type { CallOptions, Matches, VectorQuery } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import type { RemoteHit, RemoteMatches } from './contract.js';
import { readSettled, type SettledParts } from './settled.js';

/** Rows asked for beyond the limit: one, to tell whether the last hit ties with what follows. Each more costs every search of Chroma 1 %. */
const SPARE = 1;
/** Ties beyond this many rows are cut where the server cuts them. */
const MOST_FOR_TIES = 4096;

/**
 * The nearest live chunks, in an order of their own: by score, ties by ascending id. Asks for more rows until the limit is filled
 * and the tie at its end, if there is one, is whole.
 */
export async function findNearest(parts: SettledParts, query: VectorQuery, options: CallOptions): Promise<Matches> {
  if (query.limit === 0) return { matches: [], index: 'none' };
  const { mirror, tables } = parts;
  const { vector, groups, plan, limit } = query;
  const isLive = ({ chunk, stamp }: RemoteHit) => mirror.isLive(chunk.documentId, stamp);
  for (let asked = Math.min(limit + SPARE, tables.mostHits); ; asked = Math.min(asked * 4, tables.mostHits)) {
    const { live, hits, more, index } = await readSettled(
      parts,
      {
        read: () => tables.nearest({ vector, limit: asked, groups, native: plan?.native }, options),
        documentsOf: ({ hits }) => hits.map(({ chunk }) => chunk.documentId),
        isLive: ({ hits }) => hits.every(isLive),
        pick: (found: RemoteMatches) => ({ ...found, live: found.hits.filter(isLive).sort(byScore) }),
      },
      options,
    );
    const exhausted = !more || asked >= tables.mostHits;
    if (exhausted || isWhole(live, hits, limit) || (live.length >= limit && asked > MOST_FOR_TIES)) {
      return { matches: live.slice(0, limit).map(({ chunk, score }) => ({ id: chunk.id, score, chunk })), index };
    }
  }
}

function byScore(left: RemoteHit, right: RemoteHit): number {
  return right.score - left.score || compareText(left.chunk.id, right.chunk.id);
}

/** True when the best `limit` are certain: what the server left out is no better than the worst it gave, and that is worse than all of them. */
function isWhole(live: readonly RemoteHit[], hits: readonly RemoteHit[], limit: number): boolean {
  const last = live[limit - 1];
  const worst = hits.at(-1);
  return last !== undefined && worst !== undefined && worst.score < last.score;
}
