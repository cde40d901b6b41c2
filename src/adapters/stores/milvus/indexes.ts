import type { CallOptions, Space } from '../../../core/contracts.js';
import { isRagError, RagError } from '../../../core/errors.js';
import { CHUNK, DOCUMENT, type FieldColumn, fieldColumns, WRITER } from './columns.js';
import { LONG_CALL_MS, type MilvusConnection } from './connection.js';
import { MILVUS_CODES, MilvusFailure } from './errors.js';
import type { MilvusIndex, MilvusOptions } from './options.js';
import { buildParameters, checkIndex, METRICS } from './vector-index.js';
import { isAtLeast, type MilvusVersion } from './version.js';

export interface IndexParts {
  readonly connection: MilvusConnection;
  readonly options: MilvusOptions;
  readonly space: Space;
  readonly version: MilvusVersion;
  readonly names: { readonly chunks: string; readonly documents: string; readonly writers: string };
}

export interface Indexes {
  /** The vector index, with its search parameters. */
  readonly index: MilvusIndex;
  /** The vector index that is there, in lower case. */
  readonly indexName: string;
  /** The kind of index on a declared field's column, in lower case; undefined: none. */
  readonly scalarIndexOf: (field: string) => string | undefined;
}

/**
 * Makes the indexes that are missing: of a new collection all, of one whose making was cut short the rest.
 * @throws RagError UNSUPPORTED (the server lacks the index) · CONFIG_INVALID (the collection has another index than configured)
 */
export async function prepareIndexes(parts: IndexParts, call: CallOptions): Promise<Indexes> {
  const { options, space, version, names } = parts;
  const { dimensions, metric } = space.fingerprint;
  checkIndex(options.index, dimensions, version);
  if (version.lite && options.replicas > 1) {
    const message = `store.replicas: Milvus Lite (${version.text}) has one copy of a collection; ${options.replicas} are configured`;
    throw new RagError('UNSUPPORTED', message, { adapter: 'milvus' });
  }
  const scalars = scalarColumns(space, version);
  const [found] = await Promise.all([
    ensureIndex(
      parts,
      {
        table: names.chunks,
        column: CHUNK.vector,
        type: options.index.type,
        metric: METRICS[metric],
        parameters: buildParameters(options.index),
      },
      call,
    ),
    // No table is loaded without a vector index.
    ensureIndex(parts, { table: names.documents, column: DOCUMENT.vector, type: 'FLAT', metric: 'L2' }, call),
    ensureIndex(parts, { table: names.writers, column: WRITER.vector, type: 'FLAT', metric: 'L2' }, call),
    ...scalars.map(({ column, type }) => ensureIndex(parts, { table: names.chunks, column, type }, call)),
  ]);
  checkSame(options.index, found, space.collection);
  const kinds = new Map(scalars.map(({ field, type }) => [field, type.toLowerCase()]));
  return { index: options.index, indexName: found.type.toLowerCase(), scalarIndexOf: (field) => kinds.get(field) };
}

interface ScalarColumn {
  readonly column: string;
  readonly type: string;
  /** The declared field whose column it is. */
  readonly field?: string;
}

/** Which columns are indexed, and how. The document id is what chunks are read and removed by. */
function scalarColumns({ fields }: Space, version: MilvusVersion): readonly ScalarColumn[] {
  const declared = [...fieldColumns(fields).values()].flatMap(({ field, value, type }): ScalarColumn[] => {
    const kind = scalarIndex(type, version);
    return kind === undefined ? [] : [{ column: value, type: kind, field }];
  });
  const kind = scalarIndex('string', version);
  return kind === undefined ? declared : [{ column: CHUNK.documentId, type: kind }, ...declared];
}

interface WantedIndex {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly metric?: string;
  readonly parameters?: Readonly<Record<string, number>>;
}

/** What the server says of an index. */
interface FoundIndex {
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

async function ensureIndex({ connection }: IndexParts, wanted: WantedIndex, { signal }: CallOptions): Promise<FoundIndex> {
  const { table: collection_name, column: field_name, type, metric, parameters } = wanted;
  const action = `index column "${field_name}" of collection "${collection_name}"`;
  const find = async () => {
    const { index_descriptions } = await connection
      .call(action, (client) => client.describeIndex({ collection_name, field_name }), signal)
      .catch((error: unknown) => {
        if (isNoIndex(error)) return { index_descriptions: [] };
        throw error;
      });
    const description = index_descriptions.find((one) => one.field_name === field_name);
    return description && foundIndex(description.params);
  };
  const before = await find();
  if (before !== undefined) return before;
  const request = {
    collection_name,
    field_name,
    index_type: type,
    ...(metric === undefined ? {} : { metric_type: metric }),
    ...(parameters === undefined ? {} : { params: { ...parameters } }),
    timeout: LONG_CALL_MS,
  };
  try {
    await connection.longCall(action, (client) => client.createIndex(request), signal);
  } catch (error) {
    // Another process may have been faster.
    const now = await find();
    if (now === undefined) throw error;
    return now;
  }
  return { type, parameters: parameters ?? {} };
}

/** An index that the server chooses may be any; another than the configured one is not passed over in silence. */
function checkSame(configured: MilvusIndex, found: FoundIndex, collection: string): void {
  const built = Object.entries(buildParameters(configured));
  const same = found.type === configured.type && built.every(([name, value]) => Number(found.parameters[name]) === value);
  if (same || configured.type === 'AUTOINDEX') return;
  const has = `${found.type}${Object.keys(found.parameters).length === 0 ? '' : ` ${JSON.stringify(found.parameters)}`}`;
  const message =
    `store.index: collection "${collection}" has the index ${has}, not ${configured.type} ` +
    `${JSON.stringify(Object.fromEntries(built))}; configure that one, or copy the collection to another name`;
  throw new RagError('CONFIG_INVALID', message, { adapter: 'milvus' });
}

function foundIndex(params: readonly { readonly key: string; readonly value: unknown }[]): FoundIndex {
  const of = (key: string) => params.find((one) => one.key === key)?.value;
  const json = of('params');
  const parameters: unknown = typeof json === 'string' && json !== '' ? JSON.parse(json) : {};
  return {
    type: String(of('index_type')),
    parameters: typeof parameters === 'object' && parameters !== null ? { ...parameters } : {},
  };
}

function isNoIndex(error: unknown): boolean {
  return isRagError(error) && error.cause instanceof MilvusFailure && error.cause.status.code === MILVUS_CODES.indexNotFound;
}

/** INVERTED came with 2.4, and Lite has nothing else; 2.3 has none for booleans. */
function scalarIndex(type: FieldColumn['type'], version: MilvusVersion): string | undefined {
  if (version.lite || isAtLeast(version, 2, 4)) return 'INVERTED';
  switch (type) {
    case 'number':
      return 'STL_SORT';
    case 'string':
      return 'Trie';
    case 'boolean':
      return undefined;
  }
}
