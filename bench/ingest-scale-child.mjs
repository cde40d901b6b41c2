// One measurement of ingest-scale.mjs, in a process of its own: node ingest-scale-child.mjs <what> <corpus> <store>; prints one line of JSON.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { openRag } from '../dist/sdk/index.js';
import { measure, percentile } from './lib/measure.mjs';

const CHANGED = 10;
const QUERIES = [
  'how do I install the package',
  'event loop and promises',
  'parse a date',
  'breaking changes',
  'compiler options',
  'backpressure',
];
const [what, corpus, store] = process.argv.slice(2);
const measurements = { first, again, changed, index, search, langchain };
console.log(JSON.stringify(await measurements[what]()));

async function first() {
  const rag = await open();
  await rag.ingest({ id: 'warm-up', text: 'Loads the model and opens the store.' });
  const peak = watchMemory();
  const { value, ...cost } = await measure(() => rag.ingest([corpus], { roots: [corpus] }));
  const memory = peak();
  await rag.close();
  return { ...cost, ...memory, documents: value.documents, chunks: value.chunks, failed: value.failed.length };
}

async function again() {
  const rag = await open();
  await rag.ingest({ id: 'warm-up', text: 'Loads the model and opens the store.' });
  const before = await embeddedBy(rag);
  const { value, ...cost } = await measure(() => rag.ingest([corpus], { roots: [corpus] }));
  const embedded = (await embeddedBy(rag)) - before;
  await rag.close();
  return { ...cost, unchanged: value.unchanged, documents: value.documents, embedded };
}

async function changed() {
  const files = filesOf(corpus);
  for (let index = 0; index < CHANGED; index++) {
    const file = files[Math.floor((index * files.length) / CHANGED)];
    writeFileSync(file, `# Written anew\n\nDocument ${index} says something else at ${Date.now()}.\n`);
  }
  const texts = [];
  const embedder = await openStaticEmbedder();
  const embed = (batch, options) => {
    texts.push(...batch);
    return embedder.embed(batch, options);
  };
  const rag = await openRag({ store: { type: 'memory', path: store }, embedder: { ...embedder, embed } });
  const { value, ...cost } = await measure(() => rag.ingest([corpus], { roots: [corpus] }));
  await rag.close();
  return { ...cost, changed: value.changed, unchanged: value.unchanged, embedded: texts.length };
}

/** Memory of a process that has only the index. */
async function index() {
  const before = anonymous();
  const rag = await open();
  for (const query of QUERIES) await rag.search(query);
  globalThis.gc?.();
  await sleep(200);
  const resident = anonymous() - before;
  await rag.close();
  return { resident };
}

/** One search after the other, quiet and then while the corpus is ingested over a store that holds another one. */
async function search() {
  const rag = await openRag({ store: { type: 'memory', path: store }, caches: { search: false } });
  const timed = async (count, goesOn) => {
    const times = [];
    for (let number = 0; goesOn === undefined ? number < count : goesOn(); number++) {
      const start = performance.now();
      await rag.search(`${QUERIES[number % QUERIES.length]} ${number}`);
      times.push(performance.now() - start);
      await sleep(10);
    }
    return times;
  };
  await timed(30);
  await sleep(3000); // what opening left to do is done
  const quiet = await timed(300);
  let ends = false;
  const ingesting = rag.ingest([corpus], { roots: [corpus] }).finally(() => {
    ends = true;
  });
  const during = await timed(0, () => !ends);
  await ingesting;
  await rag.close();
  const figures = (times) => ({ count: times.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) });
  return { quiet: figures(quiet), during: figures(during) };
}

/** LangChain.js: its Markdown splitter with chunks of our size, its in-memory store, our embedder. Nothing is durable there. */
async function langchain() {
  const require = createRequire(new URL('./peers/langchain/package.json', import.meta.url));
  const load = (name) => import(pathToFileURL(require.resolve(name)).href);
  const { MarkdownTextSplitter } = await load('@langchain/textsplitters');
  const { MemoryVectorStore } = await load('@langchain/classic/vectorstores/memory');
  const { Embeddings } = await load('@langchain/core/embeddings');
  const { Document } = await load('@langchain/core/documents');
  const embedder = await openStaticEmbedder();
  class StaticEmbeddings extends Embeddings {
    async embedDocuments(texts) {
      const vectors = [];
      for (let start = 0; start < texts.length; start += embedder.maxBatch) {
        const batch = await embedder.embed(texts.slice(start, start + embedder.maxBatch), { role: 'document' });
        for (const vector of batch) vectors.push(Array.from(vector));
      }
      return vectors;
    }
    async embedQuery(text) {
      return Array.from((await embedder.embed([text], { role: 'query' }))[0]);
    }
  }
  const vectors = new MemoryVectorStore(new StaticEmbeddings({}));
  await vectors.addDocuments([new Document({ pageContent: 'Loads the model.' })]);
  const splitter = new MarkdownTextSplitter({ chunkSize: Number(store), chunkOverlap: 0 });
  let chunks = 0;
  const cost = await measure(async () => {
    for (const file of filesOf(corpus)) {
      const pieces = await splitter.splitDocuments([
        new Document({ pageContent: readFileSync(file, 'utf8'), metadata: { file } }),
      ]);
      chunks += pieces.length;
      await vectors.addDocuments(pieces);
    }
    await vectors.similaritySearch('how do I install it?', 5);
  });
  return { ...cost, value: undefined, chunks };
}

/** The bundled embedder by itself, which the package doesn't export. */
async function openStaticEmbedder() {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-embedder-'));
  try {
    const outfile = join(folder, 'static.mjs');
    const source = fileURLToPath(new URL('../src/adapters/embedders/static.ts', import.meta.url));
    await build({ entryPoints: [source], outfile, bundle: true, format: 'esm', platform: 'node' });
    const { createStaticEmbedder } = await import(pathToFileURL(outfile).href);
    return createStaticEmbedder({ folder: fileURLToPath(new URL('../models/static-en-256', import.meta.url)) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open() {
  return openRag({ store: { type: 'memory', path: store } });
}

async function embeddedBy(rag) {
  return (await rag.cacheStats()).layers.embeddings.misses;
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, name));
}

/** MB: by the kernel's high-water mark, and of it what no file is behind (the store's file is mapped, and its pages can be dropped). */
function watchMemory() {
  const before = { all: megabytes('VmRSS'), own: anonymous() };
  let own = 0;
  const timer = setInterval(() => {
    own = Math.max(own, anonymous());
  }, 20);
  return () => {
    clearInterval(timer);
    return { peakMb: megabytes('VmHWM') - before.all, ownPeakMb: Math.max(own, anonymous()) - before.own };
  };
}

function anonymous() {
  return megabytes('RssAnon');
}

function megabytes(name) {
  const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
