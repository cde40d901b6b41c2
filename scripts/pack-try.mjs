// npm run pack:try [-- NODE…]: packs hotrag, installs the tarball into a folder of its own without any install script, and does there what a
// new user does, with each Node: init --print, doctor, ingest, search, serve over stdio as the entry says. Without arguments: this Node,
// 22 and 24, fetched from npm into .nodes/. Needs a build.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FETCHED = [22, 24];
const STEP_MS = 120_000;

const work = mkdtempSync(join(tmpdir(), 'hotrag-pack-'));
try {
  const tarball = pack();
  const app = install(tarball);
  const bin = join(app, 'node_modules', 'hotrag', 'dist', 'cli', 'main.js');
  const given = process.argv.slice(2).map((path) => resolve(path));
  const nodes = given.length > 0 ? given : [process.execPath, ...FETCHED.map(fetchNode)];
  for (const node of nodes) await tryWith(node, bin);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack() {
  const [{ filename, size, entryCount }] = JSON.parse(
    npm(['pack', '--json', '--ignore-scripts', '--pack-destination', work], ROOT),
  );
  console.log(`${filename}: ${(size / 1e6).toFixed(1)} MB, ${entryCount} files`);
  return join(work, filename);
}

function install(tarball) {
  const app = join(work, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "private": true }');
  const start = performance.now();
  npm(['install', tarball, '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], app);
  console.log(`installed without install scripts in ${seconds(start)}`);
  return app;
}

/** The path of a Node of that major version, from the package that npm has of it for this machine. */
function fetchNode(major) {
  const folder = join(ROOT, '.nodes', String(major));
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    npm(['install', `${name}@${major}`, '--prefix', folder, '--no-save', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  }
  return path;
}

async function tryWith(node, bin) {
  const version = run(node, ['--version'], { cwd: work }).stdout.trim();
  const home = mkdtempSync(join(work, 'home-'));
  const notes = join(home, 'notes');
  mkdirSync(join(notes, '.hotrag'), { recursive: true });
  writeFileSync(join(notes, 'line.md'), '# Guide\n\nThe line is forty metres long.\n');
  // No engine answers there, whatever runs on this machine.
  const env = { PATH: process.env.PATH, HOME: home, OLLAMA_HOST: 'http://127.0.0.1:9' };
  const hotrag = (...words) => run(node, [bin, ...words], { cwd: notes, env });
  const took = [];
  const step = async (name, work) => {
    const start = performance.now();
    const result = await work();
    took.push(`${name} ${seconds(start)}`);
    return result;
  };

  const printed = await step('init --print', () => JSON.parse(hotrag('init', 'cursor', '--print').stdout));
  const doctor = await step('doctor', () => JSON.parse(hotrag('doctor', '--json').stdout));
  expect(doctor.ok, 'doctor finds nothing failing', doctor);
  const report = await step('ingest', () => JSON.parse(hotrag('ingest', '.', '--json').stdout));
  expect(report.added === 1, 'one document was added', report);
  const found = await step('search', () => JSON.parse(hotrag('search', 'how long is the line?', '--json').stdout));
  expect(found.hits[0]?.uri.endsWith('line.md'), 'the document is found', found);
  const { command, args } = printed.mcpServers.hotrag;
  const text = await step('serve', () => firstHit(command, args, { cwd: home, env }));
  expect(text.includes('forty metres'), 'a client gets its first hit', text);
  console.log(`Node ${version}: ${took.join(', ')}`);
}

/** What `search` answers a client that starts the entry's command. */
async function firstHit(command, args, options) {
  const server = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => server.kill('SIGKILL'), STEP_MS);
  const send = (message) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const clientInfo = { name: 'pack-try', version: '1' };
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const { id, result } = JSON.parse(line);
      if (id === 1) {
        send({ method: 'notifications/initialized' });
        send({ id: 2, method: 'tools/list' });
      }
      if (id === 2) {
        expect(result.tools.length > 0, 'there are tools', result);
        send({ id: 3, method: 'tools/call', params: { name: 'search', arguments: { query: 'how long is the line?' } } });
      }
      if (id === 3) return JSON.stringify(result);
    }
    throw new Error('the server ended without an answer');
  } finally {
    clearTimeout(timer);
    const ended = new Promise((done) => server.once('exit', done));
    server.stdin.end();
    if (server.exitCode === null) await ended;
  }
}

function npm(words, cwd) {
  const [command, ...first] = process.platform === 'win32' ? ['cmd', '/c', 'npm'] : ['npm'];
  return run(command, [...first, ...words], { cwd, timeout: 10 * STEP_MS }).stdout;
}

function run(command, words, options) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', timeout: STEP_MS, ...options });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${status ?? error}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}

function expect(holds, what, seen) {
  if (!holds) throw new Error(`not so: ${what}\n${JSON.stringify(seen, undefined, 2)}`);
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
