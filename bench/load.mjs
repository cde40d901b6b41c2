// Question: does the server stay right, quick and small under many clients at once? The built bin over HTTP, in a process of its own, with
// the Markdown of the installed packages; every client asks as soon as it has its answer: 90 % searches (half of them asked before), 8 %
// generate (a stub engine that writes 50 tokens, one each 2 ms), 2 % ingest of a text into another collection.
// [--seconds 60] [--clients 200] [--soak MINUTES]: a soak runs for that long, and fails where memory grows by more than 5 % after warm-up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { copyCorpus } from './lib/corpus.mjs';
import { cpuMsOf, median, percentile, table } from './lib/measure.mjs';

const BIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ENGINE = fileURLToPath(new URL('./lib/paced-engine.mjs', import.meta.url));
const MOST_GROWTH = 0.05;
const KINDS = ['search', 'search, cached', 'generate', 'generate, cached', 'ingest'];
const INBOX_TEXTS = 500;
const REPEATED_QUERIES = 200;
const WORDS =
  'parser option install licence schema stream promise buffer header token cache error timeout build module plugin path file test type'.split(
    ' ',
  );

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string' }, clients: { type: 'string' }, soak: { type: 'string' } },
  });
  const clients = Number(values.clients ?? 200);
  const seconds = values.soak === undefined ? Number(values.seconds ?? 60) : Number(values.soak) * 60;
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-load-'));
  const engine = await startEngine();
  let server;
  try {
    server = await startServer(folder, engine.url);
    console.log(`${clients} clients for ${seconds} s; ${server.indexed}\n`);
    const memory = watchMemory(server.child.pid, seconds);
    const cpuBefore = cpuMsOf(server.child.pid);
    const { kinds, failures, requests } = await load(server.url, { clients, seconds });
    const cpuMs = cpuMsOf(server.child.pid) - cpuBefore;
    const growth = memory.end();

    table(
      ['', 'requests', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'],
      [...Object.entries(kinds), ['all', Object.values(kinds).flat()]].map(([name, times]) => [
        name,
        times.length,
        ...[0.5, 0.95, 0.99, 1].map((share) => percentile(times, share).toFixed(1)),
      ]),
    );
    console.log(
      `\n${(requests / seconds).toFixed(0)} requests/s, ${(cpuMs / requests).toFixed(2)} ms of CPU each; ${failures.total} errors`,
    );
    for (const [what, count] of failures.seen) console.log(`  ${count} x ${what}`);
    console.log(`memory after warm-up: ${(100 * growth).toFixed(1)} % growth`);
    const exit = await server.stop();
    console.log(`ended with ${exit}`);
    const grew = values.soak !== undefined && growth > MOST_GROWTH;
    return failures.total > 0 || grew || exit !== 0 ? 1 : 0;
  } finally {
    server?.child.kill('SIGKILL');
    engine.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(url, { clients, seconds }) {
  const kinds = Object.fromEntries(KINDS.map((name) => [name, []]));
  const failures = { total: 0, seen: new Map() };
  let asked = 0;
  let answered;

  const fail = (what) => {
    failures.total++;
    if (failures.seen.size < 20 || failures.seen.has(what)) failures.seen.set(what, (failures.seen.get(what) ?? 0) + 1);
  };
  const cannon = autocannon({
    url: `${url}/mcp`,
    connections: clients,
    duration: seconds,
    timeout: 60,
    method: 'POST',
    requests: [
      {
        setupRequest(request, context) {
          const { name, input } = nextCall(asked++);
          context.kind = name;
          const body = callOf(asked, name, input);
          return { ...request, headers: headersOf(name), body };
        },
        onResponse(status, body, context) {
          answered = /"cached":(?:true|"exact")/.test(body) ? `${context.kind}, cached` : context.kind;
          const problem = problemOf(status, body);
          if (problem !== undefined) fail(`${context.kind}: ${problem}`);
        },
      },
    ],
  });
  // Told right after `onResponse` of the same answer.
  cannon.on('response', (_client, _status, _bytes, ms) => kinds[answered].push(ms));
  cannon.on('reqError', (error) => fail(`connection: ${error.message}`));
  const { errors, timeouts } = await cannon;
  if (failures.total === 0 && errors + timeouts > 0) fail(`connection: ${errors} errors, ${timeouts} timeouts`);
  return { kinds, failures, requests: Object.values(kinds).reduce((sum, times) => sum + times.length, 0) };
}

function nextCall(index) {
  const turn = index % 100;
  if (turn < 2) {
    const id = `text-${index % (INBOX_TEXTS * 100)}`;
    return {
      name: 'ingest',
      input: { documents: [{ id, text: `Note ${index}: ${queryOf(index)}.` }], collection: 'inbox' },
    };
  }
  if (turn < 10) return { name: 'generate', input: { question: `${queryOf(turn % 2 === 0 ? index : turn)}?`, topK: 3 } };
  return { name: 'search', input: { query: queryOf(index % 2 === 0 ? index : index % REPEATED_QUERIES), topK: 5 } };
}

/** Another one for every number. */
function queryOf(number) {
  const [first, second, third] = [number, Math.floor(number / 20), Math.floor(number / 400)].map((place) => WORDS[place % 20]);
  return `how does the ${first} set the ${second} of a ${third} number ${number}`;
}

function callOf(id, name, input) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: input, _meta } });
}

function headersOf(name) {
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': name,
  };
}

function problemOf(status, body) {
  if (status !== 200) return `status ${status} ${body.slice(0, 200)}`;
  if (body.includes('"isError":true')) return /"hotrag\/error":"(\w+)"/.exec(body)?.[1] ?? body.slice(0, 200);
  return body.includes('"structuredContent":') ? undefined : `no result: ${body.slice(0, 200)}`;
}

/** Prints the resident memory of a process twenty times; `end` gives its growth from the second quarter of the time to the last. */
function watchMemory(pid, seconds) {
  const samples = [];
  const take = () => {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    samples.push((pages * 4096) / 2 ** 20);
  };
  take();
  let ticks = 0;
  const perLine = Math.max(1, Math.round(seconds / 20));
  const timer = setInterval(() => {
    take();
    if (++ticks % perLine === 0) console.log(`${String(ticks).padStart(5)} s  ${samples.at(-1).toFixed(0).padStart(5)} MiB`);
  }, 1000);
  return {
    end() {
      clearInterval(timer);
      console.log('');
      const quarter = Math.ceil(samples.length / 4);
      const warm = median(samples.slice(quarter, 2 * quarter));
      return median(samples.slice(-quarter)) / warm - 1;
    },
  };
}

async function startEngine() {
  const child = spawn(process.execPath, [ENGINE], {
    env: { ...process.env, tokens: '50', paceMs: '2' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}/v1`, stop: () => child.kill() };
}

async function startServer(folder, engineUrl) {
  const documents = join(folder, 'documents');
  copyCorpus(documents);
  const config = join(folder, 'hotrag.config.json');
  const generator = { type: 'openai-compatible', url: engineUrl, model: 'paced', concurrency: 64 };
  writeFileSync(config, JSON.stringify({ store: { type: 'memory', path: join(folder, 'store') }, generator }));
  const child = spawn(process.execPath, [BIN, 'serve', documents, '--transport', 'http', '--port', '0', '--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const found = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000);
      const url = /listening on (\S+)/.exec(said)?.[1];
      const indexed = /indexed: .*/.exec(said)?.[0];
      if (url !== undefined && indexed !== undefined) resolve({ url, indexed });
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  return {
    ...found,
    child,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}
