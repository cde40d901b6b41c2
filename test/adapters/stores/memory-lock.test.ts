import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { describeProcess, isRunning } from '../../../src/adapters/stores/memory/process-card.js';
import { createWriterLock } from '../../../src/adapters/stores/memory/writer-lock.js';
import { bundleChild, kill, nextMessage } from '../../support/child.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';

const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };
const LOCK = 'data.mdb-writer';
const change = (id: string) => ({ put: [makeDocument(id, [{ text: 'a needle' }])], drop: [] });
const holder = (card: object) => JSON.stringify({ ...card, token: 'theirs', since: '2024-01-01T00:00:00.000Z' });

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

async function openWithLock(content: string, patienceMs: number) {
  const path = makeFolder();
  const store = await openMemoryStore({ path, patienceMs });
  const collection = await store.open(REQUEST);
  await collection.commit(change('before'));
  writeFileSync(join(path, LOCK), content);
  return { path, store, collection };
}

describe('the writer lock of a store', () => {
  it('is waited for, then named with its holder, while reading goes on', async () => {
    const { path, store, collection } = await openWithLock(holder(describeProcess()), 100);
    const refused = {
      code: 'STORE_LOCKED',
      retryable: true,
      message: expect.stringMatching(new RegExp(`process ${process.pid} on .* since 2024-01-01T00:00:00.000Z; waited 0.1 s`)),
    };
    await expect(collection.commit(change('a'))).rejects.toMatchObject(refused);
    await expect(store.open({ ...REQUEST, collection: 'new' })).rejects.toMatchObject(refused);
    await expect(store.drop('docs')).rejects.toMatchObject(refused);
    // To open LMDB is to wait for who writes, on the event loop: so it isn't tried.
    await expect(openMemoryStore({ path, patienceMs: 100 })).rejects.toMatchObject(refused);
    expect((await collection.keywords({ text: 'needle', limit: 5 })).matches).toHaveLength(1);
    expect((await collection.nearest({ vector: makeVector('q'), limit: 5 })).matches).toHaveLength(1);
    await store.close();
    expect(existsSync(join(path, LOCK))).toBe(true);
  });

  it('is gone between two writes, and when the store is closed', async () => {
    const path = makeFolder();
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    await collection.commit(change('a'));
    expect(existsSync(join(path, LOCK))).toBe(false);
    await store.close();
    expect(existsSync(join(path, LOCK))).toBe(false);
  });

  it.each([
    ['has ended', () => holder({ ...describeProcess(), pid: endedProcess() })],
    ['ran before the machine was started again', () => holder({ ...describeProcess(), boot: 'another' })],
  ])('blocks nobody when its holder %s', async (_, content) => {
    const { path, store, collection } = await openWithLock(content(), 0);
    await collection.commit(change('a'));
    expect(existsSync(join(path, LOCK))).toBe(false);
    await store.close();
  });

  it.runIf(process.platform === 'linux')('blocks nobody when its holder’s number has been given to another process', async () => {
    const { store, collection } = await openWithLock(holder({ ...describeProcess(), started: '1' }), 0);
    await collection.commit(change('a'));
    await store.close();
  });

  it.each([
    ['is unreadable', ''],
    ['is another machine’s', holder({ ...describeProcess(), host: 'another' })],
  ])('that %s counts until it is old', async (_, content) => {
    const { path, store, collection } = await openWithLock(content, 50);
    await expect(collection.commit(change('a'))).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(path, LOCK), longAgo, longAgo);
    await collection.commit(change('a'));
    await store.close();
  });

  it('is waited for no longer than the caller wants', async () => {
    const { store, collection } = await openWithLock(holder(describeProcess()), 60_000);
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = collection.commit(change('a'), { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await store.close();
  });

  it('is passed on: of many at once, one works at a time, and each has its turn', async () => {
    const folder = makeFolder();
    const locks = Array.from({ length: 4 }, () => createWriterLock(folder));
    let working = 0;
    let most = 0;
    let runs = 0;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        locks[index % 4]?.run('test', async () => {
          most = Math.max(most, ++working);
          await new Promise((resolve) => setImmediate(resolve));
          working--;
          runs++;
          return true;
        }),
      ),
    );
    expect([most, runs]).toEqual([1, 20]);
    expect(existsSync(join(folder, LOCK))).toBe(false);
  });

  it('waits for the work under way when it is closed, and takes no more', async () => {
    const folder = makeFolder();
    const lock = createWriterLock(folder);
    let end = (_: boolean) => {};
    const work = lock.run('test', () => new Promise<boolean>((resolve) => (end = resolve)));
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = lock.run('test', async () => true);
    let closed = false;
    const closing = lock.close().then(() => {
      closed = true;
    });
    await expect(waiting).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('closed') });
    expect([closed, existsSync(join(folder, LOCK))]).toEqual([false, true]);
    end(false);
    await closing;
    await work;
    expect(existsSync(join(folder, LOCK))).toBe(false);
  });

  it('stays with a writer that came too late for its next try, and no longer', async () => {
    const folder = makeFolder();
    const [first, second] = [createWriterLock(folder), createWriterLock(folder, { patienceMs: 50 })];
    await first.run('test', async () => false);
    await expect(second.run('test', async () => true)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await first.run('test', async () => true);
    expect(await second.run('test', async () => true)).toBe(true);
    await first.run('test', async () => false);
    await first.close();
    expect(await second.run('test', async () => true)).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'names a process that was stopped while it wrote, and is free when that is killed',
    { timeout: 60_000 },
    async () => {
      const path = makeFolder();
      const program = await bundleChild('./writing-process.ts');
      const child = program.start(path, REQUEST.collection, 'writer', '0');
      try {
        await nextMessage(child);
        child.send('go');
        await nextMessage(child);
        const store = await openMemoryStore({ path, patienceMs: 200 });
        const collection = await store.open(REQUEST);
        // Stopped again and again until it is amid a write.
        for (;;) {
          process.kill(child.pid ?? 0, 'SIGSTOP');
          while (!/^\d+ \(.*\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8')))
            await new Promise((resolve) => setImmediate(resolve));
          if (existsSync(join(path, LOCK)) && readFileSync(join(path, LOCK), 'utf8') !== '') break;
          const told = nextMessage(child);
          process.kill(child.pid ?? 0, 'SIGCONT');
          await told;
        }
        await expect(collection.commit(change('a'))).rejects.toMatchObject({
          code: 'STORE_LOCKED',
          message: expect.stringContaining(`process ${child.pid} on`),
        });
        expect((await collection.keywords({ text: 'version', limit: 5 })).matches).toHaveLength(5);
        await kill(child);
        await collection.commit(change('a'));
        await store.close();
      } finally {
        await kill(child);
        await program.remove();
      }
    },
  );
});

describe('the card of a process', () => {
  it('tells whether it runs, where that can be known', () => {
    const card = describeProcess();
    expect(isRunning(card)).toBe(true);
    expect(isRunning({ ...card, pid: endedProcess() })).toBe(false);
    expect(isRunning({ ...card, host: 'another' })).toBeUndefined();
  });
});
