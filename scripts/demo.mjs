// npm run demo: the main job on real text. Ingests the Markdown of the installed packages into a durable store, searches, shows
// where the time went and what the caches saved, asks a local Ollama if there is one, and opens the store again in a new process.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageSources } from '../bench/lib/corpus.mjs';

const QUESTION = 'how do I limit the number of promises that run at the same time?';
const [, , hotPath] = process.argv;
if (hotPath === undefined) await cold();
else await hot(hotPath);

async function cold() {
  const path = mkdtempSync(join(tmpdir(), 'hotrag-demo-'));
  try {
    const { openRag, isRagError } = await import('../dist/sdk/index.js');
    const startedAt = performance.now();
    const rag = await openRag({ store: { type: 'memory', path } });

    heading('Ingest: the Markdown of the packages in node_modules');
    const report = await rag.ingest(packageSources(), { onProgress: showProgress });
    console.log(
      `${report.documents} documents, ${report.chunks} chunks in ${ms(report.tookMs)} (${Math.round((report.chunks / report.tookMs) * 1000)} chunks a second)`,
    );
    for (const { uri, message } of report.failed) console.log(`failed: ${uri}: ${message}`);

    heading(`Search: ${QUESTION}`);
    const first = await rag.search(QUESTION, { topK: 3 });
    const coldMs = performance.now() - startedAt;
    showHits(first);

    heading('Search with a scalar filter: { license: "MIT", major: { $gte: 5 } }');
    showHits(
      await rag.search('which paths does a .gitignore file name?', { topK: 3, filter: { license: 'MIT', major: { $gte: 5 } } }),
    );

    heading('Search, explained: keyword and vector side by side');
    const explained = await rag.search('validate input against a schema', {
      topK: 3,
      explain: true,
      filter: { major: { $gte: 1 } },
    });
    showHits(explained);
    for (const { name, ms: took, detail } of explained.explain.stages)
      console.log(`   ${name.padEnd(8)} ${took.toFixed(2).padStart(7)} ms  ${detail}`);
    console.log(
      `   index: ${explained.explain.index}; filter in the store: ${JSON.stringify(explained.explain.pushedDown)}, after it: ${JSON.stringify(explained.explain.residual)}`,
    );

    heading('The first question again: from the cache');
    const again = await rag.search(QUESTION, { topK: 3 });
    console.log(`cached: ${again.cached}, ${ms(again.tookMs)} instead of ${ms(first.tookMs)}`);
    const { layers } = await rag.cacheStats();
    for (const [name, { hits, misses, entries, savedMs }] of Object.entries(layers)) {
      console.log(`   ${name.padEnd(10)} ${hits} hits, ${misses} misses, ${entries} entries, ${ms(savedMs)} saved`);
    }

    heading(`Answer: ${QUESTION}`);
    try {
      for await (const event of rag.stream(QUESTION, { topK: 3, maxTokens: 200 })) {
        if (event.type === 'text-delta') process.stdout.write(event.text);
        if (event.type === 'finish')
          console.log(`\n${event.answer.engine} ${event.answer.model}: ${JSON.stringify(event.answer.metrics)}`);
      }
    } catch (error) {
      if (!isRagError(error)) throw error;
      console.log(
        `no answer (${error.code}): to get one, start Ollama (https://ollama.com) and \`ollama pull qwen3:4b\`, then run this again`,
      );
    }
    await rag.close();

    heading('Hot start: the same store in a new process');
    const hotMs = Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), path], { encoding: 'utf8' }));
    console.log(
      `cold: open, ingest, first hit  ${ms(coldMs)}\nhot:  open, first hit          ${ms(hotMs)}   (${Math.round(coldMs / hotMs)}x sooner; nothing parsed or embedded again)`,
    );
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Prints the milliseconds from here to the first hit. */
async function hot(path) {
  const startedAt = performance.now();
  const { openRag } = await import('../dist/sdk/index.js');
  const rag = await openRag({ store: { type: 'memory', path } });
  const { hits } = await rag.search(QUESTION, { topK: 3 });
  if (hits.length === 0) throw new Error('the reopened store found nothing');
  console.log(performance.now() - startedAt);
  await rag.close();
}

function showProgress({ done, total, phase }) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(phase === 'done' ? '\r\x1b[K' : `\r\x1b[K${done} of ${total} documents`);
}

function showHits({ hits, tookMs }) {
  hits.forEach(({ uri, location, score, text }, index) => {
    const line = text.replace(/\s+/g, ' ').slice(0, 110);
    console.log(`${index + 1}. ${uri}:${location.lines?.[0] ?? 1}  (${score.toFixed(3)})\n   ${line}`);
  });
  console.log(`   ${hits.length} hits in ${ms(tookMs)}`);
}

function heading(text) {
  console.log(`\n── ${text}`);
}

function ms(value) {
  return value < 10 ? `${value.toFixed(2)} ms` : value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
