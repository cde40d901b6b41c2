import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anonymousMemory, measure, median, percentile, runStep, table } from './lib/measure.mjs';
import { queriesFrom, textPassages } from './lib/passages.mjs';

const SIZES = [1000, 10_000, 40_000, 100_000];
const PASSAGES_A_DOCUMENT = 5;
const DOCUMENTS_A_COMMIT = 100;
const QUERIES = 500;
const STARTS = 5;
const FIRST_QUERIES = [
  'how do I install the package and configure its options',
  'which licence applies to contributions',
  'read a file line by line',
];
const REQUEST = {
  collection: 'bench',
  fingerprint: { embedder: 'none', dimensions: 1, metric: 'cosine' },
  fields: [],
  create: true,
};

/** @param arguments sizes; without any, those above */
export async function run(args) {
  const sizes = args.length > 0 ? args.map(Number) : SIZES;
  const rows = [];
  const memory = new Map();
  for (const size of sizes) {
    const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
    try {
      const filled = runStep(import.meta.url, 'fill', folder, size);
      const starts = Array.from({ length: STARTS }, (_, round) => runStep(import.meta.url, 'start', folder, round));
      const warm = runStep(import.meta.url, 'warm', folder);
      memory.set(filled.passages, warm.anonymousBytes);
      rows.push([
        filled.passages,
        (filled.cpuMs / 1000).toFixed(1),
        (filled.saveCpuMs / 1000).toFixed(2),
        (filled.bytes / filled.passages).toFixed(0),
        median(starts.map(({ importMs }) => importMs)).toFixed(0),
        median(starts.map(({ firstMs }) => firstMs)).toFixed(1),
        median(starts.map(({ firstCpuMs }) => firstCpuMs)).toFixed(1),
        warm.p50.toFixed(3),
        warm.p95.toFixed(3),
        warm.cpuMs.toFixed(3),
        warm.deepP50.toFixed(3),
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  console.log(`fresh processes: median of ${STARTS}; warm: ${QUERIES} different queries of 3 to 8 words, after as many others\n`);
  table(
    [
      'passages',
      'fill CPU s',
      'save CPU s',
      'file B a passage',
      'import ms',
      'open + first hit ms',
      'its CPU ms',
      'top 10 p50 ms',
      'p95 ms',
      'CPU ms a query',
      'top 100 p50 ms',
    ],
    rows,
  );
  const [[few, least], [many, most]] = [[...memory].at(0), [...memory].at(-1)];
  if (many > few) {
    console.log(
      `\nanonymous memory: ${((most - least) / (many - few)).toFixed(0)} bytes a passage, from ${few} to ${many} passages`,
    );
  }
  return 0;
}

const STEPS = {
  async fill(folder, size) {
    const passages = textPassages(Number(size));
    const store = await open(folder);
    const collection = await store.open(REQUEST);
    const { cpuMs } = await measure(async () => {
      for (let start = 0; start < passages.length; start += PASSAGES_A_DOCUMENT * DOCUMENTS_A_COMMIT) {
        await collection.commit({ put: documentsFrom(passages, start), drop: [] });
      }
    });
    const { cpuMs: saveCpuMs } = await measure(() => store.close());
    // The process that is measured must never have held the texts.
    writeFileSync(join(folder, 'queries.json'), JSON.stringify(queriesFrom(passages, 3 * QUERIES)));
    return { passages: passages.length, cpuMs, saveCpuMs, bytes: bytesOf(folder) };
  },
  async start(folder, round) {
    const query = FIRST_QUERIES[Number(round) % FIRST_QUERIES.length];
    const before = performance.now();
    await import('lmdb');
    // All modules of the store, by opening one that keeps nothing.
    await (await open(undefined)).close();
    const loaded = performance.now();
    const cpuBefore = process.cpuUsage();
    const store = await open(folder);
    const collection = await store.open(REQUEST);
    const { matches } = await collection.keywords({ text: query, limit: 10 });
    const firstMs = performance.now() - loaded;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (matches.length === 0) throw new Error('nothing was found');
    await store.close();
    return { importMs: loaded - before, firstMs, firstCpuMs: (user + system) / 1000 };
  },
  async warm(folder) {
    const queries = JSON.parse(readFileSync(join(folder, 'queries.json'), 'utf8'));
    const store = await open(folder);
    const collection = await store.open(REQUEST);
    const times = async (some, limit) => {
      const all = [];
      for (const text of some) {
        const start = performance.now();
        await collection.keywords({ text, limit });
        all.push(performance.now() - start);
      }
      return all;
    };
    await times(queries.slice(0, QUERIES), 10);
    const { value: shallow, cpuMs } = await measure(() => times(queries.slice(QUERIES, 2 * QUERIES), 10));
    const deep = await times(queries.slice(2 * QUERIES), 100);
    queries.length = 0;
    for (let round = 0; round < 5; round++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const anonymousBytes = anonymousMemory();
    await store.close();
    return {
      p50: percentile(shallow, 0.5),
      p95: percentile(shallow, 0.95),
      cpuMs: cpuMs / QUERIES,
      deepP50: percentile(deep, 0.5),
      anonymousBytes,
    };
  },
};

/** The embedded store, as the keyword indexes of remote stores open it. */
async function open(folder) {
  const { openKeywordStoreAt } = await import('../dist/adapters/index.js');
  return openKeywordStoreAt('bench', folder);
}

function documentsFrom(passages, start) {
  const documents = [];
  for (
    let at = start;
    at < Math.min(passages.length, start + PASSAGES_A_DOCUMENT * DOCUMENTS_A_COMMIT);
    at += PASSAGES_A_DOCUMENT
  ) {
    const id = `docs/file-${String(at).padStart(7, '0')}.md`;
    const texts = passages.slice(at, at + PASSAGES_A_DOCUMENT);
    documents.push({
      document: documentOf(id, texts.length),
      entries: texts.map((text, position) => entryOf(id, text, position)),
    });
  }
  return documents;
}

const HASH = 'a'.repeat(64);

function documentOf(id, chunks) {
  return {
    id,
    uri: id,
    hash: HASH,
    metadata: {},
    loader: 'text',
    origin: '',
    length: 0,
    chunks,
    updatedAt: '2024-01-01T00:00:00.000Z',
  };
}

function entryOf(documentId, text, position) {
  return {
    id: `${documentId}#${HASH.slice(0, 12)}/default/${String(position).padStart(6, '0')}`,
    documentId,
    uri: documentId,
    hash: HASH,
    group: 'default',
    position,
    text,
    span: [0, text.length],
    location: {},
    metadata: {},
    vector: new Float32Array(1),
  };
}

function bytesOf(folder) {
  return statSync(join(folder, 'keywords', keywordFolder(folder), 'data.mdb')).size;
}

function keywordFolder(folder) {
  return readdirSync(join(folder, 'keywords'))[0];
}

const [, script, name, ...args] = process.argv;
if (script === fileURLToPath(import.meta.url) && name in STEPS) console.log(JSON.stringify(await STEPS[name](...args)));
