// Runs the official conformance suite against the server, through its real HTTP stack. `node test/conformance/run.mjs server` only
// starts that server, on PORT. The suite needs Node 22, so it and its Node live in a folder of their own, installed when first needed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const NODE = 'node@22';
/** What a revision requires, and what it doesn't but is tried all the same. */
const REQUIREMENTS = ['2025-11-25', '2026-07-28'];
/** The scenarios that may fail, and must: one that passes has to leave the list. */
const NOT_PASSED = {
  '2025-11-25': {},
  '2026-07-28': Object.fromEntries(
    [
      'tasks-lifecycle',
      'tasks-capability-negotiation',
      'tasks-wire-fields',
      'tasks-request-state-removal',
      'tasks-mrtr-input',
      'tasks-request-headers',
      'tasks-dispatch-and-envelope',
      'tasks-required-task-error',
      'tasks-mrtr-composition',
    ].map((name) => [name, 'the tasks extension is optional and not offered: a long ingest is joined by calling it again']),
  ),
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, '.conformance');
const bundle = join(folder, 'server.mjs');

mkdirSync(folder, { recursive: true });
await build({
  entryPoints: [fileURLToPath(new URL('server.ts', import.meta.url))],
  outfile: bundle,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
});
const server = spawn(process.execPath, [bundle], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
const exited = new Promise((resolve) => server.once('exit', resolve));
const url = await new Promise((resolve, reject) => {
  server.stdout.once('data', (chunk) => resolve(String(chunk).trim()));
  exited.then((code) => reject(new Error(`the server ended with ${code} before it listened`)));
});
process.stdout.write(`${url}\n`);

if (process.argv[2] === 'server') {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.kill(signal));
  process.exitCode = await exited;
} else {
  install();
  let failed = 0;
  for (const revision of REQUIREMENTS) failed += run(revision, url);
  server.kill('SIGTERM');
  await exited;
  process.exitCode = failed === 0 ? 0 : 1;
}

function install() {
  const suite = join(folder, 'node_modules', '@modelcontextprotocol', 'conformance');
  if (existsSync(suite) && existsSync(join(folder, 'node_modules', '.bin', 'node'))) return;
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', SUITE, NODE], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`npm install of ${SUITE} and ${NODE} failed`);
}

/** 0: what failed is what the list says. */
function run(revision, url) {
  const main = join(folder, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
  const node = join(folder, 'node_modules', '.bin', 'node');
  process.stdout.write(`\n== requirements ${revision}\n`);
  const { stdout } = spawnSync(node, [main, 'server', '--url', url, '--requirements', revision], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const summary = stdout.slice(stdout.indexOf('=== SUMMARY ==='));
  process.stdout.write(summary);
  const names = (mark) => [...summary.matchAll(new RegExp(`^${mark} ([\\w-]+):`, 'gm'))].map(([, name]) => name);
  const failed = names('✗');
  const listed = NOT_PASSED[revision];
  const problems = [
    ...(names('✓').length === 0 ? ['the suite told of no scenario that passed'] : []),
    ...failed.filter((name) => listed[name] === undefined).map((name) => `${name} failed`),
    ...Object.keys(listed)
      .filter((name) => !failed.includes(name))
      .map((name) => `${name} passed or didn't run: take it off the list`),
  ];
  for (const [name, reason] of Object.entries(listed)) process.stdout.write(`not passed: ${name}: ${reason}\n`);
  for (const problem of problems) process.stdout.write(`PROBLEM: ${problem}\n`);
  return problems.length;
}
