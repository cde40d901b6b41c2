import type { Collection, DocumentRow, Entry, Space } from './contracts.js';
import { toArray } from './flow.js';

/** A commit is made when this many chunks or characters have gathered, as an ingest does it … */
const COMMIT_CHUNKS = 512;
const COMMIT_CHARACTERS = 4_000_000;
/** … or this many documents. */
const COMMIT_DOCUMENTS = 500;

/** A document that the target doesn't have as it is. */
export type Missing = Pick<DocumentRow, 'id' | 'chunks' | 'length'>;

/** A document with the chunks that were found of it. */
export interface ReadDocument {
  readonly document: DocumentRow;
  readonly entries: readonly Entry[];
}

/** Runs of documents that are read and committed together; a document is never cut. */
export function* cutBatches(missing: readonly Missing[]): Iterable<readonly Missing[]> {
  let batch: Missing[] = [];
  let chunks = 0;
  let characters = 0;
  for (const document of missing) {
    const isFull = chunks + document.chunks > COMMIT_CHUNKS || characters + document.length > COMMIT_CHARACTERS;
    if (batch.length > 0 && (isFull || batch.length === COMMIT_DOCUMENTS)) {
      yield batch;
      batch = [];
      chunks = characters = 0;
    }
    batch.push(document);
    chunks += document.chunks;
    characters += document.length;
  }
  if (batch.length > 0) yield batch;
}

/** Reads documents of a source, those of them that are in; each may change meanwhile, so see `isWhole`. */
export async function readDocuments(
  from: Collection,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly ReadDocument[]> {
  const rows = await toArray(from.documents({ ids }, { signal }));
  const entries = new Map<string, Entry[]>(rows.map(({ id }) => [id, []]));
  for await (const entry of from.scan({ documentIds: ids }, { signal })) entries.get(entry.documentId)?.push(entry);
  return rows.map((document) => ({ document, entries: entries.get(document.id) ?? [] }));
}

/** False when the document was replaced between the reading of its row and of its chunks. */
export function isWhole({ document, entries }: ReadDocument): boolean {
  return entries.length === document.chunks && entries.every(({ hash }) => hash === document.hash);
}

/** What is wrong with a document that isn't whole, though nobody writes. */
export function describeTorn({ document: { id, chunks, hash }, entries }: ReadDocument, { collection }: Space): string {
  const whole = entries.filter((entry) => entry.hash === hash).length;
  return `document ${JSON.stringify(id)} has ${whole} of its ${chunks} chunks in the source, collection "${collection}"; ingest it again there`;
}
