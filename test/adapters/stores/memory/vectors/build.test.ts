import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Bitset } from '../../../../../src/adapters/stores/memory/bitset.js';
import { type BuildTask, runBuildTask } from '../../../../../src/adapters/stores/memory/vectors/build-task.js';
import { createBuildThread } from '../../../../../src/adapters/stores/memory/vectors/build-thread.js';
import { createVectorIndex, type VectorIndex } from '../../../../../src/adapters/stores/memory/vectors/vector-index.js';
import { makeVector } from '../../../../support/chunks.js';
import { useWorker } from '../../../../support/worker.js';

const DIMENSIONS = 16;
const rows = Array.from({ length: 11_000 }, (_, row) => makeVector(`row ${row}`, DIMENSIONS));
const here = async () => {};

describe('a graph that is built elsewhere', { timeout: 120_000 }, () => {
  const worker = useWorker('adapters/stores/memory/vectors/build-worker.ts');

  it('has the same bits as one that is linked here, and answers as it when it is continued', async () => {
    for (const metric of ['cosine', 'l2'] as const) {
      const one = filled(5000, metric);
      const other = filled(5000, metric);
      await one.tend(here);
      await other.tend(here, runBuildTask);
      expect(packed(other)).toEqual(packed(one));
      add(one, 5000, 10_000);
      add(other, 5000, 10_000);
      expect(other.isFarBehind).toBe(true);
      await one.tend(here);
      await other.tend(here, runBuildTask);
      // Lists may differ behind their ends now: what was chosen before lies there.
      expect(other.name).toBe('hnsw');
      for (let row = 0; row < 10_000; row += 997) expect(await nearest(other, row, 20)).toEqual(await nearest(one, row, 20));
      expect(other.isStale).toBe(false);
    }
  });

  it('is built in a thread, while rows come and go and are found or not', async () => {
    const { build, close } = createBuildThread(worker.script);
    const index = filled(6000);
    const { signal } = new AbortController();
    const tending = index.tend(here, async (task) => {
      const built = build(task, signal);
      add(index, 6000, 10_500); // past the room it was made with
      for (let row = 0; row < 10_000; row += 5) index.remove(row);
      expect(index.name).toBe('flat');
      expect(await first(index, 6001)).toBe(6001);
      expect(await first(index, 5)).not.toBe(5);
      return built;
    });
    await tending;
    await close();
    expect(index.name).toBe('hnsw');
    let found = 0;
    for (let row = 0; row < 10_500; row += 99) {
      const isAlive = row % 5 !== 0 || row >= 10_000;
      if ((await first(index, row)) === row) found++;
      else expect(isAlive).toBe(false);
      if (!isAlive) found++;
    }
    expect(found).toBe(Math.ceil(10_500 / 99));
  });

  it('is linked here when there can be no thread, or it was ended', async () => {
    for (const script of ['/nowhere/graph.js', undefined]) {
      const thread = createBuildThread(script);
      if (script === undefined) await thread.close();
      const index = filled(5000);
      await index.tend(here, (task) => thread.build(task, new AbortController().signal));
      expect(index.name).toBe('hnsw');
      await thread.close();
    }
  });

  it('is given up with its reason when it is aborted, and nothing of it is left', async () => {
    const thread = createBuildThread(worker.script);
    const index = filled(5000);
    const closing = new AbortController();
    const tending = index.tend(here, (task) => {
      const built = thread.build(task, closing.signal);
      closing.abort(new Error('closing'));
      return built;
    });
    await expect(tending).rejects.toThrow('closing');
    await thread.close();
    await expect(adoptedUpTo(index, 1)).rejects.toThrow('in the middle');
    expect(index.name).toBe('flat');
    const other = filled(9000);
    add(index, 5000, 9000);
    await index.tend(here);
    await other.tend(here);
    expect(packed(index)).toEqual(packed(other));
  });
});

/** Builds elsewhere, and fails after so many turns of taking it over. */
function adoptedUpTo(index: VectorIndex, turns: number): Promise<void> {
  let left = Number.POSITIVE_INFINITY;
  return index.tend(
    async () => {
      if (--left < 0) throw new Error('in the middle');
    },
    async (task: BuildTask) => {
      const built = await runBuildTask(task);
      left = turns - 1;
      return built;
    },
  );
}

function filled(count: number, metric: 'cosine' | 'l2' = 'cosine'): VectorIndex {
  const index = createVectorIndex({ dimensions: DIMENSIONS, metric, kind: 'hnsw' });
  add(index, 0, count);
  return index;
}

function add(index: VectorIndex, from: number, to: number): void {
  for (const [offset, vector] of rows.slice(from, to).entries()) index.add(from + offset, vector);
}

function packed(index: VectorIndex) {
  return new Map(index.save().map(({ key, bytes }) => [key, createHash('sha256').update(bytes()).digest('hex')]));
}

async function first(index: VectorIndex, row: number): Promise<number | undefined> {
  const [hit] = await nearest(index, row, 1);
  return hit?.ordinal;
}

async function nearest(index: VectorIndex, row: number, limit: number) {
  const allowed = new Bitset(index.size);
  for (let ordinal = 0; ordinal < index.size; ordinal++) allowed.add(ordinal);
  const query = rows[row] ?? new Float32Array(DIMENSIONS);
  const idOf = (ordinal: number) => String(ordinal).padStart(6, '0');
  return index.query(query, { limit, allowed, idOf, pace: () => undefined });
}
