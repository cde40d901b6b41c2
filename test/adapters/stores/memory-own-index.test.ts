import { describe, expect, it, onTestFinished } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import type { Collection, Entry, Index } from '../../../src/core/contracts.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';

const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };
type Matches = readonly { readonly id: string; readonly score: number }[];

/** The simplest index there can be. */
function naiveIndex() {
  const entries = new Map<string, Entry>();
  const index: Index<Float32Array> = {
    update(all) {
      for (const entry of all) entries.set(entry.id, entry);
    },
    async remove(ids) {
      for (const id of ids) if (!entries.delete(id)) throw new Error(`${id} was never given`);
    },
    query(query, limit, allows = () => true) {
      return [...entries.values()]
        .filter(({ id }) => allows(id))
        .map(({ id, vector }) => ({ id, score: vector.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0) }))
        .sort((left, right) => right.score - left.score)
        .slice(0, limit);
    },
  };
  return { index, entries };
}

async function open(index: Index<Float32Array> | 'flat', path?: string): Promise<Collection> {
  const store = await openMemoryStore({ path, index });
  onTestFinished(() => store.close());
  return store.open(REQUEST);
}

const documents = (from: number, count: number, hash?: string) =>
  Array.from({ length: count }, (_, index) =>
    makeDocument(
      `doc-${from + index}`,
      Array.from({ length: 20 }, (_, chunk) => ({
        metadata: { even: chunk % 2 === 0 },
        group: chunk % 3 === 0 ? 'thirds' : 'default',
        ...(chunk === 7 ? { vector: new Float32Array(8) } : {}),
      })),
      hash,
    ),
  );

async function expectSameHits(own: Collection, flat: Collection): Promise<void> {
  const plan = own.plan({ op: 'eq', field: 'even', value: true });
  for (const more of [{}, { plan }, { groups: ['thirds'] }, { groups: ['thirds'], plan }]) {
    const query = { vector: makeVector('query'), limit: 30, ...more };
    const [mine, theirs] = [await own.nearest(query), await flat.nearest(query)];
    expect(mine.index).toMatch(/^own/);
    expect(mine.matches.map(({ id }) => id)).toEqual(theirs.matches.map(({ id }) => id));
    for (const [at, { score }] of mine.matches.entries()) expect(score).toBeCloseTo(theirs.matches[at]?.score ?? 0, 5);
  }
}

describe('an index of one’s own', () => {
  it('finds what the flat one finds, through commits, replacements, drops and reopening', async () => {
    const path = makeFolder();
    const { index, entries } = naiveIndex();
    const both = [await open(index, path), await open('flat')] as const;
    const commit = (change: Parameters<Collection['commit']>[0]) => Promise.all(both.map((one) => one.commit(change)));
    await commit({ put: documents(0, 30), drop: [] });
    await expectSameHits(...both);
    expect(entries.size).toBe(30 * 19); // zero vectors are none
    await commit({ put: documents(5, 5, 'bbbbbbbbbbbb'), drop: ['doc-1', 'doc-2'] });
    await commit({ put: documents(8, 1, 'bbbbbbbbbbbb'), drop: [] }); // the same ids again
    await expectSameHits(...both);
    expect(entries.size).toBe(28 * 19);
    expect([...entries.values()].find(({ id }) => id.startsWith('doc-9'))).toMatchObject({
      uri: 'doc-9',
      text: expect.any(String),
    });
    await both[0].close();
    const later = naiveIndex();
    await expectSameHits(await open(later.index, path), both[1]);
    expect(later.entries.size).toBe(28 * 19);
  });

  it('is not asked by keywords, by zero vectors or for nothing', async () => {
    const { index, entries } = naiveIndex();
    const own = await open(index);
    await own.commit({ put: documents(0, 3), drop: [] });
    expect((await own.keywords({ text: 'chunk', limit: 5 })).matches).toHaveLength(5);
    expect(entries.size).toBe(0);
    expect((await own.nearest({ vector: new Float32Array(8), limit: 5 })).matches).toEqual([]);
    expect((await own.nearest({ vector: makeVector('x'), limit: 0 })).matches).toEqual([]);
  });

  const first = (query: number) => ({ id: `doc-0#aaaaaaaaaaaa/default/${String(query).padStart(6, '0')}`, score: 1 });
  it.each<[problem: string, answer: (allows: (id: string) => boolean) => unknown]>([
    ['instead of a list', () => 'nothing'],
    ['matches where 2 were asked for', () => [first(0), first(1), first(2)]],
    ['which is not the id of an entry', () => [{ id: 'unknown', score: 1 }]],
    ['which is not the id of an entry', () => [undefined]],
    ['which `allows` refuses', (allows) => (allows(first(0).id) ? [first(1)] : [first(0)])],
    ['twice', () => [first(0), first(0)]],
    ['the score NaN', () => [{ ...first(0), score: Number.NaN }]],
    ['the score a string', () => [{ ...first(0), score: '1' }]],
  ])('fails clearly where it gives %s', async (problem, answer) => {
    const index = naiveIndex().index;
    const own = await open({ ...index, query: (_query, _limit, allows = () => true) => answer(allows) as Matches }); // wrong on purpose
    await own.commit({ put: documents(0, 2), drop: [] });
    const isRefusal = problem.includes('allows');
    const plan = own.plan({ op: 'eq', field: 'even', value: true });
    const asked = own.nearest({ vector: makeVector('q'), limit: 2, ...(isRefusal ? { plan } : {}) });
    await expect(asked).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      retryable: false,
      message: expect.stringContaining(problem),
    });
  });

  it('may fail once: the next query gives it everything anew', async () => {
    const { index, entries } = naiveIndex();
    let failures = 1;
    const own = await open({
      ...index,
      update(all) {
        if (failures-- > 0) throw new Error('out of order');
        return index.update(all);
      },
      remove: (ids) => ids.forEach((id) => void entries.delete(id)),
    });
    await own.commit({ put: documents(0, 2), drop: [] });
    const query = { vector: makeVector('q'), limit: 3 };
    await expect(own.nearest(query)).rejects.toThrow('store.index: its update() failed: out of order');
    expect((await own.nearest(query)).matches).toHaveLength(3);
  });

  it('serves one open collection: another is refused until that is closed or dropped', async () => {
    const store = await openMemoryStore({ index: naiveIndex().index });
    onTestFinished(() => store.close());
    const query = { vector: makeVector('q'), limit: 1 };
    const [one, other] = [await store.open(REQUEST), await store.open({ ...REQUEST, collection: 'other' })];
    await one.commit({ put: documents(0, 1), drop: [] });
    await other.commit({ put: documents(0, 1), drop: [] });
    expect((await one.nearest(query)).matches).toHaveLength(1);
    await expect(other.nearest(query)).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('"docs"') });
    await one.close();
    expect((await other.nearest(query)).matches).toHaveLength(1);
    await store.drop('other');
    expect((await (await store.open(REQUEST)).nearest(query)).matches).toHaveLength(1);
  });

  it('keeps nobody waiting who has aborted', async () => {
    const own = await open({ ...naiveIndex().index, query: () => new Promise<Matches>(() => {}) });
    await own.commit({ put: documents(0, 1), drop: [] });
    const stop = new AbortController();
    const asked = own.nearest({ vector: makeVector('q'), limit: 1 }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});
