import type { CallOptions, Filter, Space } from '../../../core/contracts.js';
import { batches } from '../../../core/flow.js';
import type { RemoteHit, RemoteMatches, RemoteQuery, RemoteTables } from '../remote/contract.js';
import { stampOfRowId } from '../remote/row-id.js';
import { CHUNK, DOCUMENT, fieldColumns } from './columns.js';
import { compileFilter, joinTests } from './compile.js';
import type { MilvusConnection } from './connection.js';
import type { Indexes } from './indexes.js';
import { literal, literals } from './literal.js';
import * as rows from './rows.js';
import type { Table } from './table.js';
import { scoreOf, searchParameters } from './vector-index.js';

/** The most hits that Milvus gives at once (`quotaAndLimits.limits.topK`). */
const MOST_HITS = 16_384;
/** From so many hits on, their chunks are fetched apart: an answer has at most 100 MB. */
const MANY_HITS = 1000;
/** Numbers in one request or answer. The client writes each as JSON besides, and nothing may hold the event loop for long. */
const BATCH_NUMBERS = 32_768;
const BATCH_ROWS = 500;
const BATCH_CHARACTERS = 1_000_000;
const BATCH_DOCUMENTS = 500;

export interface MilvusTablesParts {
  readonly connection: MilvusConnection;
  readonly space: Space;
  readonly indexes: Indexes;
  readonly chunks: Table;
  readonly documents: Table;
  readonly writers: Table;
}

export function createTables(parts: MilvusTablesParts): RemoteTables {
  const { space, chunks, documents, writers } = parts;
  const columns = fieldColumns(space.fields);
  const vectorRows = Math.max(1, Math.floor(BATCH_NUMBERS / space.fingerprint.dimensions));

  const byRowId = async (rowIds: readonly string[], options: CallOptions) =>
    (await chunks.byKeys(rowIds, rows.CHUNK_OUTPUT, options)).map(rows.chunkOf);

  return {
    mostHits: MOST_HITS,
    async insertChunks(chunkRows, options = {}) {
      for (const batch of batches(chunkRows, Math.min(vectorRows, BATCH_ROWS))) {
        const made = batch.map((row) => rows.rowOfChunk(row, columns));
        for (const bounded of boundedBatches(made, batch.length)) await chunks.write('insert', bounded, options);
      }
    },
    deleteChunks: (rowIds, options = {}) => chunks.remove(rowIds, options),
    nearest: (query, options = {}) => nearest(parts, query, byRowId, options),
    chunks: (rowIds, options = {}) => byRowId(rowIds, options),
    async *chunksOf({ documentIds, groups, vectors }, options = {}) {
      const output = vectors ? [...rows.CHUNK_OUTPUT, CHUNK.vector] : rows.CHUNK_OUTPUT;
      for (const ids of batches(documentIds, BATCH_DOCUMENTS)) {
        const filter = joinTests([oneOf(CHUNK.documentId, ids), ...(groups ? [oneOf(CHUNK.group, groups)] : [])], 'and');
        for await (const page of chunks.pages(filter, output, vectors ? vectorRows : BATCH_ROWS, options)) {
          for (const row of page) yield vectors ? { ...rows.chunkOf(row), vector: rows.vectorOf(row) } : rows.chunkOf(row);
        }
      }
    },
    async *chunkKeys(documentIds, options = {}) {
      const filters =
        documentIds === undefined ? [''] : [...batches(documentIds, BATCH_DOCUMENTS)].map((ids) => oneOf(CHUNK.documentId, ids));
      for (const filter of filters) {
        for await (const page of chunks.smallPages(filter, [CHUNK.rowId, CHUNK.documentId], options)) {
          for (const row of page) {
            const rowId = String(row[CHUNK.rowId]);
            yield { rowId, documentId: String(row[CHUNK.documentId]), stamp: stampOfRowId(rowId) };
          }
        }
      }
    },

    writers: async (options = {}) => (await writers.all(rows.WRITER_OUTPUT, options)).map(rows.writerOf),
    putWriter: (row, options = {}) => writers.write('upsert', [rows.rowOfWriter(row)], options),
    deleteWriters: (ids, options = {}) => writers.remove(ids, options),
    async stamps(since, options = {}) {
      const filter =
        since === undefined
          ? ''
          : `((${DOCUMENT.writer} == ${literal(since.writer)}) and (${DOCUMENT.seq} > ${literal(since.seq)}))`;
      const found = [];
      for await (const page of documents.smallPages(filter, rows.STAMP_OUTPUT, options))
        found.push(...page.map(rows.documentStampOf));
      return found;
    },
    countDocuments: (options = {}) => documents.count('', options),
    documents: async (ids, options = {}) =>
      (await documents.byKeys(ids.map(rows.documentKey), rows.DOCUMENT_OUTPUT, options)).map(rows.documentOf),
    async putDocuments(stored, options = {}) {
      for (const batch of boundedBatches(stored.map(rows.rowOfDocument), BATCH_ROWS))
        await documents.write('upsert', batch, options);
    },
    deleteDocuments: (ids, options = {}) => documents.remove(ids.map(rows.documentKey), options),
    // The connection is the server's; the tables hold nothing.
    close: () => Promise.resolve(),
  };
}

async function nearest(
  { connection, space, indexes, chunks }: MilvusTablesParts,
  { vector, limit, groups, native }: RemoteQuery,
  byRowId: (rowIds: readonly string[], options: CallOptions) => Promise<readonly Omit<RemoteHit, 'score'>[]>,
  options: CallOptions,
): Promise<RemoteMatches> {
  // What `milvusCompiler.compile` made.
  const compiled = native === undefined ? undefined : compileFilter(native as Filter, space.fields);
  const tests = [...(compiled ? [compiled.expression] : []), ...(groups ? [oneOf(CHUNK.group, groups)] : [])];
  const many = limit > MANY_HITS;
  const search = (allTests: readonly string[]) => {
    const run = () =>
      connection.call(
        `search collection "${chunks.name}"`,
        (client) =>
          client.search({
            collection_name: chunks.name,
            data: Array.from(vector),
            anns_field: CHUNK.vector,
            filter: allTests.length === 0 ? '' : joinTests(allTests, 'and'),
            limit,
            output_fields: many ? [CHUNK.rowId, CHUNK.hasVector] : [...rows.CHUNK_OUTPUT, CHUNK.hasVector],
            params: searchParameters(indexes.index, limit),
          }),
        options.signal,
      );
    return chunks.reading(run, options);
  };
  let { results } = await search(tests);
  const more = results.length >= limit;
  // The zero vector has no direction, but Lite gives it cosine 0, and as a product or distance it is a number like others. The test
  // costs time at every search, such rows are rare: it is asked only after they were met.
  if (results.some((row) => row[CHUNK.hasVector] === false)) {
    ({ results } = await search([...tests, `(${CHUNK.hasVector} == true)`]));
  }
  const scored = results.map((row) => ({ row, score: scoreOf(space.fingerprint.metric, row.score) }));
  const fields = compiled?.fields ?? [];
  const used = fields.flatMap((field) => {
    const kind = indexes.scalarIndexOf(field);
    return kind === undefined ? [] : [`${kind}(${field})`];
  });
  const name = [indexes.indexName, ...used].join(' + ');
  if (!many) return { hits: scored.map(({ row, score }) => ({ ...rows.chunkOf(row), score })), more, index: name };
  const scores = new Map(scored.map(({ row, score }) => [String(row[CHUNK.rowId]), score]));
  const hits = (await byRowId([...scores.keys()], options)).map((stored) => ({
    ...stored,
    score: scores.get(stored.rowId) ?? 0,
  }));
  return { hits: hits.sort((left, right) => right.score - left.score), more, index: name };
}

function oneOf(column: string, values: readonly string[]): string {
  return `(${column} in ${literals(values)})`;
}

/** Runs of at most `size` rows and about a megabyte of text. */
function* boundedBatches(all: readonly rows.Row[], size: number): Iterable<readonly rows.Row[]> {
  let batch: rows.Row[] = [];
  let characters = 0;
  for (const row of all) {
    const length = Object.values(row).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
    if (batch.length > 0 && (batch.length === size || characters + length > BATCH_CHARACTERS)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(row);
    characters += length;
  }
  if (batch.length > 0) yield batch;
}
