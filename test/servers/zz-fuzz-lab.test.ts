import { expect, it } from 'vitest';
import { compileFilter } from '../../src/adapters/stores/milvus/compile.js';
import { createConnection } from '../../src/adapters/stores/milvus/connection.js';
import { milvusOptions } from '../../src/adapters/stores/milvus/options.js';
import { createMilvusServer } from '../../src/adapters/stores/milvus/server.js';
import type { ChunkRow } from '../../src/adapters/stores/remote/contract.js';
import { matches, parseFilter, splitFilter } from '../../src/core/filter.js';
import { filterTable, randomFilters, sampleFields, sampleMetadata } from '../contracts/filters.js';

it('fuzz', async () => {
  const options = milvusOptions.parse({ type: 'milvus', uri: process.env.LAB_URI, index: 'FLAT', timeoutMs: 60000 });
  const server = createMilvusServer(options);
  const connection = createConnection(options);
  for (const declared of [true, false]) {
    const fields = declared ? sampleFields : [];
    const collection = `fuzz_${declared}`;
    await server.drop(collection);
    const space = await server.create({
      collection,
      uuid: crypto.randomUUID(),
      fields,
      fingerprint: { embedder: 'e', dimensions: 4, metric: 'cosine' },
    });
    const tables = await server.tables(space);
    const metas = [
      ...sampleMetadata(),
      { n: 2 ** 63 },
      { n: 1e20 },
      { n: -(2 ** 53) - 2 },
      { n: 5e-324 },
      { n: 1e300 },
      { n: 123456789.125 },
    ];
    const rows: ChunkRow[] = metas.map((metadata, i) => ({
      rowId: `${String(i).padStart(32, '0')}.ab.1`,
      stamp: { writer: 'ab', seq: 1 },
      entry: {
        id: `c${i}`,
        documentId: `d${i}`,
        uri: `u${i}`,
        hash: 'h',
        group: 'default',
        position: i,
        text: 't',
        span: [0, 1],
        location: {},
        metadata,
        vector: Float32Array.of(i + 1, 1, 0, 0),
      },
    }));
    const t = Date.now();
    await tables.insertChunks(rows);
    if (process.env.LAB_FLUSH) {
      await connection.longCall('f', (c) => c.flushSync({ collection_names: [collection] }));
      for (let i = 0; i < 100; i++) {
        const d = await connection.call('d', (c) => c.describeIndex({ collection_name: collection }));
        const seg = await connection.call('s', (c) => c.getQuerySegmentInfo({ collectionName: collection }));
        if (i % 10 === 9)
          console.log(
            d.index_descriptions.map((x) => x.field_name + ':' + x.state + x.indexed_rows + '/' + x.total_rows).join(' '),
            JSON.stringify(seg.infos.map((x) => [x.num_rows, x.state, x.index_name])),
          );
        if (i > 30) break;
        await new Promise((r) => setTimeout(r, 500));
      }
    }
    const back = await tables.chunks(rows.map((r) => r.rowId));
    expect(back.map((b) => b.chunk).sort((a, b) => a.position - b.position)).toEqual(
      rows
        .map(({ entry: { vector, ...chunk } }) => chunk)
        .map((c) => ({ ...c, metadata: JSON.parse(JSON.stringify(c.metadata)) })),
    );
    const nums = [2 ** 63, 1e20, -(2 ** 53) - 2, 5e-324, 1e300, 123456789.125, 9.3e18];
    const extra = nums.flatMap((value) =>
      (['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const).map((op) => ({ op, field: 'n', value }) as const),
    );
    const filters = [
      ...filterTable().flatMap(({ json }) => parseFilter(json) ?? []),
      ...extra,
      ...randomFilters(declared ? 1 : 2, Number(process.env.LAB_COUNT ?? 300)),
    ];
    let wrong = 0,
      asked = 0;
    const work = filters.map((filter) => async () => {
      const { pushed } = splitFilter(filter, server.compiler.canPush);
      if (JSON.stringify(filter) === 'null') return;
      if (!pushed) return;
      const { expression } = compileFilter(pushed, fields);
      asked++;
      try {
        const { data } = await connection.call('q', (c) =>
          c.query({ collection_name: collection, filter: expression, output_fields: ['chunk_id'] }),
        );
        const got = data
          .map((d) => String(d.chunk_id))
          .sort()
          .join();
        const want = rows
          .filter((r) => matches(pushed, r.entry))
          .map((r) => r.entry.id)
          .sort()
          .join();
        if (got !== want) {
          if (wrong++ < 8) console.log('WRONG', JSON.stringify(filter), expression, '\n got', got, '\nwant', want);
        }
      } catch (error) {
        if (wrong++ < 8) console.log('ERROR', JSON.stringify(filter), expression, String(error).slice(0, 300));
      }
    });
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let w = work[next++]; w; w = work[next++]) await w();
      }),
    );
    console.log(declared, 'asked', asked, 'wrong', wrong, Date.now() - t, 'ms');
    const near = await tables.nearest({ vector: Float32Array.of(1, 1, 0, 0), limit: 5, native: undefined });
    console.log(
      near.index,
      near.more,
      near.hits.map((h) => [h.chunk.id, h.score]),
    );
    const t2 = Date.now();
    const near2 = await tables.nearest({
      vector: Float32Array.of(1, 1, 0, 0),
      limit: 5,
      native: { op: 'gte', field: 'year', value: 2001 },
    });
    console.log(
      near2.index,
      near2.hits.map((h) => h.chunk.id),
      Date.now() - t2,
    );
    console.log(await server.spaces());
    const keys = [];
    for await (const k of tables.chunkKeys(undefined)) keys.push(k);
    expect(keys).toHaveLength(rows.length);
    await tables.putWriter({ writer: 'ab', seq: 1, at: 5 });
    await tables.putWriter({ writer: 'ab', seq: 2, at: 6 });
    console.log(await tables.writers());
    await tables.deleteChunks(rows.slice(0, 10).map((r) => r.rowId));
    const left = [];
    for await (const k of tables.chunksOf({ documentIds: rows.map((r) => r.entry.documentId), vectors: true })) left.push(k);
    expect(left).toHaveLength(rows.length - 10);
    expect(await server.drop(collection)).toBe(true);
    expect(await server.drop(collection)).toBe(false);
  }
  await server.close();
  await connection.close();
}, 600000);
