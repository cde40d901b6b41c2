// Question: which chunking finds the right passages? Whole documents, cut our own way; recall, precision and IoU of the characters of the
// first five hits against the excerpts that answer each question, and recall when the best hits may fill 4,000 characters.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openRag } from '../dist/sdk/index.js';
import { table } from './lib/measure.mjs';

const WAYS = [
  { name: 'default', groups: { default: {} } },
  { name: 'fine: 400 characters', groups: { fine: { maxChars: 400, overlap: 40 } } },
  { name: 'coarse: 2,000 characters', groups: { coarse: { maxChars: 2000, overlap: 200 } } },
  { name: 'sentences', groups: { sentence: { type: 'sentence' } } },
  { name: 'fine → default', groups: { fine: { maxChars: 400, overlap: 40 }, default: {} }, search: ['fine'], returns: 'default' },
  {
    name: 'sentences → default',
    groups: { sentence: { type: 'sentence' }, default: {} },
    search: ['sentence'],
    returns: 'default',
  },
  {
    name: 'fine + default → default',
    groups: { fine: { maxChars: 400, overlap: 40 }, default: {} },
    search: ['fine', 'default'],
    returns: 'default',
  },
  {
    name: 'fine → coarse',
    groups: { fine: { maxChars: 400, overlap: 40 }, coarse: { maxChars: 2000, overlap: 0 } },
    search: ['fine'],
    returns: 'coarse',
  },
];
const BUDGET = 4000;

export async function run([folder]) {
  if (folder === undefined || !existsSync(join(folder, 'spans.jsonl.gz'))) {
    console.error('usage: npm run bench:groups -- FOLDER   (with corpora/*.md.gz and spans.jsonl.gz)');
    return 2;
  }
  const set = readSet(folder);
  const rows = [];
  for (const { name, groups, search, returns } of WAYS) {
    const rag = await openRag({ groups });
    const { chunks } = await rag.ingest(set.documents);
    const sums = { recall: 0, precision: 0, iou: 0, budget: 0 };
    for (const { question, corpus, spans } of set.questions) {
      const { hits } = await rag.search(question, { topK: 40, groups: search, returns });
      const top = score(hits.slice(0, 5), corpus, spans);
      sums.recall += top.recall;
      sums.precision += top.precision;
      sums.iou += top.iou;
      sums.budget += score(within(hits, BUDGET), corpus, spans).recall;
    }
    await rag.close();
    const share = (sum) => ((100 * sum) / set.questions.length).toFixed(1);
    rows.push([name, chunks, share(sums.recall), share(sums.precision), share(sums.iou), share(sums.budget)]);
  }
  table(['chunking', 'chunks', 'recall', 'precision', 'IoU', `recall in ${BUDGET}`], rows);
  return 0;
}

function readSet(folder) {
  const read = (path) => gunzipSync(readFileSync(path)).toString('utf8');
  const texts = new Map(
    readdirSync(join(folder, 'corpora')).map((file) => [file.replace('.md.gz', ''), read(join(folder, 'corpora', file))]),
  );
  const unitsOf = new Map([...texts].map(([id, text]) => [id, unitOffsets(text)]));
  const questions = read(join(folder, 'spans.jsonl.gz'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ question, corpus, spans }) => ({
      question,
      corpus,
      spans: spans.map(([start, end]) => [unitsOf.get(corpus)[start], unitsOf.get(corpus)[end]]),
    }));
  return { documents: [...texts].map(([id, text]) => ({ id, text })), questions };
}

/** UTF-16 offset of each code point: the set counts in code points. */
function unitOffsets(text) {
  const offsets = new Uint32Array(text.length + 1);
  let count = 0;
  let unit = 0;
  for (const character of text) {
    offsets[count++] = unit;
    unit += character.length;
  }
  offsets[count] = unit;
  return offsets;
}

function within(hits, characters) {
  let left = characters;
  return hits.flatMap((hit) => {
    const [start, end] = hit.span;
    const taken = Math.min(left, end - start);
    left -= taken;
    return taken > 0 ? [{ ...hit, span: [start, start + taken] }] : [];
  });
}

/** Of characters: each counts once, however often it was retrieved. */
function score(hits, corpus, spans) {
  const wanted = union(spans);
  const got = union(hits.filter(({ documentId }) => documentId === corpus).map(({ span }) => span));
  const retrieved = sizeOf(got) + sizeOf(union(hits.filter(({ documentId }) => documentId !== corpus).map(({ span }) => span)));
  const shared = got.reduce(
    (sum, [start, end]) =>
      sum + wanted.reduce((own, [from, to]) => own + Math.max(0, Math.min(end, to) - Math.max(start, from)), 0),
    0,
  );
  const size = sizeOf(wanted);
  return {
    recall: shared / size,
    precision: retrieved === 0 ? 0 : shared / retrieved,
    iou: shared / (size + retrieved - shared),
  };
}

function union(spans) {
  const merged = [];
  for (const [start, end] of [...spans].sort((left, right) => left[0] - right[0])) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function sizeOf(spans) {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}
