// Question: does an ingest that was killed at any moment, and started again, end as if nothing had happened, and do what was done only once?
// `npm run bench:ingest-kill -- [--kills 50] [--documents 400]`. The documents are Markdown made of paragraphs of the installed packages.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openRag } from '../dist/sdk/index.js';
import { createRandom, generateCorpus } from './lib/corpus.mjs';

const QUERIES = ['install the package', 'event loop', 'how is a date parsed?', 'breaking change', 'license'];

export async function run(words = []) {
  const options = { kills: { type: 'string', default: '50' }, documents: { type: 'string', default: '400' } };
  const { values } = parseArgs({ args: words, options });
  const kills = Number(values.kills);
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-kill-'));
  const docs = join(folder, 'docs');
  let failures = 0;
  const fail = (message) => {
    console.error(message);
    failures++;
  };
  try {
    generateCorpus(docs, Number(values.documents));
    const whole = await ingestAndLook(join(folder, 'undisturbed'), docs);
    // How long a whole ingest takes: the moments are spread over it, from the start of the process on.
    const started = performance.now();
    const reference = start(join(folder, 'timed'), docs);
    for (let message = {}; message.report === undefined; ) [message] = await once(reference, 'message');
    const lifeMs = performance.now() - started;
    reference.disconnect();
    const random = createRandom(7);
    const counts = { nothing: 0, some: 0, all: 0, documents: 0 };
    for (let kill = 0; kill < kills; kill++) {
      const path = join(folder, `store-${kill}`);
      const child = start(path, docs);
      const told = new Set();
      child.on('message', ({ uri }) => uri !== undefined && told.add(uri));
      await sleep(random() * lifeMs);
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }
      const after = await ingestAndLook(path, docs);
      const { report, embedded } = after;
      counts.documents += told.size;
      counts[report.added === 0 ? 'all' : report.unchanged === 0 ? 'nothing' : 'some']++;
      if (report.failed.length > 0 || report.changed > 0) fail(`kill ${kill}: ${JSON.stringify(report)}`);
      if (report.unchanged < told.size) fail(`kill ${kill}: ${told.size} were told to be in, ${report.unchanged} were`);
      // Every text is embedded once a run at most, and those of documents that are in not at all.
      if (embedded > report.chunks || (report.added === 0 && embedded > 0))
        fail(`kill ${kill}: ${embedded} embedded for ${report.chunks}`);
      if (after.state !== whole.state) fail(`kill ${kill}: the end state differs from that of an undisturbed run`);
      rmSync(path, { recursive: true, force: true });
    }
    console.log(
      `${kills} ingests of ${values.documents} documents killed: ${counts.nothing} before the first commit, ${counts.some} after some, ${counts.all} after the last; ` +
        `${counts.documents} documents were in and not embedded again; ${failures} failures`,
    );
    return failures === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ingests to the end, and digests all that can be read: documents with hash and chunks, the text of each, hits with their scores. */
async function ingestAndLook(path, docs) {
  const rag = await openRag({ store: { type: 'memory', path } });
  try {
    const report = await rag.ingest([docs], { roots: [docs] });
    const embedded = (await rag.cacheStats()).layers.embeddings.misses;
    const digest = createHash('sha256');
    for (let cursor; ; ) {
      const page = await rag.documents.list({ limit: 500, cursor });
      for (const { updatedAt, ...document } of page.documents) {
        digest.update(JSON.stringify([document, (await rag.documents.read(document.id)).text]));
      }
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    for (const mode of ['hybrid', 'vector', 'keyword']) {
      for (const query of QUERIES) digest.update(JSON.stringify((await rag.search(query, { mode, topK: 50 })).hits));
    }
    return { report, embedded, state: digest.digest('hex') };
  } finally {
    await rag.close();
  }
}

function start(path, docs) {
  const file = fileURLToPath(new URL('./ingest-kill-child.mjs', import.meta.url));
  return fork(file, [path, docs], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}
