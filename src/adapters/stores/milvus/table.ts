import { setTimeout as wait } from 'node:timers/promises';
import type { RowData } from '@zilliz/milvus2-sdk-node';
import type { CallOptions } from '../../../core/contracts.js';
import { isRagError, RagError } from '../../../core/errors.js';
import { batches, mapAhead } from '../../../core/flow.js';
import { LONG_CALL_MS, type MilvusConnection } from './connection.js';
import { MILVUS_CODES, MilvusFailure } from './errors.js';
import { literal, literals } from './literal.js';
import type { Row } from './rows.js';

/** Rows with small columns that are asked for at once: for Lite, each page is a scan of the table. */
const PAGE_KEYS = 10_000;
/** Keys in one expression. */
const BATCH_KEYS = 1000;
/** Pages that are on their way at once. */
const PAGES_AHEAD = 4;
const LOAD_POLL_MS = 50;

/** One Milvus collection whose keys are texts that begin with 32 hex digits of a hash (or, being few, are never paged). */
export interface Table {
  readonly name: string;
  /** Rows that a filter allows ('' = all), at once: for what is known to be little. */
  query(filter: string, output: readonly string[], options: CallOptions): Promise<readonly Row[]>;
  /** All rows of a table that holds few, at most 10,000: on Lite in less than half the time of a `query` that allows every row. */
  all(output: readonly string[], options: CallOptions): Promise<readonly Row[]>;
  /** The same, of any number and in any order; a page may hold ten thousand rows, so only small columns are asked for. */
  smallPages(filter: string, output: readonly string[], options: CallOptions): AsyncIterable<readonly Row[]>;
  /** The same with large columns, at most `size` rows at a time. */
  pages(filter: string, output: readonly string[], size: number, options: CallOptions): AsyncIterable<readonly Row[]>;
  count(filter: string, options: CallOptions): Promise<number>;
  /** Rows by key, in any order. */
  byKeys(keys: readonly string[], output: readonly string[], options: CallOptions): Promise<readonly Row[]>;
  /** `insert` for keys that are new for certain: it does not look for old rows. */
  write(how: 'insert' | 'upsert', rows: readonly Row[], options: CallOptions): Promise<void>;
  remove(keys: readonly string[], options: CallOptions): Promise<void>;
  /** Runs a read; where the server has the table not in memory (Lite after a restart), loads it and runs it again. */
  reading<Value>(read: () => Promise<Value>, options: CallOptions): Promise<Value>;
  load(options: CallOptions): Promise<void>;
}

export interface TableParts {
  readonly connection: MilvusConnection;
  readonly name: string;
  /** The primary key's column. */
  readonly key: string;
  readonly replicas: number;
  /** Rows after which what was written is put into a segment; undefined: the server sees to it. */
  readonly flushAfter?: number | undefined;
}

export function openTable({ connection, name, key, replicas, flushAfter }: TableParts): Table {
  const collection_name = name;
  const what = (action: string) => `${action} collection "${name}"`;

  const isLoaded = async (signal: AbortSignal | undefined) => {
    const { state } = await connection.call(what('load'), (client) => client.getLoadState({ collection_name }), signal);
    return state === 'LoadStateLoaded';
  };
  const load = async ({ signal }: CallOptions): Promise<void> => {
    if (await isLoaded(signal)) return;
    // Not `loadCollection`: it waits in steps of 400 ms and drops the code of a failure.
    const request = { collection_name, replica_number: replicas, timeout: LONG_CALL_MS };
    const action = replicas === 1 ? what('load') : what(`load ${replicas} replicas of`);
    await connection.longCall(action, (client) => client.loadCollectionAsync(request), signal);
    const end = Date.now() + LONG_CALL_MS;
    while (!(await isLoaded(signal))) {
      if (Date.now() > end)
        throw new RagError('TIMEOUT', `Milvus did not load collection "${name}" within 10 minutes`, { adapter: 'milvus' });
      await wait(LOAD_POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
    }
  };

  const reading: Table['reading'] = async (read, options) => {
    try {
      return await read();
    } catch (error) {
      if (!isNotLoaded(error)) throw error;
      await load(options);
      return read();
    }
  };

  const ask = (filter: string, output: readonly string[], limit: number | undefined, { signal }: CallOptions) =>
    connection.call(
      what('read'),
      (client) =>
        client.query({
          collection_name,
          // Milvus 2.3 refuses an empty filter that has no limit.
          filter: filter === '' && limit === undefined ? `${key} != ""` : filter,
          output_fields: [...output],
          ...(limit === undefined ? {} : { limit }),
        }),
      signal,
    );

  const query: Table['query'] = async (filter, output, options) =>
    (await reading(() => ask(filter, output, undefined, options), options)).data;

  const count: Table['count'] = async (filter, options) => {
    const [row] = await query(filter, ['count(*)'], options);
    return Number(row?.['count(*)']);
  };

  async function* smallPages(filter: string, output: readonly string[], options: CallOptions): AsyncIterable<readonly Row[]> {
    const first = await reading(() => ask(filter, output, PAGE_KEYS + 1, options), options);
    if (first.data.length <= PAGE_KEYS) {
      yield first.data;
      return;
    }
    // Lite answers in no order, so "after the last key" would lose rows. Keys are hashes: equal ranges hold about as many each.
    const ranges = keyRanges(key, Math.ceil((await count(filter, options)) / PAGE_KEYS));
    for (const range of ranges) yield await query(filter === '' ? range : `(${filter}) and ${range}`, output, options);
  }

  let unflushed = 0;
  const flush = async (rows: number, signal: AbortSignal | undefined) => {
    unflushed += rows;
    if (flushAfter === undefined || unflushed < flushAfter) return;
    unflushed = 0;
    const request = { collection_names: [name], timeout: LONG_CALL_MS };
    await connection.longCall(what('flush'), (client) => client.flush(request), signal);
  };

  return {
    name,
    query,
    all: async (output, options) => (await reading(() => ask('', output, PAGE_KEYS, options), options)).data,
    count,
    reading,
    load,
    smallPages,
    async *pages(filter, output, size, options) {
      for await (const found of smallPages(filter, [key], options)) {
        const keys = found.map((row) => String(row[key]));
        const read = (batch: readonly string[]) => query(`${key} in ${literals(batch)}`, output, options);
        yield* mapAhead(batches(keys, size), PAGES_AHEAD, read);
      }
    },
    async byKeys(keys, output, options) {
      const rows: Row[] = [];
      for (const batch of batches(keys, BATCH_KEYS)) rows.push(...(await query(`${key} in ${literals(batch)}`, output, options)));
      return rows;
    },
    async write(how, rows, { signal }) {
      if (rows.length === 0) return;
      // rows.ts makes them of what the schema has; the client's type lists every value that any column may hold.
      await connection.call(
        what('write into'),
        (client) => client[how]({ collection_name, data: rows.map((row) => ({ ...row })) as RowData[] }),
        signal,
      );
      await flush(rows.length, signal);
    },
    async remove(keys, { signal }) {
      for (const batch of batches(keys, BATCH_KEYS)) {
        // Not by the client's `ids`: it puts them between quotes as they are.
        const filter = `${key} in ${literals(batch)}`;
        await connection.call(what('delete from'), (client) => client.delete({ collection_name, filter }), signal);
      }
    },
  };
}

function isNotLoaded(error: unknown): boolean {
  return (
    isRagError(error) && error.cause instanceof MilvusFailure && error.cause.status.code === MILVUS_CODES.collectionNotLoaded
  );
}

/** Cuts all keys into `count` ranges by their first eight hex digits; together they hold every text. */
function keyRanges(key: string, count: number): readonly string[] {
  const bounds = Array.from({ length: count - 1 }, (_, index) =>
    Math.floor(((index + 1) / count) * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  );
  return Array.from({ length: count }, (_, index) => {
    const from = bounds[index - 1];
    const to = bounds[index];
    const tests = [
      ...(from === undefined ? [] : [`(${key} >= ${literal(from)})`]),
      ...(to === undefined ? [] : [`(${key} < ${literal(to)})`]),
    ];
    return tests.length === 0 ? `(${key} != "")` : `(${tests.join(' and ')})`;
  });
}
