// Question: what does it cost to ask again? A cached search and a cached answer on the embedded store through the SDK; a hundred
// identical requests at once; and a hit that comes from Redis or Memcached on this machine, where one is installed.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRag } from '../dist/sdk/index.js';
import { packageSources } from './lib/corpus.mjs';
import { median, percentile, table } from './lib/measure.mjs';

const CHUNKS = 3000;
const CALLS = 20_000;
const SHARED_CALLS = 500;

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  const path = join(folder, '.hotrag');
  const generator = createCountingGenerator();
  const open = (caches) => openRag({ store: { type: 'memory', path }, generator, ...(caches === undefined ? {} : { caches }) });
  try {
    const rag = await open();
    let chunks = 0;
    for (const source of packageSources()) {
      chunks += (await rag.ingest([source])).chunks;
      if (chunks >= CHUNKS) break;
    }
    const queries = Array.from({ length: 50 }, (_, index) => `how is option number ${index} of the parser set`);
    const uncached = await timesOf(queries.map((query) => () => rag.search(query)));
    const searches = await timesOf(repeat(CALLS, (index) => () => rag.search(queries[index % queries.length])));
    const first = await timesOf(queries.map((query) => () => rag.generate(query)));
    const answers = await timesOf(repeat(CALLS, (index) => () => rag.generate(queries[index % queries.length])));
    console.log(
      `${chunks} chunks, durable; ${queries.length} queries in turn; microseconds of wall time, and of CPU over all calls\n`,
    );
    table(
      ['', 'calls', 'p50', 'p95', 'CPU a call'],
      [
        ['search, computed', ...figures(uncached)],
        ['search, cached in this process', ...figures(searches)],
        ['answer, computed (an engine that answers at once)', ...figures(first)],
        ['answer, cached in this process', ...figures(answers)],
      ],
    );

    const before = generator.calls;
    await Promise.all(repeat(100, () => rag.generate('one question, a hundred times at once')));
    console.log(`\n100 identical questions at once: ${generator.calls - before} run of the engine`);
    await rag.close();

    const rows = [];
    for (const [name, scheme, commandFor] of SERVERS) {
      const server = await startServer(name, commandFor);
      if (server === undefined) {
        rows.push([`search, from ${name} (not installed)`, '', '', '', '']);
        continue;
      }
      try {
        rows.push([`search, from ${name}`, ...(await sharedHits(open, `${scheme}://127.0.0.1:${server.port}`))]);
      } finally {
        server.stop();
      }
    }
    console.log('\na hit that another process has left, each the first in this one\n');
    table(['', 'calls', 'p50', 'p95', 'CPU a call'], rows);
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SERVERS = [
  ['redis-server', 'redis', (port) => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']],
  [
    'memcached',
    'memcached',
    (port) => [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), '-l', '127.0.0.1', '-p', `${port}`],
  ],
];

async function sharedHits(open, shared) {
  const queries = repeat(SHARED_CALLS, (index) => `question ${index} about the parser`);
  const first = await open({ shared });
  for (const query of queries) await first.search(query);
  await first.close();
  const second = await open({ shared });
  const times = await timesOf(queries.map((query) => () => second.search(query)));
  const { hits, errors } = (await second.cacheStats()).layers.search.tiers[1];
  await second.close();
  if (hits < SHARED_CALLS) console.log(`${shared}: only ${hits} of ${SHARED_CALLS} were hits, ${errors} errors`);
  return figures(times);
}

async function timesOf(calls) {
  const times = [];
  const cpu = process.cpuUsage();
  for (const call of calls) {
    const startedAt = performance.now();
    await call();
    times.push(1000 * (performance.now() - startedAt));
  }
  const { user, system } = process.cpuUsage(cpu);
  return { times, cpu: (user + system) / calls.length };
}

function figures({ times, cpu }) {
  return [times.length, median(times).toFixed(1), percentile(times, 0.95).toFixed(1), cpu.toFixed(1)];
}

function repeat(count, make) {
  return Array.from({ length: count }, (_, index) => make(index));
}

function createCountingGenerator() {
  return {
    id: 'bench:1',
    engine: 'bench',
    model: 'one',
    calls: 0,
    async *generate() {
      this.calls++;
      yield { type: 'text-delta', text: 'It is so [1].' };
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 10, outputTokens: 4 } };
    },
  };
}

async function startServer(name, commandFor) {
  if (spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined) return undefined;
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const child = spawn(name, commandFor(port), { stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { port, stop: () => child.kill() };
}
