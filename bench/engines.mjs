// Question: how do the engines compare on the same question over the same documents? One rag for each, which differs in one line of
// configuration; what each answer measured, side by side. Without arguments: the engines that `npm run test:servers` has built, all with the
// same small model (SmolLM2 135M, 4 bits, one thread), and a paced stub in the place of vLLM. Or name your own, one JSON each:
//   npm run bench:engines -- '{"type":"ollama","model":"qwen3:4b"}' '{"type":"openai-compatible","url":"http://gpu:8000/v1"}'
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { openRag } from '../dist/sdk/index.js';
import { table } from './lib/measure.mjs';
import { withPackages } from './lib/packages.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const ROUNDS = 3;
const MAX_TOKENS = 48;
const DOCUMENTS = [
  { id: 'line', text: 'The railway line from Altdorf to Neustadt is 42 km long. It was opened in 1911 and has nine stations.' },
  { id: 'hours', text: 'The museum at Neustadt station is open from ten to five, except on Mondays.' },
  { id: 'rope', text: 'The rope of the old cable car was 1,200 metres long and was replaced every eight years.' },
];
const QUESTION = 'How long is the railway line?';

export async function run(args) {
  const engines = args.length > 0 ? configured(args) : await builtOnes();
  try {
    const rows = [];
    const texts = [];
    for (const { name, generator } of engines.list) {
      const { answers, failure } = await withPackages(() => ask(generator));
      if (failure !== undefined) rows.push([name, `failed: ${failure}`]);
      for (const [round, { metrics }] of answers.entries()) rows.push(rowOf(round === 0 ? name : '', round + 1, metrics));
      texts.push(`${name}: ${answers.at(-1)?.text.trim().replaceAll(/\s+/g, ' ') ?? ''}`);
    }
    console.log(`"${QUESTION}" asked ${ROUNDS} times of each, with a nonce; model loaded before; at most ${MAX_TOKENS} tokens\n`);
    table(
      ['engine', 'round', 'TTFT ms', 'TPOT ms', 'tokens/s', 'queue ms', 'prompt', 'cached', 'written', 'total ms', 'by'],
      rows,
    );
    console.log(`\n${texts.join('\n')}`);
    return 0;
  } finally {
    await engines.stop();
  }
}

async function ask(generator) {
  const answers = [];
  let rag;
  try {
    rag = await openRag({ generator });
    await rag.ingest(DOCUMENTS);
    await rag.warm();
    for (let round = 0; round < ROUNDS; round++) {
      // The nonce keeps hotrag's own answer cache out; the sources before it stay the same, so that prefix caches show.
      const question = `${QUESTION} (${randomUUID().slice(0, 8)})`;
      answers.push(await rag.generate(question, { maxTokens: MAX_TOKENS, temperature: 0 }));
    }
    return { answers };
  } catch (error) {
    return { answers, failure: error.message };
  } finally {
    await rag?.close();
  }
}

function rowOf(
  name,
  round,
  { ttftMs, tpotMs, tokensPerSecond, queueMs, inputTokens, cachedTokens, outputTokens, totalMs, source },
) {
  const number = (value) => (value === null ? '-' : value.toFixed(value < 100 ? 1 : 0));
  const count = (value) => value ?? '-';
  const times = [ttftMs, tpotMs, tokensPerSecond, queueMs].map(number);
  return [name, round, ...times, ...[inputTokens, cachedTokens, outputTokens].map(count), number(totalMs), source];
}

function configured(args) {
  const list = args.map((json) => {
    const generator = JSON.parse(json);
    return { name: [generator.type, generator.model ?? generator.path ?? generator.url].join(' '), generator };
  });
  return { list, stop: async () => {} };
}

async function builtOnes() {
  const { llamaServer, ollama, LLAMA_KEY } = await loadServers();
  const started = [];
  const stop = () => Promise.all(started.map((server) => server.stop()));
  try {
    const llama = await (await llamaServer.prepare()).start('chat');
    started.push(llama);
    const ollamaServer = await (await ollama.prepare())();
    started.push(ollamaServer);
    const vllm = await startPaced();
    started.push(vllm);
    const path = `${ROOT}.engines/models-1/smollm2.gguf`;
    const list = [
      { name: 'Ollama', generator: { type: 'ollama', url: ollamaServer.url, model: 'smollm2' } },
      { name: 'llama-server', generator: { type: 'openai-compatible', url: llama.url, apiKey: LLAMA_KEY } },
      { name: 'llama.cpp in process', generator: { type: 'llama-cpp', path, threads: 1, gpu: false, contextTokens: 2048 } },
      { name: 'stub for vLLM (20 ms a token)', generator: { type: 'openai-compatible', url: vllm.url } },
    ];
    return { list, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How the server tests start real engines; TypeScript, so it is bundled first. */
async function loadServers() {
  const outfile = `${ROOT}node_modules/.cache/bench-engines-${process.pid}/test/servers/engines.mjs`;
  try {
    const scripts = JSON.stringify(new URL('../test/servers/engines.ts', import.meta.url).href);
    const define = { 'import.meta.url': scripts };
    const common = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };
    await build({ ...common, entryPoints: [`${ROOT}test/servers/engines.ts`], outfile, define });
    return await import(outfile);
  } finally {
    rmSync(`${ROOT}node_modules/.cache/bench-engines-${process.pid}`, { recursive: true, force: true });
  }
}

async function startPaced() {
  const script = fileURLToPath(new URL('./lib/paced-engine.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, tokens: String(MAX_TOKENS), paceMs: '20' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}/v1`, stop: async () => void child.kill() };
}
