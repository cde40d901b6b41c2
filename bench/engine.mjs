// Question: how good and how fast is the vector engine of the embedded store beside what else one can put into a Node process, at the same
// recall? 384-dimensional embeddings (MiniLM) of passages of real text, exact ground truth, CPU time of the process.
//   npm run bench:engine -- [--sizes 10000,40000,100000] [--queries 500] [--text FOLDER ...] [--only NAME,NAME] [--parts compare,filters,updates]
// `compare`: all engines, no filter · `filters`: the embedded store with filters, beside zvec · `updates`: the embedded store after deletes and
// upserts, beside one that never held anything else, at the first of the sizes.
// The peers are installed into bench/peers at the first run, the embedder and faiss into a Python environment under .stores/engine; the
// vectors are made once and kept there (11 ms a passage). Text: the Markdown, comments and documentation of the installed packages of the
// project and the peers, and of --text folders (where there is one: /usr/share/doc).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepareVectors } from './engine/data.mjs';

const PEERS = new URL('./peers/', import.meta.url);

export async function run(args) {
  const sizes = option(args, '--sizes', '10000,40000,100000').split(',').map(Number);
  const node = installPeers();
  const data = await prepareVectors(
    Math.max(...sizes, 2 * sizes[0]),
    args.flatMap((name, at) => (name === '--text' ? [args[at + 1]] : [])),
  );
  const parts = option(args, '--parts', 'compare,filters,updates').split(',');
  const queries = option(args, '--queries', '500');
  let failed = 0;
  // A process a size: what one leaves behind in memory would slow the next.
  const start = (version, name, ...rest) => {
    const file = fileURLToPath(new URL(`./engine/${name}.mjs`, import.meta.url));
    const { status } = spawnSync(version, ['--no-warnings', file, data.folder, ...rest], { stdio: 'inherit' });
    failed += status === 0 ? 0 : 1;
  };
  if (parts.includes('compare')) {
    for (const version of new Set([node, process.execPath])) {
      const isOurs = version === process.execPath && version !== node;
      const only = isOurs ? ['--only', 'hotrag'] : pick(args, '--only');
      for (const size of sizes) start(version, 'compare', String(size), data.python, queries, ...only);
    }
  }
  if (parts.includes('filters')) for (const size of sizes) start(node, 'filters', String(size), queries);
  if (parts.includes('updates')) start(node, 'updates', String(sizes[0]), queries);
  return failed === 0 ? 0 : 1;
}

/** The Node that all of them run on: usearch needs 22. */
function installPeers() {
  const node = fileURLToPath(new URL('node_modules/node/bin/node', PEERS));
  if (!existsSync(node)) {
    console.log('installing the peers into bench/peers ...');
    const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
      cwd: PEERS,
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error('the peers could not be installed');
  }
  return node;
}

function option(args, name, fallback) {
  const at = args.indexOf(name);
  return at < 0 ? fallback : args[at + 1];
}

function pick(args, name) {
  const at = args.indexOf(name);
  return at < 0 ? [] : args.slice(at, at + 2);
}
