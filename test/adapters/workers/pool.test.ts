import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createWorkerPool } from '../../../src/adapters/workers/pool.js';
import { makeFolder } from '../../support/folder.js';

const SCRIPT = `
  const { parentPort, threadId } = require('node:worker_threads');
  console.log('noise'); process.stdout.write('noise'); process.stderr.write('noise');
  parentPort.on('message', (message) => {
    if (message === 'throw') throw new Error('thrown');
    if (message === 'exit') process.exit(1);
    if (message === 'env') return parentPort.postMessage(Object.keys(process.env));
    parentPort.postMessage(threadId);
  });`;

function makePool({ idleMs = 60_000, script = SCRIPT } = {}) {
  const folder = makeFolder({ 'worker.cjs': script });
  const pool = createWorkerPool({ script: () => join(folder, 'worker.cjs'), size: 1, memoryMb: 64, idleMs });
  onTestFinished(() => pool.close());
  return (value: unknown) => pool.run({ message: async () => ({ value, transfer: [] }), timeoutMs: 30_000 });
}

describe('a pool of threads', () => {
  it('uses a thread again', async () => {
    const run = makePool();
    expect(await run('')).toBe(await run(''));
  });

  it('ends a thread that has nothing to do, and starts another when there is work', async () => {
    const run = makePool({ idleMs: 1 });
    const first = await run('');
    await vi.waitFor(async () => expect(await run('')).not.toBe(first), { timeout: 20_000, interval: 50 });
  });

  it.each(['throw', 'exit'])('tells of a thread that dies, and goes on: %s', async (message) => {
    const run = makePool();
    await expect(run(message)).rejects.toMatchObject({ name: 'WorkerEnded', end: 'crash' });
    expect(await run('')).toBeGreaterThan(0);
  });

  it('tells of a thread that does not start', async () => {
    const run = makePool({ script: 'throw new Error("broken")' });
    await expect(run('')).rejects.toMatchObject({ name: 'WorkerEnded', end: 'crash' });
    await expect(run('')).rejects.toMatchObject({ name: 'WorkerEnded', end: 'crash' });
  });

  it('gives threads no environment, and lets them print nothing', async () => {
    const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    onTestFinished(() => written.forEach((spy) => void spy.mockRestore()));
    expect(await makePool()('env')).toEqual([]);
    for (const spy of written) expect(spy).not.toHaveBeenCalledWith(expect.stringContaining('noise'));
  });
});
