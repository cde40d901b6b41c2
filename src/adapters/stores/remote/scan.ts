import type { CallOptions, Chunk, Entry, ScanQuery } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import type { DocumentChunks, StoredChunk } from './contract.js';
import type { MirrorEntry } from './mirror.js';
import { readSettled, type SettledParts } from './settled.js';

/** What one trip to the server brings at most, a document's own chunks aside: a few MB with vectors. */
const PAGE_CHUNKS = 1000;
const PAGE_DOCUMENTS = 200;

/** Live chunks with their vectors, by ascending document id, then group, then position; a page of documents in memory at a time. */
export async function* scanChunks(
  parts: SettledParts,
  { documentIds, groups }: ScanQuery,
  options: CallOptions,
): AsyncIterable<Entry> {
  const { mirror } = parts;
  const ids = documentIds === undefined ? mirror.ids() : [...new Set(documentIds)].sort(compareText);
  const known = ids.flatMap((id) => mirror.get(id) ?? []);
  for (const page of pagesOf(known)) {
    yield* await chunksOfDocuments<Entry>(parts, { documentIds: page.map(({ id }) => id), groups, vectors: true }, options);
  }
}

/** The live chunks of these documents, each in one state, in the order of `scan`. With `vectors` they are entries. */
export async function chunksOfDocuments<Kind extends Chunk>(
  parts: SettledParts,
  query: DocumentChunks,
  options: CallOptions,
): Promise<readonly Kind[]> {
  const { mirror, tables } = parts;
  const isLive = ({ chunk, stamp }: StoredChunk) => mirror.isLive(chunk.documentId, stamp);
  const read = async () => {
    const rows: (StoredChunk & { readonly vector?: Float32Array })[] = [];
    for await (const row of tables.chunksOf(query, options)) rows.push(row);
    return rows;
  };
  const found = await readSettled(
    parts,
    { read, documentsOf: () => query.documentIds, isLive: (rows) => rows.every(isLive) },
    options,
  );
  const live = found.filter(isLive).map(({ chunk, vector }) => (vector === undefined ? chunk : { ...chunk, vector }));
  // The contract of `chunksOf` gives every row a vector when it is asked for them, so that Kind is Entry then.
  return live.sort(byPlace) as unknown as readonly Kind[];
}

/** Runs of documents whose chunks are read together. */
export function* pagesOf(documents: readonly MirrorEntry[]): Iterable<readonly MirrorEntry[]> {
  let page: MirrorEntry[] = [];
  let chunks = 0;
  for (const document of documents) {
    if (page.length > 0 && (page.length === PAGE_DOCUMENTS || chunks + document.chunks > PAGE_CHUNKS)) {
      yield page;
      page = [];
      chunks = 0;
    }
    page.push(document);
    chunks += document.chunks;
  }
  if (page.length > 0) yield page;
}

function byPlace(left: Chunk, right: Chunk): number {
  return compareText(left.documentId, right.documentId) || compareText(left.group, right.group) || left.position - right.position;
}
