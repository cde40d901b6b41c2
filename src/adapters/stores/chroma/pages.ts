import type { Collection as ChromaCollection, GetResult, Where } from 'chromadb';
import { batches } from '../../../core/flow.js';

/** Rows of one answer: JSON of a few MB at most, which is read without holding the event loop for long. */
const PAGE = 500;

export interface PagesQuery {
  /** Undefined: all rows. */
  readonly where: Where | undefined;
  readonly include: readonly ('uris' | 'embeddings' | 'metadatas')[];
}

/**
 * All rows that a condition allows, in pages. Not by offset: rows that others remove meanwhile would shift the following ones, and
 * some would never be seen. What does not fit into the first page is listed by id, then fetched by id.
 */
export async function* readPages(
  collection: ChromaCollection,
  { where, include }: PagesQuery,
  call: (request: () => Promise<GetResult>) => Promise<GetResult>,
): AsyncIterable<GetResult> {
  const condition = where === undefined ? {} : { where };
  const first = await call(() => collection.get({ ...condition, include: [...include], limit: PAGE }));
  yield first;
  if (first.ids.length < PAGE) return;
  const all = await call(() => collection.get({ ...condition, include: [] }));
  const seen = new Set(first.ids);
  const rest = all.ids.filter((id) => !seen.has(id));
  for (const ids of batches(rest, PAGE)) yield await call(() => collection.get({ ids: [...ids], include: [...include] }));
}
