import type { Chunk, Chunker, Collection, DocumentRow, Field, LoadedDocument, Loader, Metadata, Source } from './contracts.js';
import { keepCostlyCuts, recipesOf } from './costly.js';
import { cutDocument } from './cut.js';
import { RagError } from './errors.js';
import { toArray } from './flow.js';
import type { IngestItem } from './ingest.js';
import { convertMetadata } from './metadata.js';

export interface PrepareParts {
  readonly loaders: readonly Loader[];
  /** Node groups by name. */
  readonly groups: Readonly<Record<string, Chunker>>;
  readonly fields: readonly Field[];
  /** Hex digest of texts and bytes, each part delimited from the next. */
  readonly hash: (parts: readonly (string | Uint8Array)[]) => Promise<string>;
  readonly now: () => Date;
}

/** A document that was read, and what the collection knows of it. */
export interface Read {
  readonly item: IngestItem;
  readonly source: Source;
  readonly loader: Loader | undefined;
  readonly hash: string;
  readonly known: DocumentRow | undefined;
}

/** A document that only its vectors are missing of. */
export interface Prepared {
  readonly row: DocumentRow;
  readonly chunks: readonly Chunk[];
  readonly known: DocumentRow | undefined;
}

/**
 * Chooses the loader and hashes all that decides what is stored, so that an equal hash means nothing to do.
 * @throws RagError UNSUPPORTED when no loader takes it
 */
export async function identify(
  parts: PrepareParts,
  item: IngestItem,
  source: Source,
  known: DocumentRow | undefined,
): Promise<Read> {
  const loader = item.text === undefined ? loaderOf(parts.loaders, source) : undefined; // raw text needs none
  return { item, source, loader, hash: await hashOf(parts, item, source, loader), known };
}

/** The text of a document. @throws what its loader throws */
export async function load({ item, source, loader }: Read, signal: AbortSignal | undefined): Promise<LoadedDocument> {
  if (loader !== undefined) return loader.load(source, { signal });
  const text = (item.text ?? '').replace(/\r\n?/g, '\n');
  return { text, format: 'text', metadata: {}, warnings: text.trim() === '' ? ['is empty: nothing to search in it'] : [] };
}

/**
 * Cuts a document; `warn` is told of what is odd about it.
 * @throws what its chunkers throw · RagError INPUT_INVALID for metadata that can't be taken
 */
export async function prepare(
  parts: PrepareParts,
  collection: Collection,
  { item, loader, hash, known }: Read,
  loaded: LoadedDocument,
  warn: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const own = convertMetadata(loaded.metadata, parts.fields.length === 0 ? undefined : parts.fields);
  const metadata: Metadata = { ...own.metadata, ...item.metadata };
  const recipes = await recipesOf(parts, loaded, loader);
  const groups = await keepCostlyCuts(parts.groups, recipes, known, collection, signal);
  const chunks = await cutDocument(loaded, { id: item.id, uri: item.uri, hash, metadata }, groups, signal);
  for (const message of [...loaded.warnings, ...own.warnings]) warn(message);
  for (const group of emptyGroups(loaded, groups, chunks))
    warn(`its chunker made nothing of it for the group "${group}": it is not found there`);
  if (known !== undefined && isForeign(known.origin, item.origin))
    warn(`took the place of the document of the same id from ${known.origin}`);
  const { id, uri } = item;
  const row = {
    id,
    uri,
    hash,
    metadata,
    origin: originOf(known, item),
    loader: loader?.id ?? 'text',
    length: loaded.text.length,
    chunks: chunks.length,
    ...(Object.keys(recipes).length > 0 ? { recipes } : {}),
    updatedAt: parts.now().toISOString(),
  };
  return { row, chunks, known };
}

/** A document that stays as it is but for where it comes from, or undefined when that is the same too: `prune` goes by it. */
export async function prepareMove(
  collection: Collection,
  item: IngestItem,
  known: DocumentRow,
  signal: AbortSignal | undefined,
): Promise<Prepared | undefined> {
  const origin = originOf(known, item);
  if (origin === known.origin) return undefined;
  const chunks = await toArray(collection.scan({ documentIds: [known.id] }, { signal }));
  return { row: { ...known, origin }, chunks, known };
}

/** The source of this call, unless that lies in the one of before: to ingest one file of a folder anew doesn't take it out of the folder. */
function originOf(known: DocumentRow | undefined, { origin }: IngestItem): string {
  return known !== undefined && liesIn(origin, known.origin) ? known.origin : origin;
}

/** Whether a document of the same id came from another place: two folders that share a collection overwrite each other's. */
function isForeign(earlier: string, now: string): boolean {
  return earlier !== '' && now !== '' && !earlier.startsWith(now) && !now.startsWith(earlier);
}

/** Of absolute paths; whichever separator the system has. */
function liesIn(origin: string, folder: string): boolean {
  return folder !== '' && origin.startsWith(folder) && /^[\\/]/.test(origin.slice(folder.length));
}

function hashOf({ hash, groups }: PrepareParts, item: IngestItem, source: Source, loader: Loader | undefined): Promise<string> {
  const metadata = Object.entries(item.metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  const chunkers = Object.entries(groups).map(([name, { id }]) => [name, id]);
  return hash([JSON.stringify([item.uri, metadata, loader?.id ?? 'text', chunkers]), source.bytes]);
}

function loaderOf(loaders: readonly Loader[], source: Source): Loader {
  const head = source.bytes.subarray(0, 4096);
  const loader = loaders.find((candidate) => candidate.accepts(source.uri, head));
  if (loader === undefined) throw new RagError('UNSUPPORTED', `${source.uri}: no loader reads this kind of file`);
  return loader;
}

/** Groups that have nothing of a document that isn't empty. */
function emptyGroups({ text }: LoadedDocument, groups: PrepareParts['groups'], chunks: readonly Chunk[]): readonly string[] {
  if (text.trim() === '') return [];
  const filled = new Set(chunks.map(({ group }) => group));
  return Object.keys(groups).filter((name) => !filled.has(name));
}
