import type { CallOptions, Space } from '../../../core/contracts.js';
import { invalidInput, RagError } from '../../../core/errors.js';
import type { RemoteServer } from '../remote/contract.js';
import { tableName } from '../remote/names.js';
import { storedSpace } from '../remote/space.js';
import { CHUNK, DOCUMENT, fieldColumns, WRITER } from './columns.js';
import { milvusCompiler } from './compile.js';
import { createConnection } from './connection.js';
import { isCollectionMissing } from './errors.js';
import { prepareIndexes } from './indexes.js';
import type { MilvusOptions } from './options.js';
import { chunkTable, documentTable, SPACE_PROPERTY, writerTable } from './schema.js';
import { openTable } from './table.js';
import { createTables } from './tables.js';
import { checkIndex, METRICS } from './vector-index.js';
import type { MilvusVersion } from './version.js';

/** Milvus Lite searches what is not in a segment ten times slower (10,000 rows: 530 ms against 50), and makes segments when told only. */
const LITE_FLUSH_ROWS = 1000;
/** Milvus's limits of a vector. */
const MAX_DIMENSIONS = 32_768;

/** A Milvus server as the shared store code needs it. Nothing is contacted before the first call. */
export function createMilvusServer(options: MilvusOptions): RemoteServer {
  const connection = createConnection(options);
  const { host } = connection;

  const describe = async (name: string, { signal }: CallOptions) => {
    try {
      return await connection.call(
        `describe collection "${name}"`,
        (client) => client.describeCollection({ collection_name: name }),
        signal,
      );
    } catch (error) {
      if (isCollectionMissing(error)) return undefined;
      throw error;
    }
  };
  const find: RemoteServer['find'] = async (collection, call = {}) => {
    const found = await describe(nameOf(collection), call);
    if (found === undefined) return undefined;
    const space = spaceOf(found.properties);
    if (space?.collection === collection) return space;
    const problem = `is the name of a collection on Milvus at ${host} that hotrag did not make; choose another name`;
    throw invalidInput('collection', `${JSON.stringify(collection)} ${problem}`);
  };
  const create = (table: ReturnType<typeof chunkTable>, { signal }: CallOptions) =>
    connection.call(`create collection "${table.collection_name}"`, (client) => client.createCollection(table), signal);
  const dropTable = (name: string, { signal }: CallOptions) =>
    connection.call(`drop collection "${name}"`, (client) => client.dropCollection({ collection_name: name }), signal);
  const dropCatalog = async ({ uuid }: Space, call: CallOptions) => {
    const names = catalogNames(uuid);
    await dropTable(names.documents, call);
    await dropTable(names.writers, call);
  };

  return {
    name: 'milvus',
    address: options.database === undefined ? host : `${host}/${options.database}`,
    compiler: milvusCompiler,
    async spaces(call = {}) {
      const { data } = await connection.call('list collections', (client) => client.showCollections(), call.signal);
      const found = await Promise.all(
        data.filter(({ name }) => !name.startsWith(CATALOG_PREFIX)).map(({ name }) => describe(name, call)),
      );
      return found.flatMap((collection) => (collection && spaceOf(collection.properties)) ?? []);
    },
    find,
    async create(space, call = {}) {
      checkCreation(options, space, await connection.version(call.signal));
      const names = catalogNames(space.uuid);
      // The chunks come last: they make the collection exist, and then it is whole.
      for (const table of [documentTable(names.documents), writerTable(names.writers)]) {
        if ((await describe(table.collection_name, call)) === undefined) await create(table, call);
      }
      const { consistency, partitionKey } = options;
      const failure = await create(chunkTable({ name: nameOf(space.collection), space, consistency, partitionKey }), call).then(
        () => undefined,
        (error: unknown) => error,
      );
      const there = await find(space.collection, call);
      if (there?.uuid === space.uuid) return there;
      await dropCatalog(space, call);
      if (there !== undefined) return there;
      throw (
        failure ??
        new RagError('UPSTREAM_FAILED', `Milvus at ${host} made no collection "${space.collection}"`, { adapter: 'milvus' })
      );
    },
    async drop(collection, call = {}) {
      const space = await find(collection, call);
      if (space === undefined) return false;
      // The catalog first: what fails half-way is found again, and dropped again.
      await dropCatalog(space, call);
      await dropTable(nameOf(collection), call);
      return true;
    },
    async tables(space, call = {}) {
      const version = await connection.version(call.signal);
      const name = nameOf(space.collection);
      const catalog = catalogNames(space.uuid);
      const shared = { connection, replicas: options.replicas, flushAfter: version.lite ? LITE_FLUSH_ROWS : undefined };
      const chunks = openTable({ ...shared, name, key: CHUNK.rowId });
      const documents = openTable({ ...shared, name: catalog.documents, key: DOCUMENT.key });
      const writers = openTable({ ...shared, name: catalog.writers, key: WRITER.writer });
      const indexes = await prepareIndexes({ connection, options, space, version, names: { chunks: name, ...catalog } }, call);
      await Promise.all([chunks, documents, writers].map((table) => table.load(call)));
      return createTables({ connection, space, indexes, chunks, documents, writers });
    },
    close: () => connection.close(),
  };
}

const CATALOG_PREFIX = 'hotrag_';

/** Milvus names: a letter or underscore, then letters, digits, underscores. Those that begin as a catalog's are escaped too. */
function nameOf(collection: string): string {
  return tableName(collection, { plain: /^(?!hotrag_)[A-Za-z_][A-Za-z0-9_]{0,199}$/, filler: '_', allowed: /[A-Za-z0-9_]/ });
}

function catalogNames(uuid: string): { readonly documents: string; readonly writers: string } {
  const suffix = uuid.replaceAll('-', '');
  return { documents: `${CATALOG_PREFIX}documents_${suffix}`, writers: `${CATALOG_PREFIX}writers_${suffix}` };
}

/** undefined: not a collection of ours. */
function spaceOf(properties: readonly { readonly key: string; readonly value: unknown }[]): Space | undefined {
  const property = properties.find(({ key }) => key === SPACE_PROPERTY);
  return property === undefined ? undefined : storedSpace.parse(JSON.parse(String(property.value)));
}

/** What a collection can't be made with is refused before anything is made. */
function checkCreation(options: MilvusOptions, { fingerprint, fields }: Space, version: MilvusVersion): void {
  const { dimensions, metric } = fingerprint;
  const unsupported = (message: string) => new RagError('UNSUPPORTED', message, { adapter: 'milvus' });
  if (dimensions > MAX_DIMENSIONS)
    throw unsupported(`Milvus takes vectors of at most ${MAX_DIMENSIONS} dimensions, not ${dimensions}`);
  if (METRICS[metric] === 'COSINE' && !version.lite && version.major === 2 && version.minor < 3) {
    throw unsupported(`metric "cosine" needs Milvus 2.3; this server is ${version.text}`);
  }
  checkIndex(options.index, dimensions, version);
  const { partitionKey } = options;
  if (partitionKey === undefined) return;
  if (fieldColumns(fields).get(partitionKey)?.type === 'string') return;
  const problem = `store.partitionKey: ${JSON.stringify(partitionKey)} must be a declared metadata field of type string`;
  throw new RagError('CONFIG_INVALID', problem, { adapter: 'milvus' });
}
