// Question: what does hotrag add between a caller and an engine? Against a bare client in the same run: time to the first token on real
// llama-server and Ollama, CPU for each streamed token, what micro-batching of embeddings saves, and whether every one of 200 questions is
// answered though the first of two engines is killed. Real engines: those that `npm run test:servers` has built.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ollama } from 'ollama';
import { build } from 'tsup';
import { measure, median, percentile, table } from './lib/measure.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `node_modules/.cache/bench-inference-${process.pid}`;
const ROUNDS = 15;
const TEXTS = 64;

export async function run(args) {
  try {
    const { openGenerator } = await load('src/adapters/inference/index.ts');
    const { openOpenAiEmbedder } = await load('src/adapters/embedders/openai-compatible.ts');
    const { openOllamaEmbedder } = await load('src/adapters/embedders/ollama.ts');
    const parts = { openGenerator, openOpenAiEmbedder, openOllamaEmbedder };
    await cpuPerToken(parts);
    await stubTtft(parts);
    await stubBatching(parts);
    await failover(parts);
    if (!args.includes('--stubs')) await realEngines(parts);
    return 0;
  } finally {
    rmSync(`${ROOT}${OUT}`, { recursive: true, force: true });
  }
}

/** What stands between fetch and the text when one writes only that. */
async function bareStream(url, body, headers = {}, onText = () => {}) {
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    rest += decoder.decode(value, { stream: true });
    let end = rest.indexOf('\n\n');
    for (; end !== -1; end = rest.indexOf('\n\n')) {
      const data = rest.slice(6, end);
      rest = rest.slice(end + 2);
      if (data === '[DONE]') continue;
      const content = JSON.parse(data).choices[0]?.delta?.content;
      if (!content) continue;
      text += content;
      onText();
    }
  }
}

async function hotragStream(generator, messages, maxTokens, onText = () => {}) {
  let text = '';
  for await (const event of generator.generate({ messages, maxTokens })) {
    if (event.type !== 'text-delta') continue;
    text += event.text;
    onText();
  }
  return text;
}

const engineAt = (url, options = {}) => ({
  type: 'openai-compatible',
  url,
  model: 'paced',
  api: 'chat',
  timeoutMs: 60_000,
  stallMs: 30_000,
  concurrency: 64,
  retries: 2,
  ...options,
});
const question = () => [{ role: 'user', content: `${randomUUID()} How long is the line?` }];

async function cpuPerToken({ openGenerator }) {
  const [streams, tokens, rounds] = [8, 300, 16];
  const engine = await startPaced({ tokens, paceMs: 3 });
  try {
    const generator = await openGenerator([engineAt(engine.url)]);
    const bare = () =>
      Promise.all(Array.from({ length: streams }, () => bareStream(engine.url, { model: 'paced', messages: question() })));
    const own = () => Promise.all(Array.from({ length: streams }, () => hotragStream(generator, question())));
    for (let round = 0; round < 3; round++) {
      await bare();
      await own();
    }
    const cpu = { bare: [], own: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? ['bare', 'own'] : ['own', 'bare']) {
        const { cpuMs } = await measure(name === 'bare' ? bare : own);
        cpu[name].push((cpuMs * 1000) / (streams * tokens));
      }
    }
    console.log(
      `CPU of the client for a streamed token: ${streams} streams of ${tokens} tokens at once, one event every 3 ms; ${rounds} rounds in turn\n`,
    );
    const [bareMedian, ownMedian] = [median(cpu.bare), median(cpu.own)];
    table(
      ['', 'µs CPU a token, median', 'least'],
      [
        ['a bare loop over the event stream', bareMedian.toFixed(1), Math.min(...cpu.bare).toFixed(1)],
        ['hotrag', ownMedian.toFixed(1), Math.min(...cpu.own).toFixed(1)],
      ],
    );
    const pairs = cpu.own.map((own, round) => own / cpu.bare[round]);
    console.log(`\nhotrag / bare: ${median(pairs).toFixed(2)} (median of pairs; goal: at most 1.20)\n`);
  } finally {
    await engine.stop();
  }
}

async function stubTtft({ openGenerator }) {
  const engine = await startPaced({ tokens: 1, paceMs: 1 });
  try {
    const generator = await openGenerator([engineAt(engine.url)]);
    await ttft('no engine at all: a stub that answers after 1 ms', 200, generator, (messages, onText) =>
      bareStream(engine.url, { model: 'paced', messages, max_tokens: 4 }, {}, onText),
    );
  } finally {
    await engine.stop();
  }
}

async function stubBatching({ openOpenAiEmbedder }) {
  const latencyMs = 20;
  const engine = await startPaced({ latencyMs });
  try {
    const embedder = await openOpenAiEmbedder(embedderOptions(engine.url, 'paced'));
    const runs = await batchingRuns(embedder, (text) => bareEmbed(engine.url, 'paced', [text]));
    console.log(`${TEXTS} single-text embeddings on a stub that takes ${latencyMs} ms a call, however many texts\n`);
    printBatching(runs, 'goal: at least 4');
  } finally {
    await engine.stop();
  }
}

async function failover({ openGenerator }) {
  const [first, second] = [await startPaced({ tokens: 20, paceMs: 2 }), await startPaced({ tokens: 20, paceMs: 2 })];
  let back;
  try {
    const generator = await openGenerator([engineAt(first.url), engineAt(second.url, { extra: { engine: 2 } })]);
    const counts = { answered: 0, 'failed visibly while streaming': 0, 'failed before any text': 0 };
    const times = [];
    let asked = 0;
    const one = async () => {
      let told = false;
      const startedAt = performance.now();
      try {
        await hotragStream(generator, question(), undefined, () => {
          times.push(...(told ? [] : [performance.now() - startedAt]));
          told = true;
        });
        counts.answered++;
      } catch {
        counts[told ? 'failed visibly while streaming' : 'failed before any text']++;
      }
    };
    const worker = async () => {
      while (asked < 200) {
        asked++;
        if (asked === 100) first.kill();
        await one();
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    console.log('200 questions, 8 at a time; engine 1 is killed at the 100th\n');
    table(['', 'questions'], Object.entries(counts));
    console.log(`\nlongest wait for the first text: ${Math.max(...times).toFixed(0)} ms; median ${median(times).toFixed(1)} ms`);
    back = await startPaced({ tokens: 20, paceMs: 2, port: new URL(first.url).port });
    const startedAt = performance.now();
    let isBack = false;
    while (!isBack && performance.now() - startedAt < 60_000) {
      const before = await back.answered();
      await one();
      isBack = (await back.answered()) > before;
    }
    console.log(
      `engine 1 is back: ${isBack ? `its first answer came after ${((performance.now() - startedAt) / 1000).toFixed(1)} s` : 'NOT used again within a minute'}\n`,
    );
  } finally {
    await Promise.all([first.stop(), second.stop(), back?.stop()]);
  }
}

async function realEngines({ openGenerator, openOpenAiEmbedder, openOllamaEmbedder }) {
  const { llamaServer, ollama, LLAMA_KEY } = await load('test/servers/engines.ts');
  const llama = await llamaServer.prepare();
  const chat = await llama.start('chat');
  const embeddings = await llama.start('embeddings');
  const ollamaServer = await (await ollama.prepare())();
  try {
    const headers = { authorization: `Bearer ${LLAMA_KEY}` };
    const options = { apiKey: LLAMA_KEY, model: 'smollm2' };
    const onLlama = await openGenerator([engineAt(chat.url, options)]);
    await onLlama.warm();
    await ttft('real llama-server (SmolLM2 135M, one thread, prompt cache missed)', ROUNDS, onLlama, (messages, onText) =>
      bareStream(chat.url, { model: 'smollm2', messages, max_tokens: 4 }, headers, onText),
    );
    const onOllama = await openGenerator([
      { type: 'ollama', url: ollamaServer.url, model: 'smollm2', timeoutMs: 60_000, stallMs: 30_000, concurrency: 4, retries: 2 },
    ]);
    await onOllama.warm();
    const client = new Ollama({ host: ollamaServer.url });
    await ttft('real Ollama (SmolLM2 135M, one thread, prompt cache missed)', ROUNDS, onOllama, async (messages, onText) => {
      const stream = await client.chat({ model: 'smollm2', messages, stream: true, options: { num_predict: 4, num_ctx: 2048 } });
      for await (const { message } of stream) if (message.content) onText();
    });

    const llamaEmbedder = await openOpenAiEmbedder(embedderOptions(embeddings.url, 'minilm', LLAMA_KEY));
    console.log(`${TEXTS} single-text embeddings on real llama-server (MiniLM, one thread)\n`);
    printBatching(await batchingRuns(llamaEmbedder, (text) => bareEmbed(embeddings.url, 'minilm', [text], headers)));
    const ollamaEmbedder = await openOllamaEmbedder({ ...embedderOptions(ollamaServer.url, 'minilm'), keepAlive: '10m' });
    console.log(`${TEXTS} single-text embeddings on real Ollama (MiniLM, one thread)\n`);
    printBatching(await batchingRuns(ollamaEmbedder, (text) => client.embed({ model: 'minilm', input: [text] })));
  } finally {
    await Promise.all([chat.stop(), embeddings.stop(), ollamaServer.stop()]);
  }
}

async function ttft(name, rounds, generator, bare) {
  const times = { bare: [], own: [] };
  for (let round = 0; round < rounds + 1; round++) {
    for (const who of round % 2 === 0 ? ['bare', 'own'] : ['own', 'bare']) {
      const startedAt = performance.now();
      let first;
      const onText = () => {
        first ??= performance.now() - startedAt;
      };
      // A nonce at the beginning: nothing comes from the prefix cache.
      if (who === 'bare') await bare(question(), onText);
      else await hotragStream(generator, question(), 4, onText);
      if (round > 0) times[who].push(first); // the first round warms up
    }
  }
  console.log(`time to the first token on ${name}; ${rounds} rounds in turn\n`);
  const row = (label, values) => [
    label,
    median(values).toFixed(1),
    percentile(values, 0.9).toFixed(1),
    Math.min(...values).toFixed(1),
  ];
  table(['', 'ms, median', 'p90', 'least'], [row('bare client', times.bare), row('hotrag', times.own)]);
  const differences = times.own.map((own, round) => own - times.bare[round]);
  const least = Math.min(...times.own) - Math.min(...times.bare);
  console.log(
    `\nhotrag adds ${median(differences).toFixed(1)} ms (median of pairs), ${least.toFixed(1)} ms (least to least); goal: at most 5 ms\n`,
  );
}

function embedderOptions(url, model, apiKey) {
  const common = { maxBatch: 64, batchWaitMs: 0, concurrency: 4, retries: 0, timeoutMs: 60_000 };
  return { url, model, apiKey, encoding: 'float', ...common };
}

async function bareEmbed(url, model, input, headers = {}) {
  const response = await fetch(`${url}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, input }),
  });
  return (await response.json()).data;
}

async function batchingRuns(embedder, bare) {
  const runs = { oneByOne: [], allAtOnce: [], batched: [] };
  for (let round = 0; round < 5; round++) {
    const texts = Array.from({ length: TEXTS }, (_, index) => `${randomUUID()} is the number of train ${index} on the line`);
    runs.oneByOne.push(
      (
        await measure(async () => {
          for (const text of texts) await bare(text);
        })
      ).wallMs,
    );
    runs.allAtOnce.push((await measure(() => Promise.all(texts.map(bare)))).wallMs);
    runs.batched.push((await measure(() => Promise.all(texts.map((text) => embedder.embed([text]))))).wallMs);
  }
  return { oneByOne: median(runs.oneByOne), allAtOnce: median(runs.allAtOnce), batched: median(runs.batched) };
}

function printBatching({ oneByOne, allAtOnce, batched }, goal = '') {
  table(
    ['', 'ms, median of 5', 'against hotrag'],
    [
      ['one by one', oneByOne.toFixed(0), `${(oneByOne / batched).toFixed(1)}x`],
      ['each its own call, all at once', allAtOnce.toFixed(0), `${(allAtOnce / batched).toFixed(1)}x`],
      ['hotrag, micro-batched', batched.toFixed(0), ''],
    ],
  );
  console.log(goal === '' ? '' : `\n${goal}\n`);
}

/** A source file, built together with what it imports, packages aside. */
async function load(file) {
  const name = file.replace(/[^a-z]/g, '-');
  await build({
    entry: { [name]: `${ROOT}${file}` },
    outDir: `${ROOT}${OUT}`,
    format: 'esm',
    target: 'node20',
    config: false,
    silent: true,
    splitting: true,
    clean: false,
    outExtension: () => ({ js: '.mjs' }),
    define: file.startsWith('test/') ? { 'import.meta.url': JSON.stringify(new URL(`../${file}`, import.meta.url).href) } : {},
  });
  return import(new URL(`../${OUT}/${name}.mjs`, import.meta.url));
}

async function startPaced(options) {
  const env = { ...process.env, ...Object.fromEntries(Object.entries(options).map(([key, value]) => [key, String(value)])) };
  const child = spawn(process.execPath, [fileURLToPath(new URL('./lib/paced-engine.mjs', import.meta.url))], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const url = `http://127.0.0.1:${Number(line)}/v1`;
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const answered = async () => (await (await fetch(`${url.replace('/v1', '')}/answered`)).json()).answered;
  return { url, kill: () => end('SIGKILL'), stop: () => end('SIGTERM'), answered };
}
