// Question: what does ingest cost, from files to durable, searchable chunks, and what does it cost again when nothing changed?
// Text: the Markdown files of the installed packages, copied to a folder. CPU is the process's, all threads.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRag } from '../dist/sdk/index.js';
import { copyCorpus } from './lib/corpus.mjs';
import { measure, median, table } from './lib/measure.mjs';

const ROUNDS = 3;

export async function run() {
  const corpus = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  const rounds = [];
  try {
    copyCorpus(join(corpus, 'docs'));
    for (let round = 0; round < ROUNDS; round++) rounds.push(await oneRound([join(corpus, 'docs')]));
  } finally {
    rmSync(corpus, { recursive: true, force: true });
  }
  const { report } = rounds[0];
  console.log(
    `${report.documents} documents, ${report.chunks} chunks; median of ${ROUNDS} rounds, each in a new store; again: median of ${ROUNDS} a round\n`,
  );
  const figure = (pick) => median(rounds.map(pick));
  table(
    ['', 'wall ms', 'CPU ms', 'chunks per CPU-second'],
    [
      [
        'first ingest',
        figure((r) => r.first.wallMs).toFixed(0),
        figure((r) => r.first.cpuMs).toFixed(0),
        figure((r) => (r.report.chunks / r.first.cpuMs) * 1000).toFixed(0),
      ],
      ['again, nothing changed', figure((r) => r.again.wallMs).toFixed(0), figure((r) => r.again.cpuMs).toFixed(0), ''],
    ],
  );
  console.log(
    `\nagain is ${figure((r) => r.first.wallMs / r.again.wallMs).toFixed(1)}x faster by wall, ${figure((r) => r.first.cpuMs / r.again.cpuMs).toFixed(1)}x by CPU`,
  );
  return 0;
}

async function oneRound(sources) {
  const path = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  try {
    const rag = await openRag({ store: { type: 'memory', path } });
    const first = await measure(() => rag.ingest(sources));
    const repeats = [];
    for (let repeat = 0; repeat < ROUNDS; repeat++) repeats.push(await measure(() => rag.ingest(sources)));
    if (repeats.some(({ value }) => value.unchanged !== first.value.documents)) throw new Error('an ingest again found changes');
    const again = { wallMs: median(repeats.map(({ wallMs }) => wallMs)), cpuMs: median(repeats.map(({ cpuMs }) => cpuMs)) };
    await rag.search('how do I install it?');
    await rag.close();
    return { report: first.value, first, again };
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
