// Each engine under one shape: { name, build(rows, count): how it was made, search(query, ef): row numbers, isGraph, close }. Build and search
// on one thread. All graphs: 16 links, 128 looked at while building.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { DIMENSIONS } from './data.mjs';

export const require = createRequire(new URL('../peers/package.json', import.meta.url));
export const LINKS = 16;
export const EF_CONSTRUCTION = 128;
export const TOP_K = 10;

/** All of them; one that can't be loaded (a native part that was not built for this machine) is told of and left out. */
export async function engines() {
  const { createVectorIndex, Bitset } = await ours();
  const makers = [
    () => hotrag('hotrag hnsw', 'hnsw', createVectorIndex, Bitset),
    () => hotrag('hotrag flat', 'flat', createVectorIndex, Bitset),
    () => usearch('usearch bf16', 'bf16'),
    () => usearch('usearch f32', 'f32'),
    () => zvec('zvec f32', false),
    () => zvec('zvec int8', true),
    hnswlib,
    sqliteVec,
    vectra,
  ];
  return makers.flatMap((make) => {
    try {
      return [make()];
    } catch (error) {
      console.log(`left out: ${String(error.message).split('\n')[0]} (${make.name || make})`);
      return [];
    }
  });
}

/** The engine's own modules, which the package doesn't export, bundled from the sources. */
export async function ours() {
  const outfile = new URL('../../.stores/engine/vector-index.mjs', import.meta.url);
  const contents = `export { createVectorIndex } from './vectors/vector-index.js'; export { Bitset } from './bitset.js';
export { openMemoryStore } from './index.js';`;
  const resolveDir = new URL('../../src/adapters/stores/memory/', import.meta.url).pathname;
  await build({
    stdin: { contents, resolveDir, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: outfile.pathname,
  });
  return import(outfile.href);
}

function hotrag(name, kind, createVectorIndex, Bitset) {
  let index;
  let allowed;
  let count;
  const idOf = (row) => String(row).padStart(8, '0');
  const pace = () => undefined;
  let last;
  return {
    name,
    isGraph: kind === 'hnsw',
    async build(rows, size) {
      count = size;
      index = createVectorIndex({ dimensions: DIMENSIONS, metric: 'cosine', kind, capacity: size });
      for (let row = 0; row < size; row++) index.add(row, rowOf(rows, row));
      await index.tend(async () => {});
      allowed = new Bitset(size);
      for (let row = 0; row < size; row++) allowed.add(row);
    },
    /** Searching with another `ef` means loading the same graph with it. */
    async prepare(ef) {
      if (kind === 'flat' || last === ef) return;
      last = ef;
      const saved = new Map(index.save().map(({ key, bytes }) => [key, bytes()]));
      index = createVectorIndex({
        dimensions: DIMENSIONS,
        metric: 'cosine',
        kind,
        capacity: count,
        efSearch: ef,
        saved: (key) => saved.get(key),
      });
    },
    search: async (query) => (await index.query(query, { limit: TOP_K, allowed, idOf, pace })).map(({ ordinal }) => ordinal),
    close() {},
  };
}

function usearch(name, quantization) {
  const { Index } = require('usearch');
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  const make = (ef) =>
    new Index({
      metric: 'cos',
      connectivity: LINKS,
      dimensions: DIMENSIONS,
      quantization,
      expansion_add: EF_CONSTRUCTION,
      expansion_search: ef,
    });
  let index;
  return {
    name,
    isGraph: true,
    async build(rows, size) {
      index = make(64);
      for (let row = 0; row < size; row++) index.add(BigInt(row), rowOf(rows, row));
      index.save(join(folder, 'index'));
    },
    async prepare(ef) {
      index = make(ef);
      index.load(join(folder, 'index'));
    },
    search: (query) => Array.from(index.search(query, TOP_K, 1).keys, Number),
    close: () => rmSync(folder, { recursive: true }),
  };
}

function zvec(name, isInt8) {
  const {
    ZVecCollectionSchema,
    ZVecCreateAndOpen,
    ZVecDataType,
    ZVecIndexType,
    ZVecInitialize,
    ZVecMetricType,
    ZVecQuantizeType,
  } = require('@zvec/zvec');
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  try {
    ZVecInitialize({ queryThreads: 1, optimizeThreads: 1 });
  } catch {
    // Once a process.
  }
  let collection;
  let params;
  return {
    name,
    isGraph: true,
    async build(rows, size) {
      const indexParams = {
        indexType: ZVecIndexType.HNSW,
        // Of normalised vectors the same as the cosine, by which zvec 0.7.0 with int8 finds the wrong rows.
        metricType: ZVecMetricType.IP,
        m: LINKS,
        efConstruction: EF_CONSTRUCTION,
        ...(isInt8 ? { quantizeType: ZVecQuantizeType.INT8 } : {}),
      };
      const schema = new ZVecCollectionSchema({
        name: 'bench',
        vectors: { name: 'v', dataType: ZVecDataType.VECTOR_FP32, dimension: DIMENSIONS, indexParams },
      });
      collection = ZVecCreateAndOpen(join(folder, 'collection'), schema);
      for (let row = 0; row < size; row += 1000) {
        collection.insertSync(
          Array.from({ length: Math.min(1000, size - row) }, (_, at) => ({
            id: String(row + at),
            vectors: { v: rowOf(rows, row + at) },
          })),
        );
      }
      collection.optimizeSync({ concurrency: 1 });
    },
    async prepare(ef) {
      params = { indexType: ZVecIndexType.HNSW, ef };
    },
    search: (query) =>
      collection.querySync({ fieldName: 'v', vector: query, topk: TOP_K, params, outputFields: [] }).map(({ id }) => Number(id)),
    close() {
      collection?.closeSync?.();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function hnswlib() {
  const { HierarchicalNSW } = require('hnswlib-node');
  let index;
  return {
    name: 'hnswlib f32',
    isGraph: true,
    async build(rows, size) {
      index = new HierarchicalNSW('cosine', DIMENSIONS);
      index.initIndex(size, LINKS, EF_CONSTRUCTION);
      for (let row = 0; row < size; row++) index.addPoint(Array.from(rowOf(rows, row)), row);
    },
    async prepare(ef) {
      index.setEf(ef);
    },
    search: (query) => index.searchKnn(Array.from(query), TOP_K).neighbors,
    close() {},
  };
}

function sqliteVec() {
  const { DatabaseSync } = require('node:sqlite');
  const { getLoadablePath } = require('sqlite-vec');
  const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
  const database = new DatabaseSync(':memory:', { allowExtension: true });
  database.loadExtension(getLoadablePath());
  let statement;
  return {
    name: 'sqlite-vec flat f32',
    isGraph: false,
    async build(rows, size) {
      database.exec(`create virtual table v using vec0(embedding float[${DIMENSIONS}] distance_metric=cosine)`);
      const insert = database.prepare('insert into v(rowid, embedding) values (?, ?)');
      database.exec('begin');
      for (let row = 0; row < size; row++) insert.run(BigInt(row), bytesOf(rowOf(rows, row)));
      database.exec('commit');
      statement = database.prepare('select rowid from v where embedding match ? and k = ?');
    },
    search: (query) => statement.all(bytesOf(query), TOP_K).map(({ rowid }) => rowid),
    close: () => database.close(),
  };
}

function vectra() {
  const { LocalIndex } = require('vectra');
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  let index;
  return {
    name: 'vectra flat f32',
    isGraph: false,
    /** Keeps everything as JSON: more would take minutes. */
    most: 10_000,
    async build(rows, size) {
      index = new LocalIndex(folder);
      await index.createIndex();
      await index.beginUpdate();
      for (let row = 0; row < size; row++)
        await index.insertItem({ id: String(row), vector: Array.from(rowOf(rows, row)), metadata: { row } });
      await index.endUpdate();
    },
    search: async (query) => (await index.queryItems(Array.from(query), '', TOP_K)).map(({ item }) => item.metadata.row),
    close: () => rmSync(folder, { recursive: true }),
  };
}

export function rowOf(rows, row) {
  return rows.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
}
