import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bundleChild, type ChildProgram, kill, nextMessage } from '../support/child.js';
import { makeFolder } from '../support/folder.js';
import { redis } from './cache-servers.js';
import { requireServer } from './require-server.js';

interface Reply {
  readonly error?: string;
  readonly texts?: readonly string[];
  readonly cached?: boolean;
  readonly tier?: { readonly hits: number; readonly misses: number; readonly errors: number };
  readonly warnings?: readonly string[];
}

const required = await requireServer(redis);

describe.skipIf(required.skipped)(`${required.title} behind two processes over one store`, () => {
  if (required.skipped) return;
  const startRedis = required.server;
  let program: ChildProgram;
  beforeAll(async () => {
    program = await bundleChild('replica-process.ts');
  });
  afterAll(() => program.remove());

  async function openReplicas() {
    const server = { current: await startRedis() };
    onTestFinished(() => server.current.stop());
    const path = makeFolder();
    const open = async () => {
      const child = program.start(path, `redis://127.0.0.1:${server.current.port}`);
      onTestFinished(() => kill(child));
      expect(await nextMessage(child)).toBe('ready');
      return callsOf(child);
    };
    return { server, left: await open(), right: await open() };
  }

  test('what one has written the other sees at its next search, a thousand times', async () => {
    const { left, right } = await openReplicas();
    const [writers, readers] = [
      [left, right],
      [right, left],
    ];
    let stale = 0;
    for (let round = 0; round < 1000; round++) {
      // Each in turn: its own caches hold the search of the round before, and so does the shared one.
      const write = writers[round % 2];
      const read = readers[round % 2];
      await write?.({ ingest: round });
      const found = await read?.({ search: 1 });
      if (found?.texts?.join() !== `whale number ${round}`) stale++;
      const again = await write?.({ search: 1 });
      if (again?.texts?.join() !== `whale number ${round}`) stale++;
    }
    const { tier } = await left({ search: 1 });
    expect(stale).toBe(0);
    // The test would prove little if nothing had ever come from the shared cache.
    expect(tier?.hits).toBeGreaterThan(100);
  });

  test('killed and restarted under load, it costs no request and no right answer', async () => {
    const { server, left, right } = await openReplicas();
    await left({ ingest: 0 });
    let written = 0;
    let running = true;
    const replies: Reply[] = [];
    const wrong: unknown[] = [];
    const load = [left, right, left, right].map(async (call, worker) => {
      for (let count = 0; running; count++) {
        const before = written;
        const reply = await call({ search: (worker * 7 + count) % 50 });
        replies.push(reply);
        const number = Number(/whale number (\d+)/.exec(reply.texts?.[0] ?? '')?.[1] ?? Number.NaN);
        if (!(number >= before && number <= written + 1)) wrong.push({ reply, before, written });
      }
    });
    const writing = (async () => {
      for (let number = 1; running; number++) {
        const reply = await left({ ingest: number });
        if (reply.error !== undefined) wrong.push(reply);
        written = number;
        await wait(20);
      }
    })();
    for (let round = 0; round < 4; round++) {
      await wait(300);
      await server.current.kill();
      await wait(300);
      server.current = await startRedis({ port: server.current.port });
    }
    await wait(1500);
    running = false;
    await Promise.all([...load, writing]);

    expect(wrong).toEqual([]);
    expect(replies.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(replies.length).toBeGreaterThan(500);
    // It was lost, that was counted and told once, and it is back.
    const before = await right({ search: 99 });
    expect(before.tier?.errors).toBeGreaterThan(0);
    expect(before.warnings?.filter((warning) => warning.includes('left out'))).toHaveLength(1);
    let isBack = false;
    for (let number = 1000; !isBack && number < 1200; number++) {
      await left({ search: number });
      await wait(50); // until it is written; nobody waits for that
      isBack = (await right({ search: number })).cached === true;
    }
    expect(isBack).toBe(true);
  });
});

/** Calls of one replica, each with its reply. */
function callsOf(child: ChildProcess): (request: { ingest: number } | { search: number }) => Promise<Reply> {
  const waiting = new Map<number, (reply: Reply) => void>();
  let ids = 0;
  child.on('message', (message: Reply & { readonly id: number }) => {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  return (request) =>
    new Promise((resolve) => {
      const id = ++ids;
      waiting.set(id, resolve);
      child.send({ id, ...request });
    });
}
