// Question: how good are the hits? nDCG@10 per test set and mode, of the built package with its default embedder,
// or with another one: `--embedder '{"type":"onnx","folder":".engines/models-1/minilm-onnx"}'`.
// A passage is one document and one chunk here, so that ranks compare with those of other systems.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openRag } from '../dist/sdk/index.js';
import { table } from './lib/measure.mjs';
import { withPackages } from './lib/packages.mjs';

const MODES = ['keyword', 'vector', 'hybrid'];

export async function run([folder, flag, embedder]) {
  if (folder === undefined || !existsSync(folder)) {
    console.error(
      'usage: npm run bench:quality -- FOLDER   [--embedder JSON]   (of sets: corpus.jsonl.gz, queries.jsonl.gz, qrels.tsv.gz each)',
    );
    return 2;
  }
  await withPackages(() => measure(folder, flag === '--embedder' ? { embedder: JSON.parse(embedder) } : {}));
  return 0;
}

async function measure(folder, options) {
  const rows = [];
  for (const path of setsIn(folder)) {
    const set = readSet(path);
    const rag = await openRag({ ...options, groups: { passage: { type: 'recursive', maxChars: 1_000_000 } } });
    await rag.ingest(set.documents);
    const scores = [];
    for (const mode of MODES) scores.push((await score(rag, set, mode)).toFixed(4));
    await rag.close();
    rows.push([path.slice(folder.length).replace(/^\/+/, ''), set.documents.length, set.queries.length, ...scores]);
  }
  table(['nDCG@10', 'passages', 'queries', ...MODES], rows);
}

function setsIn(folder) {
  if (existsSync(join(folder, 'qrels.tsv.gz'))) return [folder];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => setsIn(join(folder, name)))
    .sort();
}

function readSet(path) {
  const lines = (name) =>
    gunzipSync(readFileSync(join(path, name)))
      .toString('utf8')
      .split('\n')
      .filter(Boolean);
  const relevant = new Map();
  for (const line of lines('qrels.tsv.gz').slice(1)) {
    const [query, document, gain] = line.split('\t');
    if (!relevant.has(query)) relevant.set(query, new Map());
    relevant.get(query).set(document, Number(gain));
  }
  const documents = lines('corpus.jsonl.gz').map((line) => {
    const { _id: id, title, text } = JSON.parse(line);
    return { id, text: title ? `${title}. ${text}` : text };
  });
  return { documents, queries: lines('queries.jsonl.gz').map((line) => JSON.parse(line)), relevant };
}

async function score(rag, { queries, relevant }, mode) {
  let sum = 0;
  for (const { _id: id, text } of queries) {
    const { hits } = await rag.search(text, { mode, topK: 10 });
    const gains = relevant.get(id) ?? new Map();
    const dcg = hits.reduce((total, hit, rank) => total + (gains.get(hit.documentId) ?? 0) / Math.log2(rank + 2), 0);
    const best = [...gains.values()].sort((left, right) => right - left).slice(0, 10);
    const ideal = best.reduce((total, gain, rank) => total + gain / Math.log2(rank + 2), 0);
    sum += ideal === 0 ? 0 : dcg / ideal;
  }
  return sum / queries.length;
}
