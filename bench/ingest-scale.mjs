// Question: what does an ingest of ten thousand documents cost: the first, one of nothing new, one of ten changes? Does its memory grow with
// the corpus, what do searches see of it, and what does LangChain.js take for the same files with the same embedder?
// `npm run bench:ingest-scale -- [--documents 10000] [--small 1000] [--rounds 2]`. Documents are Markdown made of paragraphs of the installed
// packages. Each measurement is a process of its own (Linux: memory is read from /proc). "Beyond the index": the peak of the ingesting
// process's own pages over what it had before, less what a process takes that only opens the store and searches.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateCorpus } from './lib/corpus.mjs';
import { median, table } from './lib/measure.mjs';

const PEERS = fileURLToPath(new URL('./peers/langchain/', import.meta.url));
const CHILD = fileURLToPath(new URL('./ingest-scale-child.mjs', import.meta.url));
/** The splitter's unit is characters: with these it makes about as many chunks of the corpus as ours. */
const PEER_CHUNK_CHARACTERS = 1000;

export async function run(words = []) {
  const text = (value) => ({ type: 'string', default: value });
  const { values } = parseArgs({ args: words, options: { documents: text('10000'), small: text('1000'), rounds: text('2') } });
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-scale-'));
  try {
    installPeers();
    const [large, small, other] = ['large', 'small', 'other'].map((name) => join(folder, name));
    generateCorpus(large, Number(values.documents));
    generateCorpus(small, Number(values.small));
    generateCorpus(other, Number(values.small), 2);
    const rounds = Array.from({ length: Number(values.rounds) }, (_, round) => ({
      small: measured('first', small, join(folder, `small-store-${round}`)),
      first: measured('first', large, join(folder, `store-${round}`)),
      peer: measured('langchain', large, String(PEER_CHUNK_CHARACTERS)),
    }));
    const store = join(folder, 'store-0');
    const again = Array.from({ length: 3 }, () => measured('again', large, store));
    const index = { large: measured('index', large, store), small: measured('index', small, join(folder, 'small-store-0')) };
    const changed = measured('changed', large, store);
    measured('first', other, join(folder, 'searched'));
    const search = measured('search', large, join(folder, 'searched'));
    return print({ rounds, again, index, changed, search });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print({ rounds, again, index, changed, search }) {
  const middle = (pick) => median(rounds.map(pick));
  const rate = ({ chunks, cpuMs }) => (chunks / cpuMs) * 1000;
  const [{ first }] = rounds;
  table(
    ['', 'wall ms', 'CPU ms', 'chunks', 'chunks per CPU-second', 'embedded'],
    [
      row(
        'first ingest',
        { wallMs: middle((r) => r.first.wallMs), cpuMs: middle((r) => r.first.cpuMs) },
        first.chunks,
        middle((r) => rate(r.first)),
      ),
      row(
        'LangChain.js, in memory',
        { wallMs: middle((r) => r.peer.wallMs), cpuMs: middle((r) => r.peer.cpuMs) },
        rounds[0].peer.chunks,
        middle((r) => rate(r.peer)),
      ),
      [
        ...row(
          'nothing changed',
          { wallMs: median(again.map((a) => a.wallMs)), cpuMs: median(again.map((a) => a.cpuMs)) },
          0,
        ).slice(0, 5),
        again[0].embedded,
      ],
      [...row(`${changed.changed} changed`, changed, '').slice(0, 5), changed.embedded],
    ],
  );
  const beyond = {
    large: middle((r) => r.first.ownPeakMb) - index.large.resident,
    small: middle((r) => r.small.ownPeakMb) - index.small.resident,
  };
  console.log(
    `\nmemory, MB over the start: peak ${middle((r) => r.first.peakMb).toFixed(0)} (own pages ${middle((r) => r.first.ownPeakMb).toFixed(0)}, index ${index.large.resident.toFixed(0)}), ` +
      `of the small corpus ${middle((r) => r.small.peakMb).toFixed(0)} (${middle((r) => r.small.ownPeakMb).toFixed(0)}, ${index.small.resident.toFixed(0)}); ` +
      `own pages: ${(middle((r) => r.first.ownPeakMb) / middle((r) => r.small.ownPeakMb)).toFixed(2)}x; beyond the index ${beyond.large.toFixed(0)} and ${beyond.small.toFixed(0)}: ${(beyond.large / beyond.small).toFixed(2)}x`,
  );
  const { quiet, during } = search;
  console.log(
    `searches: quiet p50 ${quiet.p50.toFixed(1)} ms, p95 ${quiet.p95.toFixed(1)} (${quiet.count}); during the ingest p50 ${during.p50.toFixed(1)}, p95 ${during.p95.toFixed(1)} (${during.count}): ${(during.p95 / quiet.p95).toFixed(1)}x`,
  );
  const isWrong = changed.changed !== 10 || again.some(({ embedded }) => embedded !== 0) || first.failed > 0;
  if (isWrong) console.error('an ingest did more, or less, than it should');
  return isWrong ? 1 : 0;
}

function row(name, { wallMs, cpuMs }, chunks, chunkRate) {
  return [name, wallMs.toFixed(0), cpuMs.toFixed(0), chunks, chunkRate?.toFixed(0) ?? '', ''];
}

function measured(what, corpus, store) {
  const { status, stdout } = spawnSync(process.execPath, ['--expose-gc', CHILD, what, corpus, store], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the measurement '${what}' failed (${status})`);
  return JSON.parse(stdout);
}

function installPeers() {
  if (existsSync(join(PEERS, 'node_modules'))) return;
  console.log('installing LangChain.js into bench/peers/langchain ...');
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: PEERS,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('LangChain.js could not be installed');
}
