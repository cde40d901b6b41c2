// Question: what does hotrag's search cost over a server's plain client that does the same vector search on the same collection, and
// how fast does a collection move between stores? hotrag and the client take turns within one run, each going first in every other
// round. Both end with the ids and texts of the ten best, in order. Both are given the query's vector: the client as it is, hotrag by an
// embedder that looks it up, so no model is in either figure; what embedding costs besides is printed. The client's filter is written by
// hand. In hotrag's time is all it does more: reading the version beside the search, telling live rows from stale ones, one row more to see
// whether the last hit ties, a second trip where it does, and an order of hits that is the same on every store.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyCollection, openRag } from '../dist/sdk/index.js';
import { packageSources } from './lib/corpus.mjs';
import { median, percentile, table } from './lib/measure.mjs';
import { openMilvusClient, startChroma, startMilvusLite } from './lib/servers.mjs';

const CHUNKS = 5000;
const WARM_UP = 30;
const ROUNDS = 240;
const TOP_K = 10;
/** Rows among which hotrag's hits must be: ties are many in READMEs, and a server cuts them anywhere. */
const CANDIDATES = 100;
const COLLECTION = 'docs';
const METADATA = { package: 'string', major: 'number', license: 'string', keywords: 'string[]' };
const FILTER = { license: 'MIT', major: { $gte: 1 } };
const NO_EMBEDDING = { embeddingFunction: null };
/** The columns that hotrag reads of a hit. */
const MILVUS_OUTPUT = [
  ...['row_id', 'chunk_id', 'document_id', 'uri', 'hash', 'chunk_group', 'position'],
  ...['text', 'text_2', 'text_3', 'text_4', 'place', 'metadata', 'has_vector'],
];

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  const servers = [];
  try {
    servers.push(await startChroma(join(folder, 'chroma')), await startMilvusLite(join(folder, 'milvus')));
    const [chroma, milvus] = servers;
    const stores = {
      memory: { type: 'memory', path: join(folder, 'memory') },
      chroma: { type: 'chroma', uri: chroma.uri },
      milvus: { type: 'milvus', uri: milvus.uri, timeoutMs: 60_000 },
    };
    const clients = ['chromadb', '@zilliz/milvus2-sdk-node'].map((name) => `${name} ${versionOf(name)}`).join(', ');
    console.log(`servers: ${chroma.version}, ${milvus.version}; clients: ${clients}; load average ${load()}\n`);
    const { chunks, queries } = await fill(stores.memory);
    console.log(`${chunks} chunks of 256 dimensions; both servers with hotrag's default index`);
    await compareCopies(stores, folder);

    const { vectors, embedder, embedMs } = await vectorsOf(queries, chroma.uri);
    console.log(`\ntop ${TOP_K} by vector, ${ROUNDS} rounds after ${WARM_UP}, every query once; load average ${load()}\n`);
    const rows = [];
    for (const client of [await openChroma(chroma.uri), await openMilvus(milvus.uri)]) {
      const rag = await openRag({
        store: stores[client.store],
        embedder,
        metadata: METADATA,
        collection: COLLECTION,
        caches: { search: false },
      });
      for (const filter of [undefined, FILTER]) rows.push(await compareSearches(rag, client, filter, queries, vectors));
      await rag.close();
      await client.close();
    }
    table(['', 'hotrag ms', 'p95', 'client ms', 'p95', 'ratio', 'ratio in pairs', `hits among ${CANDIDATES}`], rows);
    console.log(
      '\nms are medians over the rounds, `ratio` that of the medians, `in pairs` the median of each round’s; ' +
        `embedding a query with the bundled model would add ${embedMs.toFixed(2)} ms; load average ${load()} at the end`,
    );
    return 0;
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Real text in the embedded store, and as many different queries as are asked: beginnings of its chunks. */
async function fill(store) {
  const rag = await openRag({ store, collection: COLLECTION, metadata: METADATA, groups: { default: { maxChars: 500 } } });
  let chunks = 0;
  for (const source of packageSources()) {
    chunks += (await rag.ingest([source])).chunks;
    if (chunks >= CHUNKS) break;
  }
  if (chunks < CHUNKS) throw new Error(`${chunks} chunks only: the installed packages hold too little Markdown`);
  const queries = new Set();
  for (const word of [
    'install',
    'usage',
    'options',
    'licence',
    'returns',
    'example',
    'changes',
    'type',
    'error',
    'stream',
    'fix',
    'file',
  ]) {
    const { hits } = await rag.search(word, { topK: 100 });
    for (const { text } of hits) {
      const words = text.match(/[A-Za-z]{3,}/g)?.slice(2, 10) ?? [];
      if (words.length === 8) queries.add(words.join(' '));
    }
  }
  await rag.close();
  if (queries.size < WARM_UP + ROUNDS) throw new Error(`${queries.size} queries only`);
  return { chunks, queries: [...queries].slice(0, WARM_UP + ROUNDS) };
}

/** The vectors that the bundled embedder makes of the queries, an embedder that only looks them up, and how long the real one takes. */
async function vectorsOf(queries, uri) {
  const rag = await openRag({
    store: { type: 'chroma', uri },
    collection: 'queries',
    caches: { embeddings: false, search: false },
  });
  await rag.ingest(queries.map((text) => ({ id: text, text })));
  const [{ embedder: id }] = await rag.collections.list();
  const times = [];
  for (const query of queries) {
    const { explain } = await rag.search(query, { mode: 'vector', topK: 1, explain: true });
    times.push(explain.stages.find(({ name }) => name === 'embed').ms);
  }
  await rag.close();
  const collection = await (await openChromaClient(uri)).getCollection({ name: 'queries', ...NO_EMBEDDING });
  const { embeddings, uris } = await collection.get({ include: ['embeddings', 'uris'] });
  const vectors = new Map(uris.map((json, index) => [JSON.parse(json).text, Float32Array.from(embeddings[index])]));
  const embed = async (texts) => texts.map((text) => vectors.get(text));
  return { vectors, embedder: { id, dimensions: 256, maxBatch: 32, embed }, embedMs: median(times) };
}

async function compareCopies({ memory, chroma, milvus }, folder) {
  const rows = [];
  const back = (name) => ({ type: 'memory', path: join(folder, name) });
  for (const [name, from, to] of [
    ['memory to Chroma', memory, chroma],
    ['memory to Milvus Lite', memory, milvus],
    ['Chroma to memory', chroma, back('from-chroma')],
    ['Milvus Lite to memory', milvus, back('from-milvus')],
  ]) {
    const { tookMs, chunks, vectorDifference } = await copyCollection({ from, to, collection: COLLECTION });
    rows.push([name, (tookMs / 1000).toFixed(1), Math.round((chunks / tookMs) * 1000), vectorDifference]);
  }
  console.log('\ncopyCollection, with the comparison at its end\n');
  table(['', 'seconds', 'chunks a second', 'largest difference of a vector'], rows);
}

/** One row of the table: hotrag and the client in turns. That both found the same is looked at after each round, outside of the times. */
async function compareSearches(rag, client, filter, queries, vectors) {
  const times = { hotrag: [], client: [] };
  let same = 0;
  for (const [round, query] of queries.entries()) {
    const vector = vectors.get(query);
    const turns = {
      hotrag: async () => (await rag.search(query, { mode: 'vector', topK: TOP_K, filter })).hits,
      client: () => client.search(Array.from(vector), TOP_K, filter !== undefined),
    };
    const found = {};
    const order = Object.keys(turns);
    for (const name of round % 2 === 0 ? order : order.reverse()) {
      const startedAt = performance.now();
      found[name] = await turns[name]();
      if (round >= WARM_UP) times[name].push(performance.now() - startedAt);
    }
    const known = new Map(
      (await client.search(Array.from(vector), CANDIDATES, filter !== undefined)).map(({ id, text }) => [id, text]),
    );
    const isSame = found.hotrag.length === TOP_K && found.hotrag.every(({ id, text }) => known.get(id) === text);
    if (round >= WARM_UP && isSame) same++;
  }
  const ms = (name) => median(times[name]);
  return [
    `${client.name}, ${filter === undefined ? 'no filter' : 'filtered'}`,
    ...['hotrag', 'client'].flatMap((name) => [ms(name).toFixed(2), percentile(times[name], 0.95).toFixed(2)]),
    (ms('hotrag') / ms('client')).toFixed(3),
    median(times.hotrag.map((time, index) => time / times.client[index])).toFixed(3),
    `${same}/${ROUNDS}`,
  ];
}

async function openChromaClient(uri) {
  const { ChromaClient } = await import('chromadb');
  const { hostname, port } = new URL(uri);
  return new ChromaClient({ host: hostname, port: Number(port) });
}

async function openChroma(uri) {
  const collection = await (await openChromaClient(uri)).getCollection({ name: COLLECTION, ...NO_EMBEDDING });
  const where = { $and: [{ 's:license': 'MIT' }, { 's:major': { $gte: 1 } }] };
  return {
    name: 'Chroma',
    store: 'chroma',
    async search(vector, nResults, filtered) {
      const request = { queryEmbeddings: [vector], nResults, include: ['uris', 'distances'] };
      const { uris } = await collection.query(filtered ? { ...request, where } : request);
      // A chunk is JSON there.
      return uris[0].map((json) => JSON.parse(json));
    },
    close: async () => {},
  };
}

async function openMilvus(uri) {
  const client = await openMilvusClient(uri);
  const filter = '(field__license == "MIT") and (field__major >= 1)';
  return {
    name: 'Milvus Lite',
    store: 'milvus',
    async search(vector, limit, filtered) {
      const request = { collection_name: COLLECTION, data: vector, anns_field: 'vector', limit, output_fields: MILVUS_OUTPUT };
      const { status, results } = await client.search({ ...request, filter: filtered ? filter : '', params: {} });
      if (status.error_code !== 'Success') throw new Error(status.reason);
      return results.map(({ chunk_id, text }) => ({ id: chunk_id, text }));
    },
    close: () => client.closeConnection(),
  };
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

function load() {
  return loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');
}
