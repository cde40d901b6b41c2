// node filters.mjs FOLDER SIZE QUERIES: searches with a filter on a field that has an index, hotrag's whole store beside zvec. `random`: the filter has
// nothing to do with the vectors. `near`: it lets the rows through that are nearest to one of them, so that most queries ask about something
// else, the hardest case for a graph.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../lib/corpus.mjs';
import { measure, median, table } from '../lib/measure.mjs';
import { DIMENSIONS, readVectors } from './data.mjs';
import { EF_CONSTRUCTION, LINKS, require, rowOf, TOP_K } from './engines.mjs';
import { openStore } from './store.mjs';
import { dot, nearest, recallOf } from './truth.mjs';

const SHARES = [50, 10, 1, 0.1];
const RECALL = 0.99;
const EFS = [24, 32, 40, 48, 64, 80, 112, 160, 240, 400, 800];
const ROUNDS = 3;

const [folder, sizeText, queriesText] = process.argv.slice(2);
const size = Number(sizeText);
const { queries: all, rows } = readVectors(folder, size);
const queries = Array.from({ length: Number(queriesText) }, (_, at) => rowOf(all, at));
const fields = fieldsOf();
console.log(
  `\nfilters: ${size} x ${DIMENSIONS}, ${queries.length} queries, top ${TOP_K}; Node ${process.version}; load average ${loadavg()[0].toFixed(1)}`,
);

const own = await openStore();
const numbers = Array.from({ length: size }, (_, row) => row);
await own.put(rows, numbers, { metadataOf });
await own.settle();
const peer = openZvec();

const lines = [];
for (const { name, field, allowed } of fields) {
  const truth = queries.map((query) => nearest(query, rows, size, (row) => allowed[row] === 1));
  const ownSearch = (query) => own.search(query, { op: 'eq', field, value: 1 });
  const ownRecall = await recallOf(queries, truth, ownSearch);
  let ef;
  let peerRecall = 0;
  for (ef of EFS) {
    peerRecall = await recallOf(queries, truth, (query) => peer.search(query, `${field} = 1`, ef));
    if (peerRecall >= RECALL) break;
  }
  const times = { own: [], peer: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const ownMs = await cpuMsOf(ownSearch);
    const peerMs = await cpuMsOf((query) => peer.search(query, `${field} = 1`, ef));
    if (round === 0) continue;
    times.own.push(ownMs);
    times.peer.push(peerMs);
  }
  const [ownMs, peerMs] = [median(times.own), median(times.peer)];
  lines.push([
    name,
    ownRecall.toFixed(4),
    ownMs.toFixed(4),
    peerRecall.toFixed(4),
    ef,
    peerMs.toFixed(4),
    `${(ownMs / peerMs).toFixed(2)}x`,
  ]);
}
table(['filter', 'hotrag recall', 'CPU ms', 'zvec f32 recall', 'ef', 'CPU ms', 'hotrag is'], lines);
await own.close();
peer.close();

/** A field of 0 and 1 for each filter. */
function fieldsOf() {
  const random = createRandom(7);
  const order = numbersBy(() => random());
  const anchor = rowOf(rows, Math.floor(size / 3));
  const near = numbersBy((row) => -dot(anchor, rows, row * DIMENSIONS));
  return Object.entries({ random: order, near }).flatMap(([kind, ordered]) =>
    SHARES.map((share, at) => {
      const allowed = new Uint8Array(size);
      for (const row of ordered.slice(0, Math.round((size * share) / 100))) allowed[row] = 1;
      return { name: `${kind} ${share} %`, field: `${kind}${at}`, allowed };
    }),
  );
}

function numbersBy(measureOf) {
  return Array.from({ length: size }, (_, row) => ({ row, value: measureOf(row) }))
    .sort((left, right) => left.value - right.value)
    .map(({ row }) => row);
}

function metadataOf(row) {
  return Object.fromEntries(fields.map(({ field, allowed }) => [field, allowed[row]]));
}

async function cpuMsOf(search) {
  const { cpuMs } = await measure(async () => {
    for (const query of queries) await search(query);
  });
  return cpuMs / queries.length;
}

function openZvec() {
  const { ZVecCollectionSchema, ZVecCreateAndOpen, ZVecDataType, ZVecIndexType, ZVecInitialize, ZVecMetricType } =
    require('@zvec/zvec');
  const place = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  ZVecInitialize({ queryThreads: 1, optimizeThreads: 1 });
  const collection = ZVecCreateAndOpen(
    join(place, 'collection'),
    new ZVecCollectionSchema({
      name: 'bench',
      vectors: {
        name: 'v',
        dataType: ZVecDataType.VECTOR_FP32,
        dimension: DIMENSIONS,
        indexParams: { indexType: ZVecIndexType.HNSW, metricType: ZVecMetricType.IP, m: LINKS, efConstruction: EF_CONSTRUCTION },
      },
      fields: fields.map(({ field }) => ({
        name: field,
        dataType: ZVecDataType.INT32,
        indexParams: { indexType: ZVecIndexType.INVERT },
      })),
    }),
  );
  for (let row = 0; row < size; row += 1000) {
    collection.insertSync(
      Array.from({ length: Math.min(1000, size - row) }, (_, at) => ({
        id: String(row + at),
        vectors: { v: rowOf(rows, row + at) },
        fields: metadataOf(row + at),
      })),
    );
  }
  collection.optimizeSync({ concurrency: 1 });
  return {
    search(query, filter, ef) {
      const params = { indexType: ZVecIndexType.HNSW, ef };
      return collection
        .querySync({ fieldName: 'v', vector: query, topk: TOP_K, filter, params, outputFields: [] })
        .map(({ id }) => Number(id));
    },
    close() {
      collection.closeSync?.();
      rmSync(place, { recursive: true, force: true });
    },
  };
}
