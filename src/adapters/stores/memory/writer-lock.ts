import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalidInput, RagError } from '../../../core/errors.js';
import { describeProcess, isRunning, type ProcessCard } from './process-card.js';

/**
 * Lets the processes that share a store write one after the other: a file, there while one of them commits, that tells who.
 *
 * It is about waiting well, not about safety: LMDB alone decides who wrote first (lmdb-rows.ts), and a lock that is broken or can't be
 * made loses nothing. Waiting here, and not in LMDB, can be aborted, ends, and names the process that is in the way.
 */
export interface WriterLock {
  /**
   * Runs `work` while no other process writes. Work that resolves to false came too late for its change; the lock then stays a moment,
   * so that its next try finds nobody before it.
   * @throws RagError STORE_LOCKED naming the holder, when that goes on for longer than the patience · the signal's reason
   */
  run(action: string, work: () => Promise<boolean>, signal?: AbortSignal): Promise<boolean>;
  /**
   * Resolves when the commit that is under way, if any, is over. Opening LMDB waits for one, and blocks the event loop meanwhile.
   * @throws RagError STORE_LOCKED
   */
  passed(action: string): Promise<void>;
  /** Resolves when the work under way is over; later work is refused. What LMDB is closed amid is never told of again. */
  close(): Promise<void>;
}

export interface WriterLockOptions {
  /** How long to wait for others, ms. @default 30 000 */
  readonly patienceMs?: number | undefined;
}

interface Holder extends ProcessCard {
  /** Another each time that the lock is taken. */
  readonly token: string;
  /** ISO 8601. */
  readonly since: string;
}

const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 20;
/** How long a writer that came too late keeps the lock for its next try. */
const KEEP_MS = 1000;
/** From when on a lock counts as left behind whose holder can't be looked up: it runs on another machine, or is unknown. A commit takes milliseconds. */
const STALE_MS = 5000;

/** @param folder of the store */
export function createWriterLock(folder: string, { patienceMs = 30_000 }: WriterLockOptions = {}): WriterLock {
  const path = join(folder, 'data.mdb-writer');
  let token: string | undefined;
  let working = false;
  let held = false;
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let keeping: NodeJS.Timeout | undefined;

  return {
    async run(action, work, signal) {
      await waitUntil(action, enter, signal);
      const result = work();
      running = result.then(
        () => {},
        () => {},
      );
      let done = true;
      try {
        done = await result;
        return done;
      } finally {
        working = false;
        if (done || closed) release();
        else keeping = setTimeout(release, KEEP_MS).unref();
      }
    },
    async passed(action) {
      const before = holderOf(path)?.token;
      if (before !== undefined) await waitUntil(action, () => holderOf(path)?.token !== before);
    },
    async close() {
      closed = true;
      await running;
      release();
    },
  };

  async function waitUntil(action: string, isReady: () => boolean, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (let pause = FIRST_LOOK_MS; !isReady(); pause = Math.min(LAST_LOOK_MS, 1.5 * pause)) {
      if (performance.now() > deadline) throw locked(action);
      await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }

  function enter(): boolean {
    if (closed) throw invalidInput('store', 'it was closed; open it again');
    if (working) return false;
    const next = randomUUID();
    if (!held && !takeFile(path, next)) return false;
    if (!held) token = next;
    clearTimeout(keeping);
    working = held = true;
    return true;
  }

  function locked(action: string): RagError {
    const holder = holderOf(path);
    const who = holder === undefined ? 'other processes have' : `process ${holder.pid} on ${holder.host} has`;
    const since = holder === undefined ? '' : ` since ${holder.since}`;
    return new RagError(
      'STORE_LOCKED',
      `${action}: ${who} been writing to the store at ${folder}${since}; waited ${patienceMs / 1000} s`,
      { adapter: 'memory' },
    );
  }

  function release(): void {
    clearTimeout(keeping);
    if (!held || working) return;
    held = false;
    // Another process may have taken it for left behind, and then it is theirs.
    if (readHolder(path)?.token === token) remove(path);
  }
}

/** True when the lock is taken, or when none can be made (a full disk, say): then LMDB's own must do. */
function takeFile(path: string, token: string): boolean {
  try {
    const file = openSync(path, 'wx');
    try {
      const holder: Holder = { ...describeProcess(), token, since: new Date().toISOString() };
      writeSync(file, JSON.stringify(holder));
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return holderOf(path) === undefined && takeFile(path, token); // fs throws nothing else
    remove(path);
    return true;
  }
}

/** Who holds the lock; what a killed process left is cleared away. */
function holderOf(path: string): Holder | undefined {
  const holder = readHolder(path);
  const made = timeOf(path);
  if (made === undefined) return undefined;
  const running = holder === undefined ? undefined : isRunning(holder);
  if (running ?? Date.now() - made.getTime() < STALE_MS) return holder ?? { ...NOBODY, since: made.toISOString() };
  clear(path, holder?.token);
  return undefined;
}

const NOBODY = { pid: 0, host: 'this machine', token: '' };

/** When the lock was taken; undefined: there is none. */
function timeOf(path: string): Date | undefined {
  try {
    return statSync(path).mtime;
  } catch {
    return undefined;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    // Written by `take`; half of it doesn't parse.
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

/** By renaming, which only one of those who found it succeeds with. */
function clear(path: string, token: string | undefined): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Someone else was quicker, and has it already: theirs goes back. If a third one came in between, two write at once, as LMDB allows.
  if (readHolder(aside)?.token !== token) renameSync(aside, path);
  else remove(aside);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next writer finds it, and that this process has ended.
  }
}
