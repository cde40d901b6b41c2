// Question: how soon does an assistant's new server answer? Spawn to `tools/list` over stdio, against an empty Node process in
// turn with it, and then the first search of a 1,000-chunk store. CPU ms are the child's, all threads (Linux).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRag } from '../dist/sdk/index.js';
import { packageSources } from './lib/corpus.mjs';
import { cpuMsOf, median, table } from './lib/measure.mjs';

const BIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ROUNDS = 15;
const CHUNKS = 1000;

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
  try {
    const path = join(folder, '.hotrag');
    const chunks = await fill(path);
    mkdirSync(join(folder, 'empty'));
    const empty = [];
    const server = [];
    for (let round = 0; round < ROUNDS; round++) {
      empty.push(await emptyNode());
      server.push(await oneServer(path, join(folder, 'empty')));
    }
    const figure = (runs, name) => median(runs.map((one) => one[name]));
    console.log(`median of ${ROUNDS} rounds in turn; the store holds ${chunks} chunks\n`);
    table(
      ['', 'wall ms', 'CPU ms'],
      [
        ['empty Node process, start to end', figure(empty, 'wallMs').toFixed(1), ''],
        ['empty Node process, start to its first line', figure(empty, 'lineMs').toFixed(1), figure(empty, 'cpuMs').toFixed(1)],
        ['spawn to tools/list', figure(server, 'listMs').toFixed(1), figure(server, 'listCpuMs').toFixed(1)],
        ['then to the first search result', figure(server, 'searchMs').toFixed(1), figure(server, 'searchCpuMs').toFixed(1)],
        ['a second, other search', figure(server, 'secondMs').toFixed(1), ''],
      ],
    );
    const ratio = (name) => median(server.map((one, round) => one.listMs / empty[round][name]));
    console.log(
      `\ntools/list: ${ratio('wallMs').toFixed(2)}x an empty Node process (start to end), ${ratio('lineMs').toFixed(2)}x to its first line`,
    );
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A store of some 1,000 chunks of real text. */
async function fill(path) {
  const rag = await openRag({ store: { type: 'memory', path } });
  let chunks = 0;
  for (const source of packageSources()) {
    chunks += (await rag.ingest([source])).chunks;
    if (chunks >= CHUNKS) break;
  }
  await rag.close();
  return chunks;
}

async function emptyNode() {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['-e', 'console.log(1); setTimeout(() => {}, 1)'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const lineMs = performance.now() - startedAt;
  const cpuMs = cpuMsOf(child.pid);
  await new Promise((resolve) => child.once('exit', resolve));
  return { lineMs, cpuMs, wallMs: performance.now() - startedAt };
}

async function oneServer(path, folder) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [BIN, 'serve', folder, '--path', path], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting = new Map();
  let rest = '';
  child.stdout.on('data', (bytes) => {
    const lines = (rest + bytes).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = JSON.parse(line);
      waiting.get(message.id)?.(message);
    }
  });
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const call = (id, method, params) => {
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    send({ id, method, params });
    return answered;
  };
  await call(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } });
  send({ method: 'notifications/initialized' });
  const { result } = await call(2, 'tools/list', {});
  const listMs = performance.now() - startedAt;
  const listCpuMs = cpuMsOf(child.pid);
  if (result.tools.length !== 7) throw new Error(`${result.tools.length} tools`);
  const search = async (id, query) => {
    const before = performance.now();
    const { result: found } = await call(id, 'tools/call', { name: 'search', arguments: { query } });
    if (found.isError || found.structuredContent.hits.length === 0) throw new Error(JSON.stringify(found));
    return performance.now() - before;
  };
  const searchMs = await search(3, 'how do I install it?');
  const searchCpuMs = cpuMsOf(child.pid) - listCpuMs;
  const secondMs = await search(4, 'which licence applies to contributions?');
  child.stdin.end();
  await new Promise((resolve) => child.once('exit', resolve));
  return { listMs, listCpuMs, searchMs, searchCpuMs, secondMs };
}
