import type { CallOptions, Chunk, Entry, ScanQuery } from '../../../core/contracts.js';
import { toArray } from '../../../core/flow.js';
import { compareText } from '../../../core/ids.js';
import type { DocumentChunks, StoredChunk } from './contract.js';
import type { MirrorEntry } from './mirror.js';
import { readSettled, type SettledParts } from './settled.js';
import { sortTexts } from './sort.js';

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
  const ids = documentIds === undefined ? await mirror.ids() : await sortTexts([...new Set(documentIds)]);
  const known = ids.flatMap((id) => mirror.get(id) ?? []);
  for (const page of pagesOf(known)) {
    const documents = page.map(({ id }) => id);
    yield* (await readDocuments<Entry>(parts, { documentIds: documents, groups, vectors: true }, options)).chunks;
  }
}

export interface DocumentsRead<Kind extends Chunk> {
  /** Those of the documents asked for that are in, in the state that the chunks are of. */
  readonly documents: readonly MirrorEntry[];
  readonly chunks: readonly Kind[];
}

/** The live chunks of these documents, each in one state, in the order of `scan`. With `vectors` they are entries. */
export async function readDocuments<Kind extends Chunk>(
  parts: SettledParts,
  query: DocumentChunks,
  options: CallOptions,
): Promise<DocumentsRead<Kind>> {
  const { mirror, tables } = parts;
  const isLive = ({ chunk, stamp }: StoredChunk) => mirror.isLive(chunk.documentId, stamp);
  return readSettled(
    parts,
    {
      read: () => toArray(tables.chunksOf(query, options)),
      documentsOf: () => query.documentIds,
      isLive: (rows) => rows.every(isLive),
      pick: (rows) => {
        const live = rows.filter(isLive).map(({ chunk, vector }) => (vector === undefined ? chunk : { ...chunk, vector }));
        // The contract of `chunksOf` gives every row a vector when it is asked for them, so that Kind is Entry then.
        const chunks = live.sort(byPlace) as unknown as readonly Kind[];
        return { chunks, documents: query.documentIds.flatMap((id) => mirror.get(id) ?? []) };
      },
    },
    options,
  );
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
