import type { Chunker, Collection, DocumentRow, LoadedDocument, Loader } from './contracts.js';
import { toArray } from './flow.js';

export interface RecipeParts {
  readonly groups: Readonly<Record<string, Chunker>>;
  readonly hash: (parts: readonly (string | Uint8Array)[]) => Promise<string>;
}

/** For each costly group, what its cuts of this document are made from: an equal recipe makes equal cuts. */
export async function recipesOf(
  { groups, hash }: RecipeParts,
  { text }: LoadedDocument,
  loader: Loader | undefined,
): Promise<Readonly<Record<string, string>>> {
  const costly = Object.entries(groups).filter(([, chunker]) => chunker.costly === true);
  return Object.fromEntries(
    await Promise.all(costly.map(async ([name, { id }]) => [name, await hash([loader?.id ?? 'text', id, text])] as const)),
  );
}

/**
 * The groups, with those costly ones whose recipe is as it was replaced by the cuts that the collection holds of them: new metadata, or
 * another group beside them, costs no model call.
 */
export async function keepCostlyCuts(
  groups: Readonly<Record<string, Chunker>>,
  recipes: Readonly<Record<string, string>>,
  known: DocumentRow | undefined,
  collection: Collection,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, Chunker>>> {
  const kept = Object.keys(recipes).filter((name) => known?.recipes?.[name] === recipes[name]);
  if (known === undefined || kept.length === 0) return groups;
  const entries = await toArray(collection.scan({ documentIds: [known.id], groups: kept }, { signal }));
  const cuts = (name: string) =>
    entries.flatMap(({ group, text, span, location: { headings } }) => (group === name ? [{ text, span, headings }] : []));
  return Object.fromEntries(
    Object.entries(groups).map(([name, chunker]) => [
      name,
      kept.includes(name) ? { ...chunker, chunk: () => cuts(name) } : chunker,
    ]),
  );
}
