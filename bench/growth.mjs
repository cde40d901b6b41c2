import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DIMENSIONS, PASSAGES, prepareVectors, QUERIES, readVectors } from './engine/data.mjs';
import { anonymousMemory, measure, median, percentile, runStep } from './lib/measure.mjs';
import { plot } from './lib/plot.mjs';

const SIZES = '1000,10000,40000';
const PASSAGES_A_DOCUMENT = 5;
const DOCUMENTS_A_CALL = 400;
const MODES = ['vector', 'keyword', 'hybrid'];
const STARTS = 3;
const TOP_K = 10;
/** A process that uses less than this within a wait has nothing left to do. */
const IDLE_CPU_MS = 40;
const IDLE_WAIT_MS = 1500;
const RESULTS = new URL('./results/', import.meta.url);
const IMAGE = fileURLToPath(new URL('../docs/images/growth.svg', import.meta.url));

export async function run(args) {
  const sizes = option(args, '--sizes', SIZES).split(',').map(Number);
  const log = option(args, '--log', 'growth');
  const texts = args.flatMap((name, at) => (name === '--text' ? [args[at + 1]] : []));
  const { folder: vectors } = await prepareVectors(Math.max(...sizes), texts);
  const results = [];
  for (const size of sizes) {
    results.push(resultOf(size, vectors));
    // After each: the largest takes minutes, and what was measured before it is worth keeping.
    keep(results, log);
    console.log(`${size} chunks done, load average ${loadavg()[0].toFixed(1)}`);
  }
  console.log(`\n${reportOf(results)}`);
  return 0;
}

function keep(results, log) {
  mkdirSync(RESULTS, { recursive: true });
  mkdirSync(dirname(IMAGE), { recursive: true });
  writeFileSync(new URL(`${log}.md`, RESULTS), `${reportOf(results)}\n`);
  writeFileSync(new URL(`${log}.json`, RESULTS), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(IMAGE, plot(panels(results)));
}

function reportOf(results) {
  const [{ model = 'unknown processor' } = {}] = cpus();
  return [
    `${cpus().length} x ${model.trim()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}, load average ${loadavg()[0].toFixed(1)}`,
    `npm run bench:growth -- --sizes ${results.map(({ size }) => size).join(',')}`,
    '',
    ...markdown(results),
    '',
    ...slopes(results),
  ].join('\n');
}

function resultOf(size, vectors) {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  try {
    const filled = runStep(import.meta.url, 'fill', folder, size, vectors);
    const starts = Object.fromEntries(
      MODES.map((mode) => [
        mode,
        Array.from({ length: STARTS }, (_, round) => runStep(import.meta.url, 'start', folder, mode, round)),
      ]),
    );
    const importMs = median(Object.values(starts).flatMap((some) => some.map((one) => one.importMs)));
    return {
      size,
      ...filled,
      importMs,
      start: mapModes((mode) => median(starts[mode].map(({ firstMs }) => firstMs))),
      startCpu: mapModes((mode) => median(starts[mode].map(({ firstCpuMs }) => firstCpuMs))),
      ...step('warm', folder),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const STEPS = {
  async fill(folder, sizeText, vectors) {
    const size = Number(sizeText);
    const passages = readFileSync(PASSAGES, 'utf8')
      .split('\n', QUERIES + size)
      .map((line) => JSON.parse(line));
    const { queries, rows } = readVectors(vectors, size);
    // The processes that are measured must never have held more than these.
    writeFileSync(join(folder, 'queries.json'), JSON.stringify(passages.slice(0, QUERIES).map(fewWords)));
    writeFileSync(join(folder, 'queries.f32'), queries);
    const indexed = passages.slice(QUERIES);
    const at = new Map(indexed.map((text, index) => [text, index]));
    const rag = await open(folder, (text) => rowOf(rows, at.get(text)));
    const { cpuMs: ingestCpuMs } = await measure(async () => {
      const step = PASSAGES_A_DOCUMENT * DOCUMENTS_A_CALL;
      for (let start = 0; start < size; start += step)
        await rag.ingest(documentsOf(indexed, start, Math.min(size, start + step)));
    });
    const { cpuMs: indexCpuMs } = await measure(async () => {
      await rag.search(indexed[0], { mode: 'vector' });
      await rag.search(indexed[0], { mode: 'keyword' });
      await untilIdle();
      await rag.close();
    });
    return { ingestCpuMs, indexCpuMs };
  },
  async start(folder, mode, round) {
    const queries = queriesIn(folder);
    const text = queries.texts[Number(round)];
    const before = performance.now();
    await import('lmdb');
    // What opening loads, by opening a store that keeps nothing.
    await (await open(undefined, queries.vectorOf)).close();
    const loaded = performance.now();
    const cpuBefore = process.cpuUsage();
    const rag = await open(folder, queries.vectorOf);
    const { hits } = await rag.search(text, { mode, topK: TOP_K });
    const firstMs = performance.now() - loaded;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (hits.length === 0) throw new Error('nothing was found');
    await rag.close();
    return { importMs: loaded - before, firstMs, firstCpuMs: (user + system) / 1000 };
  },
  async warm(folder) {
    const queries = queriesIn(folder);
    const rag = await open(folder, queries.vectorOf);
    const result = { p50: {}, cpu: {} };
    for (const mode of MODES) {
      const times = async (some) => {
        const all = [];
        for (const text of some) {
          const start = performance.now();
          await rag.search(text, { mode, topK: TOP_K });
          all.push(performance.now() - start);
        }
        return all;
      };
      await times(queries.texts.slice(0, QUERIES / 2));
      const rounds = [];
      for (let round = 0; round < 3; round++) rounds.push(await measure(() => times(queries.texts.slice(QUERIES / 2))));
      result.p50[mode] = median(rounds.map(({ value }) => percentile(value, 0.5)));
      result.cpu[mode] = median(rounds.map(({ cpuMs }) => cpuMs)) / (QUERIES / 2);
    }
    for (let round = 0; round < 5; round++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    result.anonymousBytes = anonymousMemory();
    await rag.close();
    return result;
  },
};

/** No cache: every search is done, and the embedder is asked for every text. */
async function open(path, vectorOf) {
  const { openRag } = await import('../dist/sdk/index.js');
  return openRag({
    store: path === undefined ? { type: 'memory' } : { type: 'memory', path: join(path, 'store') },
    collection: 'growth',
    embedder: {
      id: 'looked-up',
      dimensions: DIMENSIONS,
      maxBatch: 1000,
      embed: async (texts) => texts.map(vectorOf),
    },
    caches: { search: false, embeddings: false },
    groups: { default: { id: 'a line each', chunk: linesOf } },
  });
}

function* linesOf({ text }) {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    yield { span: [start, end], headings: [] };
    start = end + 1;
  }
}

function documentsOf(passages, from, to) {
  const documents = [];
  for (let at = from; at < to; at += PASSAGES_A_DOCUMENT) {
    documents.push({
      id: `docs/file-${String(at).padStart(7, '0')}.txt`,
      text: passages.slice(at, Math.min(to, at + PASSAGES_A_DOCUMENT)).join('\n'),
    });
  }
  return documents;
}

/** Three to eight neighbouring words of a passage that is not in the store. */
function fewWords(passage, index) {
  const words = passage.split(/\s+/);
  const start = Math.min((index * 31) % 8, Math.max(0, words.length - 8));
  return `${words.slice(start, start + 3 + (index % 6)).join(' ')} ${index}`;
}

function queriesIn(folder) {
  const texts = JSON.parse(readFileSync(join(folder, 'queries.json'), 'utf8'));
  const { buffer, byteOffset } = readFileSync(join(folder, 'queries.f32'));
  const vectors = new Float32Array(buffer, byteOffset, QUERIES * DIMENSIONS);
  const at = new Map(texts.map((text, index) => [text, index]));
  return { texts, vectorOf: (text) => rowOf(vectors, at.get(text)) };
}

/** Waits for what a search leaves to be done beside it: linking vectors into the graph, saving. */
async function untilIdle() {
  for (;;) {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, IDLE_WAIT_MS));
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 < IDLE_CPU_MS) return;
  }
}

function markdown(results) {
  const rows = [
    ['ingest, CPU µs a chunk', ({ size, ingestCpuMs }) => ((ingestCpuMs * 1000) / size).toFixed(0)],
    ['indexing and saving, CPU µs a chunk', ({ size, indexCpuMs }) => ((indexCpuMs * 1000) / size).toFixed(0)],
    ...MODES.map((mode) => [`${mode} query, CPU ms`, ({ cpu }) => cpu[mode].toFixed(2)]),
    ...MODES.map((mode) => [`${mode} query, p50 ms`, ({ p50 }) => p50[mode].toFixed(2)]),
    ['import, ms', ({ importMs }) => importMs.toFixed(0)],
    ...MODES.map((mode) => [
      `open + first ${mode} hit, ms (CPU)`,
      ({ start, startCpu }) => `${start[mode].toFixed(0)} (${startCpu[mode].toFixed(0)})`,
    ]),
    ['anonymous memory, MB', ({ anonymousBytes }) => (anonymousBytes / 1e6).toFixed(0)],
  ];
  return [
    `| chunks | ${results.map(({ size }) => size.toLocaleString('en')).join(' | ')} |`,
    `|---|${results.map(() => '---|').join('')}`,
    ...rows.map(([name, textOf]) => `| ${name} | ${results.map(textOf).join(' | ')} |`),
  ];
}

function slopes(results) {
  const first = results.find(({ size }) => size >= 10_000);
  const last = results.at(-1);
  if (first === undefined || first === last) return [];
  const bytes = (last.anonymousBytes - first.anonymousBytes) / (last.size - first.size);
  return [`anonymous memory from ${first.size} to ${last.size} chunks: ${bytes.toFixed(0)} bytes a chunk`];
}

function panels(results) {
  const line = (name, measureOf) => ({ name, points: results.map((result) => [result.size, measureOf(result)]) });
  return [
    { title: 'Query, CPU ms', lines: MODES.map((mode) => line(mode, ({ cpu }) => cpu[mode])) },
    {
      title: 'Ingest, CPU µs a chunk',
      lines: [
        line('ingest', ({ size, ingestCpuMs }) => (ingestCpuMs * 1000) / size),
        line('indexing, saving', ({ size, indexCpuMs }) => (indexCpuMs * 1000) / size),
      ],
    },
    {
      title: 'Open + first hit in a fresh process, CPU ms',
      lines: MODES.map((mode) => line(mode, ({ startCpu }) => startCpu[mode])),
    },
    { title: 'Anonymous memory, MB', lines: [line('process', ({ anonymousBytes }) => anonymousBytes / 1e6)] },
  ];
}

function mapModes(resultFor) {
  return Object.fromEntries(MODES.map((mode) => [mode, resultFor(mode)]));
}

function rowOf(rows, row) {
  return rows.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
}

function option(args, name, fallback) {
  const at = args.indexOf(name);
  return at < 0 ? fallback : args[at + 1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name, ...args] = process.argv;
  process.stdout.write(JSON.stringify(await STEPS[name](...args)));
}
