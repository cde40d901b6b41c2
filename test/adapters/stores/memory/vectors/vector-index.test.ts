import { describe, expect, it } from 'vitest';
import { Bitset } from '../../../../../src/adapters/stores/memory/bitset.js';
import {
  createVectorIndex,
  type VectorIndex,
  type VectorIndexParts,
} from '../../../../../src/adapters/stores/memory/vectors/vector-index.js';
import type { Metric } from '../../../../../src/core/contracts.js';
import { makeVector } from '../../../../support/chunks.js';

const DIMENSIONS = 96;
const ROWS = 3000;
const TOPICS = Array.from({ length: 40 }, (_, topic) => makeVector(`topic ${topic}`, DIMENSIONS));
/** Around topics, as texts are: what is all random has no neighbourhood that a graph could follow. */
const rows = Array.from({ length: ROWS }, (_, row) => near(row % 40, `row ${row}`));
const queries = Array.from({ length: 40 }, (_, query) => near((query * 7) % 40, `query ${query}`));

describe('the vector index', () => {
  it.each(['cosine', 'dot', 'l2'] as const)('finds by %s what an exact search finds', async (metric) => {
    for (const kind of ['flat', 'hnsw'] as const) {
      const index = await made({ metric, kind });
      expect(await recall(index, metric, () => true)).toBeGreaterThanOrEqual(0.99);
      const [hit] = await ask(index, rows[5] ?? [], () => true, 1);
      expect(hit?.ordinal).toBe(5);
      expect(hit?.score).toBeCloseTo(1, 4);
    }
  });

  it.each([0.5, 0.1, 0.01, 0.001])(
    'finds the nearest under filters that let %f through, at random and of one topic',
    async (share) => {
      const index = await made({ kind: 'hnsw' });
      const at = Math.ceil(1 / share);
      expect(await recall(index, 'cosine', (row) => row % at === 0)).toBeGreaterThanOrEqual(0.99);
      const most = Math.ceil(40 * share);
      expect(
        await recall(index, 'cosine', (row) => row % 40 < most && row < ROWS * Math.min(1, 40 * share)),
      ).toBeGreaterThanOrEqual(0.99);
    },
  );

  it('never finds what was removed, and is as good afterwards as before', async () => {
    for (const share of [0.1, 0.5]) {
      const index = await made({ kind: 'hnsw' });
      const isAlive = (row: number) => (row * 7919) % 1000 >= 1000 * share;
      for (let row = 0; row < ROWS; row++) if (!isAlive(row)) index.remove(row);
      expect(await recall(index, 'cosine', isAlive)).toBeGreaterThanOrEqual(0.98);
      await index.tend(async () => {});
      expect(await recall(index, 'cosine', isAlive)).toBeGreaterThanOrEqual(0.98);
      // Whoever asks may not know yet what is dead: the index does.
      const found = await Promise.all(queries.map((query) => ask(index, query, () => true)));
      expect(found.flat().filter(({ ordinal }) => !isAlive(ordinal))).toEqual([]);
    }
  });

  it('follows the graph to rows that came in place of all others', async () => {
    const index = await made({ kind: 'hnsw' });
    for (const [row, vector] of rows.entries()) {
      index.add(ROWS + row, vector);
      index.remove(row);
    }
    await index.tend(async () => {});
    expect(index.name).toBe('hnsw');
    expect(await recall(index, 'cosine', (row) => row >= ROWS, [...rows, ...rows])).toBeGreaterThanOrEqual(0.99);
  });

  it('finds rows at once that are not in the graph yet', async () => {
    const index = await made({ kind: 'hnsw' });
    const late = makeVector('late', DIMENSIONS);
    index.add(ROWS, late);
    expect(index.isStale).toBe(false);
    expect((await ask(index, late, () => true, 1))[0]?.ordinal).toBe(ROWS);
  });

  it('searches on while the graph is being made', async () => {
    const index = createVectorIndex({ dimensions: DIMENSIONS, metric: 'cosine', kind: 'hnsw' });
    for (const [row, vector] of rows.entries()) index.add(row, vector);
    let asked = 0;
    await index.tend(async () => {
      if (asked++ % 20 === 0) expect((await ask(index, rows[asked] ?? [], () => true, 1))[0]?.ordinal).toBe(asked);
    });
    expect(asked).toBeGreaterThan(50);
  });

  it('decides by id between rows with the same vector, however many', async () => {
    const same = makeVector('same', DIMENSIONS);
    for (const kind of ['flat', 'hnsw'] as const) {
      const index = createVectorIndex({ dimensions: DIMENSIONS, metric: 'cosine', kind });
      for (const [row, vector] of rows.entries()) index.add(row, row % 3 === 0 ? same : vector);
      await index.tend(async () => {});
      const found = await ask(
        index,
        same,
        () => true,
        5,
        (row) => String(ROWS - row).padStart(5, '0'),
      );
      expect(found.map(({ ordinal }) => ordinal)).toEqual([2997, 2994, 2991, 2988, 2985]);
      expect(new Set(found.map(({ score }) => score)).size).toBe(1);
    }
  });

  it('gives as many as are asked for, up to all', async () => {
    const index = await made({ kind: 'hnsw' });
    for (const limit of [0, 1, 100, 999, 2000, ROWS, 10 * ROWS]) {
      const found = await ask(index, queries[0] ?? [], () => true, limit);
      expect(found).toHaveLength(Math.min(limit, ROWS));
      expect(new Set(found.map(({ ordinal }) => ordinal)).size).toBe(found.length);
    }
  });

  it('takes zero vectors as none, asked for or stored, and gaps between ordinals', async () => {
    const index = createVectorIndex({ dimensions: 3, metric: 'cosine', kind: 'hnsw' });
    for (let row = 0; row < 400; row += 2) index.add(row, row % 8 === 0 ? new Float32Array(3) : makeVector(`row ${row}`, 3));
    await index.tend(async () => {});
    const found = await ask(index, makeVector('query', 3), () => true, 1000);
    expect(found).toHaveLength(150);
    expect(found.some(({ ordinal }) => ordinal % 8 === 0 || ordinal % 2 === 1)).toBe(false);
    expect(await ask(index, new Float32Array(3), () => true)).toEqual([]);
  });

  it.each([1, 2, 5, 63, 64, 65, 8192])('works in %i dimensions', async (dimensions) => {
    const some = Array.from({ length: 200 }, (_, row) => makeVector(`row ${row}`, dimensions));
    for (const kind of ['flat', 'hnsw'] as const) {
      const index = createVectorIndex({ dimensions, metric: 'cosine', kind });
      for (const [row, vector] of some.entries()) index.add(row, vector);
      await index.tend(async () => {});
      const query = makeVector('query', dimensions);
      const found = await ask(index, query, () => true, 3);
      const best = exact(some, query, 'cosine', () => true, 3);
      for (const [place, { score }] of found.entries()) expect(score).toBeCloseTo(best[place]?.score ?? 0, 4);
    }
  });

  it('keeps its precision when later vectors are a thousand times longer or shorter', async () => {
    const index = createVectorIndex({ dimensions: DIMENSIONS, metric: 'dot', kind: 'flat' });
    const scaled = rows.map((vector, row) => vector.map((value) => value * 10 ** ((row % 7) - 3)));
    for (const [row, vector] of scaled.entries()) index.add(row, vector);
    expect(await recall(index, 'dot', () => true, scaled)).toBeGreaterThanOrEqual(0.99);
  });

  it('grows past the room it was made with', async () => {
    const index = createVectorIndex({ dimensions: 8, metric: 'cosine', kind: 'hnsw' });
    const many = Array.from({ length: 9000 }, (_, row) => makeVector(`row ${row}`, 8));
    for (const [row, vector] of many.entries()) {
      index.add(row, vector);
      if (row === 4000) await index.tend(async () => {});
    }
    expect(await recall(index, 'cosine', () => true, many, 8)).toBeGreaterThanOrEqual(0.98);
  });
});

describe('a saved vector index', () => {
  it('answers as before, and goes on', async () => {
    const index = await made({ kind: 'hnsw' });
    index.remove(17);
    const saved = new Map(index.save().map(({ key, bytes }) => [key, bytes()]));
    const loaded = createVectorIndex({ dimensions: DIMENSIONS, metric: 'cosine', kind: 'hnsw', saved: (key) => saved.get(key) });
    expect(loaded.size).toBe(ROWS);
    expect(loaded.name).toBe('hnsw');
    for (const query of queries) expect(await ask(loaded, query, () => true)).toEqual(await ask(index, query, () => true));
    loaded.remove(18);
    loaded.add(ROWS, rows[18] ?? new Float32Array(DIMENSIONS));
    const [hit] = await ask(loaded, rows[18] ?? [], () => true, 1);
    expect(hit?.ordinal).toBe(ROWS);
  });

  it('writes only what changed', async () => {
    const index = await made({ kind: 'hnsw' });
    const before = new Map(index.save().map(({ key, revision }) => [key, revision]));
    index.add(ROWS, rows[0] ?? new Float32Array(DIMENSIONS));
    const changed = index.save().filter(({ key, revision }) => before.get(key) !== revision);
    expect(changed.map(({ key }) => key).sort()).toEqual(['head', 'vectors-0']);
  });

  it('is made anew when it was saved for other vectors, or a part is missing', async () => {
    const index = await made({ kind: 'hnsw' });
    const saved = new Map(index.save().map(({ key, bytes }) => [key, bytes()]));
    const load = (parts: Partial<VectorIndexParts>, missing?: string) =>
      createVectorIndex({
        dimensions: DIMENSIONS,
        metric: 'cosine',
        saved: (key) => (key === missing ? undefined : saved.get(key)),
        ...parts,
      });
    expect(load({ metric: 'l2' }).size).toBe(0);
    expect(load({ dimensions: 95 }).size).toBe(0);
    for (const key of saved.keys()) expect(load({}, key).size).toBe(0);
  });
});

async function made(parts: Partial<VectorIndexParts>): Promise<VectorIndex> {
  const index = createVectorIndex({ dimensions: DIMENSIONS, metric: 'cosine', ...parts });
  for (const [row, vector] of rows.entries()) index.add(row, vector);
  await index.tend(async () => {});
  return index;
}

async function ask(
  index: VectorIndex,
  query: ArrayLike<number>,
  isAllowed: (row: number) => boolean,
  limit = 10,
  idOf = (row: number) => String(row).padStart(6, '0'),
) {
  const allowed = new Bitset(index.size);
  for (let row = 0; row < index.size; row++) if (isAllowed(row)) allowed.add(row);
  return index.query(Float32Array.from(query), { limit, allowed, idOf, pace: () => undefined });
}

async function recall(
  index: VectorIndex,
  metric: Metric,
  isAllowed: (row: number) => boolean,
  from: readonly Float32Array[] = rows,
  dimensions = DIMENSIONS,
): Promise<number> {
  let wanted = 0;
  let got = 0;
  for (const [at, topical] of queries.entries()) {
    const query = dimensions === DIMENSIONS ? topical : makeVector(`query ${at}`, dimensions);
    const found = new Set((await ask(index, query, isAllowed)).map(({ ordinal }) => ordinal));
    for (const { row } of exact(from, query, metric, isAllowed, 10)) {
      wanted++;
      if (found.has(row)) got++;
    }
  }
  return got / wanted;
}

function exact(
  from: readonly Float32Array[],
  query: Float32Array,
  metric: Metric,
  isAllowed: (row: number) => boolean,
  limit: number,
): readonly { readonly row: number; readonly score: number }[] {
  return from
    .map((vector, row) => ({ row, score: similarity(vector, query, metric) }))
    .filter(({ row }) => isAllowed(row))
    .sort((left, right) => right.score - left.score)
    .slice(0, limit);
}

function similarity(vector: Float32Array, query: Float32Array, metric: Metric): number {
  return vector.reduce((sum, value, at) => {
    const other = query[at] ?? 0;
    return sum + (metric === 'l2' ? -((value - other) ** 2) : value * other);
  }, 0);
}

function near(topic: number, seed: string): Float32Array {
  const noise = makeVector(seed, DIMENSIONS);
  const mixed = noise.map((value, at) => value * 0.8 + (TOPICS[topic]?.[at] ?? 0));
  const length = Math.hypot(...mixed);
  return mixed.map((value) => value / length);
}
