import type { FieldType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import type { Space } from '../../../core/contracts.js';
import { CHUNK, DOCUMENT, type FieldColumn, fieldColumns, MAX_TEXT_BYTES, WRITER } from './columns.js';

type CreateRequest = Parameters<MilvusClient['createCollection']>[0];
type Column = Exclude<Extract<CreateRequest, { fields: FieldType[] }>['fields'][number], undefined>;
/** `Strong` for the catalog always: what counts and what doesn't must never be old. */
export type Consistency = 'Strong' | 'Session' | 'Bounded' | 'Eventually';

/** Under this property a collection's Space stands, as JSON: it marks the collections that hotrag made. */
export const SPACE_PROPERTY = 'hotrag.space';

export interface ChunkTable {
  readonly name: string;
  readonly space: Space;
  readonly consistency: Consistency;
  /** The field whose column divides the collection. */
  readonly partitionKey: string | undefined;
}

/** The table of chunks: the one that makes the collection exist. */
export function chunkTable({ name, space, consistency, partitionKey }: ChunkTable): CreateRequest {
  const fields: Column[] = [
    { ...text(CHUNK.rowId, 128), is_primary_key: true },
    vector(CHUNK.vector, space.fingerprint.dimensions),
    { name: CHUNK.hasVector, data_type: 'Bool' },
    ...[CHUNK.chunkId, CHUNK.documentId, CHUNK.uri, CHUNK.hash, CHUNK.group, ...CHUNK.text, CHUNK.place].map((column) =>
      text(column),
    ),
    { name: CHUNK.position, data_type: 'Int64' },
    { name: CHUNK.metadata, data_type: 'JSON' },
    ...[...fieldColumns(space.fields).values()].flatMap((column) => fieldColumn(column, column.field === partitionKey)),
  ];
  return {
    ...table(name, fields, consistency),
    // Differs in every collection: two processes that make one at once don't both succeed with different tables.
    description: `hotrag ${space.uuid}`,
    properties: { [SPACE_PROPERTY]: JSON.stringify(space) },
  };
}

/** The table of document rows. */
export function documentTable(name: string): CreateRequest {
  const fields: Column[] = [
    { ...text(DOCUMENT.key, 32), is_primary_key: true },
    ...[DOCUMENT.documentId, DOCUMENT.hash, DOCUMENT.writer, ...DOCUMENT.row].map((column) => text(column)),
    { name: DOCUMENT.chunks, data_type: 'Int64' },
    { name: DOCUMENT.seq, data_type: 'Int64' },
    vector(DOCUMENT.vector, 2),
  ];
  return table(name, fields, 'Strong');
}

/** The table of writer rows: apart from the documents, because it is read beside every search. */
export function writerTable(name: string): CreateRequest {
  const fields: Column[] = [
    { ...text(WRITER.writer, 128), is_primary_key: true },
    { name: WRITER.seq, data_type: 'Int64' },
    { name: WRITER.at, data_type: 'Int64' },
    vector(WRITER.vector, 2),
  ];
  return table(name, fields, 'Strong');
}

function table(name: string, fields: Column[], consistency: Consistency): CreateRequest {
  // No dynamic fields: Milvus Lite merges the old row's into the new one's.
  return { collection_name: name, fields, enable_dynamic_field: false, consistency_level: consistency };
}

function text(name: string, max_length = MAX_TEXT_BYTES): Column {
  return { name, data_type: 'VarChar', max_length };
}

function vector(name: string, dim: number): Column {
  return { name, data_type: 'FloatVector', dim };
}

function fieldColumn({ type, value, present }: FieldColumn, isPartitionKey: boolean): Column[] {
  const column: Column =
    type === 'string'
      ? text(value)
      : type === 'number'
        ? { name: value, data_type: 'Double' }
        : { name: value, data_type: 'Bool' };
  return [isPartitionKey ? { ...column, is_partition_key: true } : column, { name: present, data_type: 'Bool' }];
}
