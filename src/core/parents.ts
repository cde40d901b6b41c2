import type { Chunk, Collection } from './contracts.js';
import { sortMatches } from './fuse.js';

/** A chunk that was found, with its score. */
export interface Scored {
  readonly chunk: Chunk;
  readonly score: number;
}

/** How many matches are looked at for each hit that is wanted: several passages of one section lead to the same section. */
export const CHILDREN_A_PARENT = 4;

/**
 * Exchanges chunks for those of another group that they lie in: what is small is found well, what is large is read well.
 *
 * The parent of a chunk is the one of its document and of `group` that shares most characters with it, the first of equals. A parent's score
 * is, for each group that led to it, its best child's, summed: found by two groups is found better. A chunk whose document has nothing in
 * `group` yet stands for itself. Best first, ties by ascending id.
 */
export async function exchangeForParents(
  collection: Collection,
  children: readonly Scored[],
  group: string,
  signal: AbortSignal | undefined,
): Promise<readonly Scored[]> {
  const strangers = children.filter(({ chunk }) => chunk.group !== group);
  const parents = await chunksOf(collection, new Set(strangers.map(({ chunk }) => chunk.documentId)), group, signal);
  const found = new Map<string, { readonly chunk: Chunk; readonly best: Map<string, number> }>();
  for (const { chunk: child, score } of children) {
    const chunk = child.group === group ? child : (parentOf(child, parents.get(child.documentId) ?? []) ?? child);
    const known = found.get(chunk.id) ?? { chunk, best: new Map<string, number>() };
    known.best.set(child.group, Math.max(score, known.best.get(child.group) ?? Number.NEGATIVE_INFINITY));
    found.set(chunk.id, known);
  }
  const scores = [...found].map(([id, { best }]) => ({ id, score: [...best.values()].reduce((sum, score) => sum + score, 0) }));
  return sortMatches(scores).flatMap(({ id, score }) => {
    const known = found.get(id);
    return known === undefined ? [] : [{ chunk: known.chunk, score }];
  });
}

/** The chunks of a group, by document, in the documents' order. */
async function chunksOf(
  collection: Collection,
  documentIds: ReadonlySet<string>,
  group: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly Chunk[]>> {
  const found = new Map<string, Chunk[]>();
  if (documentIds.size === 0) return found;
  const entries = collection.scan({ documentIds: [...documentIds], groups: [group] }, { signal });
  for await (const { vector: _, ...chunk } of entries) {
    const chunks = found.get(chunk.documentId);
    if (chunks === undefined) found.set(chunk.documentId, [chunk]);
    else chunks.push(chunk);
  }
  return found;
}

function parentOf({ hash, span: [start, end] }: Chunk, parents: readonly Chunk[]): Chunk | undefined {
  let best: Chunk | undefined;
  let most = 0;
  for (const parent of parents) {
    const shared = Math.min(end, parent.span[1]) - Math.max(start, parent.span[0]);
    // Of another state of the document: its offsets mean other text.
    if (shared <= most || parent.hash !== hash) continue;
    best = parent;
    most = shared;
  }
  return best;
}
