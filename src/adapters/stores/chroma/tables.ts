import type { Collection as ChromaCollection, Where } from 'chromadb';
import type { Space } from '../../../core/contracts.js';
import { batches } from '../../../core/flow.js';
import type { DocumentStamp, RemoteTables, StoredChunk } from '../remote/contract.js';
import { toExactJson } from '../remote/json.js';
import { stampOfRowId } from '../remote/row-id.js';
import type { ChromaConnection } from './connection.js';
import { KEYS, metadataOf } from './fields.js';
import { readPages } from './pages.js';
import { chunkFromJson, chunkToJson, documentMetadata, documentStamp, hitOf, storedDocument, writerRow } from './rows.js';

/** Ids or values of one condition; the server's SQL engine stops at 32,766. */
const MOST_IDS = 5000;
export interface ChromaCollections {
  readonly chunks: ChromaCollection;
  readonly documents: ChromaCollection;
  readonly writers: ChromaCollection;
}

/** The tables of one collection as three of Chroma's collections. */
export function createChromaTables(
  connection: ChromaConnection,
  space: Space,
  { chunks, documents, writers }: ChromaCollections,
): RemoteTables {
  const { run } = connection;
  const { metric } = space.fingerprint;

  return {
    mostHits: Number.POSITIVE_INFINITY,
    async insertChunks(rows, { signal } = {}) {
      for (const batch of batches(rows, await connection.batchSize(signal))) {
        const records = {
          ids: batch.map(({ rowId }) => rowId),
          embeddings: batch.map(({ entry }) => Array.from(entry.vector)),
          metadatas: batch.map(({ entry }) => metadataOf(entry)),
          uris: batch.map(chunkToJson),
        };
        await run('write chunks', () => chunks.add(records), signal);
      }
    },
    async deleteChunks(rowIds, { signal } = {}) {
      for (const ids of batches(rowIds, await connection.batchSize(signal))) {
        await run('delete chunks', () => chunks.delete({ ids: [...ids] }), signal);
      }
    },
    async nearest({ vector, limit, groups, native }, { signal } = {}) {
      // Made by our own compiler, which makes nothing else.
      const where = joined([native as Where | undefined, groups && isOneOf(KEYS.group, groups)]);
      if (groups?.length === 0) return { hits: [], more: false, index: 'hnsw' };
      const query = { queryEmbeddings: [Array.from(vector)], nResults: limit, include: ['uris' as const, 'distances' as const] };
      const found = await run('search', () => chunks.query(where === undefined ? query : { ...query, where }), signal);
      const ids = found.ids[0] ?? [];
      const hits = ids.flatMap((rowId, index) => {
        const stored = chunkFromJson(rowId, found.uris[0]?.[index]);
        return stored.bare ? [] : [hitOf(stored, found.distances[0]?.[index] ?? 0, metric)];
      });
      return { hits, more: ids.length >= limit, index: where === undefined ? 'hnsw' : 'hnsw (filtered)' };
    },
    async chunks(rowIds, { signal } = {}) {
      const found = [];
      for (const ids of batches(rowIds, MOST_IDS)) {
        const rows = await run('read chunks', () => chunks.get({ ids: [...ids], include: ['uris'] }), signal);
        found.push(...rows.ids.map((rowId, index): StoredChunk => chunkFromJson(rowId, rows.uris[index])));
      }
      return found;
    },
    async *chunksOf({ documentIds, groups, vectors }, { signal } = {}) {
      if (groups?.length === 0) return;
      const include = vectors ? (['uris', 'embeddings'] as const) : (['uris'] as const);
      for (const ids of batches(documentIds, MOST_IDS)) {
        const where = joined([isOneOf(KEYS.documentId, ids), groups && isOneOf(KEYS.group, groups)]);
        for await (const rows of readPages(chunks, { where, include }, (request) => run('read chunks', request, signal))) {
          for (const [index, rowId] of rows.ids.entries()) {
            const stored: StoredChunk = chunkFromJson(rowId, rows.uris[index]);
            yield vectors ? { ...stored, vector: Float32Array.from(rows.embeddings[index] ?? []) } : stored;
          }
        }
      }
    },
    async *chunkKeys(documentIds, { signal } = {}) {
      const include = ['metadatas'] as const;
      const wheres =
        documentIds === undefined ? [undefined] : [...batches(documentIds, MOST_IDS)].map((ids) => isOneOf(KEYS.documentId, ids));
      for (const where of wheres) {
        for await (const rows of readPages(chunks, { where, include }, (request) => run('list chunks', request, signal))) {
          for (const [index, rowId] of rows.ids.entries()) {
            yield { rowId, documentId: String(rows.metadatas[index]?.[KEYS.documentId]), stamp: stampOfRowId(rowId) };
          }
        }
      }
    },
    async writers({ signal } = {}) {
      const rows = await run('read writers', () => writers.get({ include: ['metadatas'] }), signal);
      return rows.ids.map((writer, index) => writerRow(writer, rows.metadatas[index] ?? {}));
    },
    pulse: {
      // Reading a collection's own metadata takes a third of the time of reading a row.
      read: ({ signal } = {}) => connection.readPulse(writers.name, signal),
      set: async (value, { signal } = {}) => {
        await run('set the pulse', () => writers.modify({ metadata: { hotrag: 'writers', pulse: value } }), signal);
      },
    },
    async putWriter({ writer, seq, at }, { signal } = {}) {
      const record = { ids: [writer], embeddings: [placeOf(writer)], metadatas: [{ seq, at }] };
      await run('write the writer’s row', () => writers.upsert(record), signal);
    },
    async deleteWriters(ids, { signal } = {}) {
      for (const batch of batches(ids, MOST_IDS)) await run('delete writers', () => writers.delete({ ids: [...batch] }), signal);
    },
    async stamps(since, { signal } = {}) {
      const where: Where | undefined = since && { $and: [{ writer: since.writer }, { seq: { $gt: since.seq } }] };
      const found: DocumentStamp[] = [];
      const pages = readPages(documents, { where, include: ['metadatas'] }, (request) => run('list documents', request, signal));
      for await (const rows of pages) found.push(...rows.ids.map((id, index) => documentStamp(id, rows.metadatas[index] ?? {})));
      return found;
    },
    countDocuments: ({ signal } = {}) => run('count documents', () => documents.count(), signal),
    async documents(wanted, { signal } = {}) {
      const found = [];
      for (const ids of batches(wanted, MOST_IDS)) {
        const rows = await run('read documents', () => documents.get({ ids: [...ids], include: ['metadatas', 'uris'] }), signal);
        found.push(...rows.ids.map((id, index) => storedDocument(id, rows.metadatas[index] ?? {}, rows.uris[index])));
      }
      return found;
    },
    async putDocuments(rows, { signal } = {}) {
      for (const batch of batches(rows, await connection.batchSize(signal))) {
        const records = {
          ids: batch.map(({ document }) => document.id),
          embeddings: batch.map(({ document }) => placeOf(document.id)),
          metadatas: batch.map(documentMetadata),
          uris: batch.map(({ document }) => toExactJson(document)),
        };
        await run('write documents', () => documents.upsert(records), signal);
      }
    },
    async deleteDocuments(wanted, { signal } = {}) {
      for (const ids of batches(wanted, await connection.batchSize(signal))) {
        await run('delete documents', () => documents.delete({ ids: [...ids] }), signal);
      }
    },
    close: async () => {}, // nothing is held
  };
}

function isOneOf(key: string, values: readonly string[]): Where {
  return { [key]: { $in: [...values] } };
}

/** Chroma refuses an `$and` of one. */
function joined(parts: readonly (Where | undefined)[]): Where | undefined {
  const conditions = parts.filter((part) => part !== undefined);
  return conditions.length > 1 ? { $and: conditions } : conditions[0];
}

/** Every row of Chroma needs a vector. These are spread out, because a graph of equal vectors degenerates; nobody searches them. */
function placeOf(id: string): number[] {
  let place = 0;
  for (let index = 0; index < id.length; index++) place = (place * 31 + id.charCodeAt(index)) % 1_000_003;
  return [place];
}
