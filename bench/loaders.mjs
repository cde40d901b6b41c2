// Question: does the text that the loaders take from PDF, Word and HTML hold what another tool takes from the same file?
// Files: what this machine's packages bring (/usr/share/doc, node_modules), or the folders given; Word documents, of which packages
// bring few, are made by pandoc from the HTML ones. Peers: pdftotext, pandoc. Shares are of words, counted as often as they stand.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { openRag } from '../dist/sdk/index.js';
import { median, percentile, table } from './lib/measure.mjs';

const FILES = 50;
const LEAST_WORDS = 50;
const LARGEST_BYTES = 10_000_000;
const PACKAGES = fileURLToPath(new URL('../node_modules/', import.meta.url));

export async function run(folders) {
  const missing = ['pdftotext', 'pandoc'].filter((tool) => !hasTool(tool));
  if (missing.length > 0) {
    console.error(`missing: ${missing.join(', ')}; on Debian: apt-get install poppler-utils poppler-data pandoc`);
    return 1;
  }
  const files = (folders.length > 0 ? folders.map((folder) => resolve(folder)) : ['/usr/share/doc', PACKAGES]).flatMap(listFiles);
  const rag = await openRag({
    embedder: { id: 'none', dimensions: 1, maxBatch: 1000, embed: async (texts) => texts.map(() => new Float32Array(1)) },
    groups: { whole: { type: 'recursive', maxChars: 1_000_000, overlap: 0 } },
    ingest: { documentTimeoutMs: 600_000 },
  });
  const printed = watchOutput();
  try {
    const html = sample(files.filter((name) => /\.html?$/i.test(name)));
    const results = {
      pdf: await compare(rag, sample(files.filter((name) => /\.pdf(\.gz)?$/i.test(name))), (path) =>
        execFileSync('pdftotext', ['-enc', 'UTF-8', path, '-'], { encoding: 'utf8', maxBuffer: 1 << 30, stdio: 'pipe' }),
      ),
      docx: await compare(rag, html, (path) => pandoc(path, 'docx'), asDocx),
      html: await compare(rag, html, (path) => pandoc(path, 'html')),
    };
    printed.stop();
    table(
      ['', 'files', 'words in common: median', 'p10', 'worst', 'of the other tool’s: median', 'of ours: median', 'failed'],
      Object.entries(results).map(([kind, { rows, failed }]) => [kind, rows.length, ...figures(rows), failed.length]),
    );
    for (const [kind, { rows, failed }] of Object.entries(results)) {
      console.log(`\n${kind}: the five worst`);
      for (const { name, common } of rows.sort((left, right) => left.common - right.common).slice(0, 5))
        console.log(`  ${common.toFixed(3)}  ${name}`);
      for (const { name, message } of failed) console.log(`  failed  ${name}: ${message.slice(0, 200)}`);
    }
    console.log(`\nprinted by the loaders on stdout and stderr: ${printed.bytes()} bytes`);
    const good = Object.values(results).every(({ rows }) => rows.length === 0 || median(rows.map((row) => row.common)) >= 0.95);
    return good && printed.bytes() === 0 ? 0 : 1;
  } finally {
    printed.stop();
    await rag.close();
  }
}

/** Each file as `prepare` makes it, read by both; those with hardly a word, to either, are left out. */
async function compare(rag, names, otherText, prepare = unpacked) {
  const rows = [];
  const failed = [];
  for (const name of names) {
    const folder = mkdtempSync(join(tmpdir(), 'hotrag-bench-'));
    try {
      const path = prepare(name, folder);
      if (path === undefined) continue;
      const other = wordsOf(otherText(path));
      const own = wordsOf(await textOf(rag, path));
      if (Math.max(own.size, other.size) >= LEAST_WORDS) rows.push({ name, ...sharesOf(own, other) });
    } catch (error) {
      failed.push({ name, message: error instanceof Error ? error.message : String(error) });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { rows, failed };
}

/** The whole text of a file, as it is searched. */
async function textOf(rag, path) {
  const { failed } = await rag.ingest({ uri: path, metadata: { path } });
  if (failed.length > 0) throw new Error(failed[0].message);
  const { documents } = await rag.documents.list({ filter: { path } });
  const { text } = await rag.documents.read(documents[0].id);
  await rag.documents.delete({ all: true });
  return text;
}

function unpacked(name, folder) {
  if (!name.endsWith('.gz')) return name;
  const path = join(folder, 'document.pdf');
  writeFileSync(path, gunzipSync(readFileSync(name)));
  return path;
}

function asDocx(name, folder) {
  const path = join(folder, 'document.docx');
  try {
    execFileSync('pandoc', ['-f', 'html', '-t', 'docx', '-o', path, name], { stdio: 'pipe', cwd: folder, timeout: 120_000 });
    return path;
  } catch {
    return undefined; // pandoc could not: nothing to compare
  }
}

function pandoc(path, from) {
  return execFileSync('pandoc', ['-f', from, '-t', 'plain', '--wrap=none', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: 'pipe',
    timeout: 120_000,
  });
}

/** Words and how often each stands; ideographs and kana one by one, since nothing parts their words. */
function wordsOf(text) {
  const counts = new Map();
  const pattern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}]+/gu;
  let size = 0;
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(pattern)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    size++;
  }
  return { counts, size };
}

function sharesOf(own, other) {
  let both = 0;
  for (const [word, count] of own.counts) both += Math.min(count, other.counts.get(word) ?? 0);
  return { common: (2 * both) / (own.size + other.size), ofOther: both / other.size, ofOwn: both / own.size };
}

function figures(rows) {
  const of = (pick) => rows.map(pick);
  const common = of((row) => row.common);
  return [
    median(common),
    percentile(common, 0.1),
    Math.min(...common),
    median(of((row) => row.ofOther)),
    median(of((row) => row.ofOwn)),
  ].map((value) => value.toFixed(3));
}

/** As many as are compared, from all over the list. */
function sample(names) {
  const step = Math.max(1, names.length / FILES);
  return Array.from({ length: Math.min(FILES, names.length) }, (_, index) => names[Math.floor(index * step)]);
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => /\.(pdf|pdf\.gz|html?)$/i.test(name) && isDocument(name))
    .sort();
}

function isDocument(name) {
  const stats = statSync(name, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size > 1000 && stats.size < LARGEST_BYTES;
}

function hasTool(tool) {
  try {
    execFileSync('which', [tool], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Counts what is written to stdout and stderr by anyone, until stopped. */
function watchOutput() {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write);
  let bytes = 0;
  for (const stream of streams) {
    stream.write = (chunk) => {
      bytes += chunk.length;
      return true;
    };
  }
  return {
    bytes: () => bytes,
    stop() {
      for (const [index, stream] of streams.entries()) stream.write = originals[index];
    },
  };
}
