// Question: does a killed writer lose an acknowledged write, and do readers beside a writer see each one?
// 300 writers are killed with SIGKILL at random moments, the store is opened and looked through after each; then one writer and three
// readers share a store for a minute. `npm run bench:crash -- --kills 15 --seconds 5` is a short one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCrashRag, writesIn } from './lib/crash.mjs';

const READERS = 3;
/** A writer is killed at a moment of its first so many ms. */
const LONGEST_LIFE_MS = 600;
/** The store starts anew now and then, so that the first writes of one are among those interrupted. */
const KILLS_A_STORE = 50;

export async function run(words = []) {
  const options = { kills: { type: 'string', default: '300' }, seconds: { type: 'string', default: '60' } };
  const { kills, seconds } = parseArgs({ args: words, options }).values;
  const folder = mkdtempSync(join(tmpdir(), 'hotrag-crash-'));
  try {
    const killed = await killWriters(folder, Number(kills));
    const shared = await shareStore(join(folder, 'shared'), Number(seconds));
    return killed + shared === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves to the number of failures. */
async function killWriters(folder, kills) {
  let failures = 0;
  let acknowledgedInAll = 0;
  let keptUntold = 0;
  let heldLock = 0;
  let acknowledged = -1;
  let path = '';
  for (let kill = 0; kill < kills; kill++) {
    if (kill % KILLS_A_STORE === 0) {
      path = join(folder, `store-${kill}`);
      acknowledged = -1;
    }
    const from = acknowledged + 1;
    const writer = start('./crash-writer.mjs', path, from);
    const told = [];
    writer.on('message', (message) => message !== 'ready' && told.push(message));
    // Half of them while they open the store, for the first time or again.
    if (kill % 4 !== 0) await once(writer, 'message');
    await sleep(Math.random() * LONGEST_LIFE_MS);
    const gone = once(writer, 'exit');
    writer.kill('SIGKILL');
    const [code, signal] = await gone;
    if (signal !== 'SIGKILL') failures += fail(`kill ${kill}: the writer had ended by itself (${code})`);
    if (statSync(join(path, 'data.mdb-writer'), { throwIfNoEntry: false }) !== undefined) heldLock++;
    acknowledged = told.at(-1) ?? acknowledged;
    acknowledgedInAll += told.length;
    try {
      const rag = await openCrashRag(path);
      const writes = await writesIn(rag).finally(() => rag.close());
      for (let n = 0; n <= acknowledged; n++)
        if (!writes.has(n)) failures += fail(`kill ${kill}: write ${n} was acknowledged and is lost`);
      // Written, and killed before it could tell: one at most.
      if (writes.newest > acknowledged + 1 || writes.newest < acknowledged) {
        failures += fail(`kill ${kill}: the newest write is ${writes.newest}, acknowledged was ${acknowledged}`);
      }
      if (writes.newest > acknowledged) keptUntold++;
      acknowledged = Math.max(acknowledged, writes.newest);
    } catch (error) {
      // A store whose writer died before it made the collection holds none.
      if (!(error.code === 'NOT_FOUND' && acknowledged < 0)) failures += fail(`kill ${kill}: ${error.stack}`);
    }
  }
  console.log(
    `${kills} writers killed: ${acknowledgedInAll} writes acknowledged, ${failures} failures; ${keptUntold} were killed between writing and telling, ${heldLock} while they held the writer lock`,
  );
  return failures;
}

/** Resolves to the number of failures. */
async function shareStore(path, seconds) {
  let failures = 0;
  let ending = false;
  const children = [];
  const watch = (child, name) => {
    children.push(child);
    child.on('error', () => {}); // told by its end
    child.on('exit', (code, signal) => {
      if (!ending) failures += fail(`${name} ended (${code ?? signal})`);
    });
    return child;
  };
  const writer = watch(start('./crash-writer.mjs', path, 0), 'the writer');
  let acknowledged = -1;
  const readers = [];
  writer.on('message', (message) => {
    if (message === 'ready') return;
    acknowledged = message;
    for (const reader of readers) if (reader.connected) reader.send(message);
  });
  while (acknowledged < 0 && failures === 0) await sleep(5);
  for (let number = 1; number <= READERS; number++) {
    const reader = watch(start('./crash-reader.mjs', path), `reader ${number}`);
    await once(reader, 'message');
    readers.push(reader);
  }
  const first = acknowledged;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && failures === 0) await sleep(50);
  ending = true;
  const results = failures > 0 ? [] : await Promise.all(readers.map(endOf));
  for (const child of children) child.kill('SIGKILL');
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  console.log(
    `1 writer and ${READERS} readers for ${seconds} s: ${acknowledged - first} writes, ${sum('queries')} queries, ${sum('checks')} of them right after an acknowledgement, ` +
      `${failures} failures; slowest query ${Math.max(0, ...results.map((result) => result.slowest)).toFixed(0)} ms`,
  );
  return failures;
}

function endOf(reader) {
  const result = once(reader, 'message').then(([message]) => message);
  reader.send('end');
  return result;
}

function start(file, ...args) {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

function fail(message) {
  console.error(message);
  return 1;
}
