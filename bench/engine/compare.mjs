// node compare.mjs FOLDER SIZE PYTHON QUERIES [--only NAME,NAME]: one size, all engines in one process, taking turns.
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { measure, median, table } from '../lib/measure.mjs';
import { DIMENSIONS, readVectors } from './data.mjs';
import { engines, TOP_K } from './engines.mjs';
import { nearest } from './truth.mjs';

const RECALL = 0.99;
const EFS = [24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 200, 256, 320, 400];
const ROUNDS = 3;

const [folder, sizeText, python, queriesText, , only] = process.argv.slice(2);
const size = Number(sizeText);
const { queries: all, rows } = readVectors(folder, size);
const queries = Array.from({ length: Number(queriesText) }, (_, at) => all.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS));
console.log(
  `\n${size} x ${DIMENSIONS}, ${queries.length} queries, top ${TOP_K}; Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)}`,
);
const truth = queries.map((query) => nearest(query, rows, size));

const results = [];
for (const engine of await engines()) {
  if (only !== undefined && !only.split(',').some((name) => engine.name.startsWith(name))) continue;
  if (size > (engine.most ?? Number.POSITIVE_INFINITY)) continue;
  const { cpuMs } = await measure(() => engine.build(rows, size));
  let recall = 0;
  let ef;
  for (ef of engine.isGraph ? EFS : [undefined]) {
    await engine.prepare?.(ef);
    recall = await recallOf(engine);
    if (recall >= RECALL) break;
  }
  results.push({ engine, buildMs: cpuMs, recall, ef, rounds: [] });
}
// One round each in turn, so that what else the machine does meets all of them.
for (let round = 0; round <= ROUNDS; round++) {
  for (const { engine, rounds } of results) {
    const { cpuMs } = await measure(async () => {
      for (const query of queries) await engine.search(query);
    });
    if (round > 0) rounds.push(cpuMs / queries.length);
  }
}
for (const { engine } of results) await engine.close();

const lines = results.map(({ engine, buildMs, recall, ef, rounds }) => ({
  name: engine.name,
  buildMs,
  recall,
  ef,
  queryMs: median(rounds),
}));
if (only === undefined || only.includes('faiss')) lines.push(...faiss());
const own = lines.find(({ name }) => name === 'hotrag hnsw');
table(
  ['', 'ef', `recall@${TOP_K}`, 'query CPU ms', 'hotrag hnsw is', 'build CPU s', 'hotrag hnsw is'],
  lines.map(({ name, ef, recall, queryMs, buildMs }) => [
    name,
    ef ?? '',
    recall.toFixed(4),
    queryMs.toFixed(4),
    own === undefined ? '' : `${(own.queryMs / queryMs).toFixed(2)}x`,
    (buildMs / 1000).toFixed(2),
    own === undefined || ef === undefined ? '' : `${(own.buildMs / buildMs).toFixed(2)}x`,
  ]),
);

async function recallOf(engine) {
  let hits = 0;
  for (const [at, query] of queries.entries()) {
    const found = new Set(await engine.search(query));
    for (const row of truth[at]) if (found.has(row)) hits++;
  }
  return hits / (queries.length * TOP_K);
}

/** In a process of its own, before and after which nothing else of this bench runs. */
function faiss() {
  const script = fileURLToPath(new URL('./faiss_peer.py', import.meta.url));
  const args = [script, folder, String(size), String(queries.length), String(RECALL), EFS.join(',')];
  const { status, stdout } = spawnSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error('faiss failed');
  return JSON.parse(stdout);
}
