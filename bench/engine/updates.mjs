// node updates.mjs FOLDER SIZE QUERIES: searches after deletes and upserts, beside a store that never held anything else, taking turns.
import { loadavg } from 'node:os';
import { createRandom } from '../lib/corpus.mjs';
import { measure, median, table } from '../lib/measure.mjs';
import { DIMENSIONS, readVectors } from './data.mjs';
import { rowOf, TOP_K } from './engines.mjs';
import { openStore } from './store.mjs';
import { nearest, recallOf } from './truth.mjs';

const ROUNDS = 5;
/** Upserts come in parts, between which the graph is tended, as it is in a process that lives. */
const PARTS = 10;

const [folder, sizeText, queriesText] = process.argv.slice(2);
const size = Number(sizeText);
const { queries: all, rows } = readVectors(folder, 2 * size);
const queries = Array.from({ length: Number(queriesText) }, (_, at) => rowOf(all, at));
const first = Array.from({ length: size }, (_, row) => row);
const second = first.map((row) => size + row);
console.log(
  `\nupdates: ${size} x ${DIMENSIONS}, ${queries.length} queries, top ${TOP_K}; Node ${process.version}; load average ${loadavg()[0].toFixed(1)}`,
);

const lines = [];
for (const share of [10, 50]) {
  const random = createRandom(share);
  const dropped = new Set(first.filter(() => random() < share / 100));
  const left = first.filter((row) => !dropped.has(row));
  await compare(`${share} % deleted`, left, async (store) => {
    await store.put(rows, first);
    await store.settle();
    await store.drop([...dropped]);
    await store.settle();
  });
}
await compare('100 % upserted', second, async (store) => {
  await store.put(rows, first);
  await store.settle();
  for (let part = 0; part < PARTS; part++) {
    await store.put(
      rows,
      second.filter((row) => row % PARTS === part),
      { nameOf: (row) => row - size },
    );
    await store.settle();
  }
});
table(['', 'recall', 'fresh', 'query CPU ms', 'fresh', 'is'], lines);

/** @param live rows that are in at the end */
async function compare(name, live, change) {
  const changed = await openStore();
  await change(changed);
  const fresh = await openStore();
  await fresh.put(rows, live);
  await fresh.settle();
  // A row that took another's place goes by its name.
  const nameOf = live === second ? (row) => row - size : (row) => row;
  const isLive = new Uint8Array(2 * size);
  for (const row of live) isLive[row] = 1;
  const truth = queries.map((query) => nearest(query, rows, 2 * size, (row) => isLive[row] === 1));
  const named = truth.map((some) => some.map(nameOf));
  const recall = await recallOf(queries, named, changed.search);
  const freshRecall = await recallOf(queries, truth, fresh.search);
  const times = { changed: [], fresh: [] };
  for (let round = 0; round <= ROUNDS; round++) {
    const changedMs = await cpuMsOf(changed);
    const freshMs = await cpuMsOf(fresh);
    if (round === 0) continue;
    times.changed.push(changedMs);
    times.fresh.push(freshMs);
  }
  const [changedMs, freshMs] = [median(times.changed), median(times.fresh)];
  lines.push([
    name,
    recall.toFixed(4),
    freshRecall.toFixed(4),
    changedMs.toFixed(4),
    freshMs.toFixed(4),
    `${(changedMs / freshMs).toFixed(2)}x`,
  ]);
  await changed.close();
  await fresh.close();
}

async function cpuMsOf(store) {
  const { cpuMs } = await measure(async () => {
    for (const query of queries) await store.search(query);
  });
  return cpuMs / queries.length;
}
