import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Collection, Entry, Filter, Match, OpenRequest, VectorStore } from '../../src/core/contracts.js';
import { andFilters, filterToJson, matches, parseFilter } from '../../src/core/filter.js';
import { toArray } from '../../src/core/flow.js';
import { compareText } from '../../src/core/ids.js';
import { FINGERPRINT, makeDocument, makeVector } from '../support/chunks.js';
import { filterTable, randomFilters, sampleMetadata } from './filters.js';

/** A store under test, open and empty as far as the names used here go. */
export interface StoreUnderTest {
  readonly store: VectorStore;
  /** Ends this process's hold on the store and opens it again; left out: what it held is gone with it. */
  readonly reopen?: (() => Promise<VectorStore>) | undefined;
  readonly close: () => Promise<void>;
}

export interface StoreContractOptions {
  /** Random filters to compare with `matches`. @default 2000 */
  readonly filters?: number;
  /** @default 7 */
  readonly seed?: number;
  /** Calls under way at once, where many are alike. @default 8 */
  readonly parallel?: number;
  /** For one test. @default 30 000 */
  readonly timeoutMs?: number;
  /** Tests that this store doesn't keep, by name, each with the reason. */
  readonly deviations?: Readonly<Record<string, { readonly reason: string }>>;
}

/**
 * What every store keeps to. The judge of a filter is `matches` of core/filter.ts: ids found = `rows.filter(matches)`, whatever a plan
 * pushes down and whatever it leaves.
 */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>, options: StoreContractOptions = {}): void {
  const { filters = 2000, seed = 7, parallel = 8, timeoutMs = 30_000, deviations = {} } = options;

  describe(`${name} as a VectorStore`, { timeout: timeoutMs }, () => {
    let under: StoreUnderTest;
    let store: VectorStore;
    const made: string[] = [];
    const run = Math.random().toString(36).slice(2, 10);

    beforeAll(async () => {
      under = await open();
      store = under.store;
    }, timeoutMs);
    afterAll(async () => {
      for (const collection of made) await store.drop(collection);
      await under.close();
    }, timeoutMs);

    describe('filters', () => {
      let rows: readonly Entry[];
      let collection: Collection;
      beforeAll(async () => {
        const documents = sampleDocuments();
        rows = documents.flatMap((document) => document.entries);
        collection = await store.open(request());
        await collection.commit({ put: documents, drop: [] });
      }, timeoutMs);

      keeps('answers each filter of the table as `matches` does', async () => {
        const table = filterTable().map(({ name: row, json }) => ({
          name: row,
          filter: parseFilter(json) ?? { op: 'and' as const, filters: [] },
        }));
        const wrong = await differences(collection, rows, table, parallel);
        expect(wrong).toEqual([]);
      });

      keeps(`answers ${filters} random filters as \`matches\` does`, async () => {
        const table = randomFilters(seed, filters).map((filter) => ({ name: JSON.stringify(filterToJson(filter)), filter }));
        const wrong = await differences(collection, rows, table, parallel);
        expect(wrong).toEqual([]);
      });

      keeps('splits a filter without changing its meaning', () => {
        for (const filter of randomFilters(seed + 1, 500)) {
          const { pushed, residual } = collection.plan(filter);
          const whole = andFilters(pushed, residual) ?? { op: 'and', filters: [] };
          for (const row of rows) expect(matches(whole, row), JSON.stringify(filterToJson(filter))).toBe(matches(filter, row));
        }
      });

      keeps('filters what it finds by words too', async () => {
        const filter: Filter = { op: 'gte', field: 'year', value: 2003 };
        const plan = collection.plan(filter);
        const found = idsOf((await collection.keywords({ text: 'passage', limit: 100, plan })).matches).sort();
        // What was not pushed may be evaluated here already, or is left to the core.
        expect(idsThat(rows, plan.pushed)).toEqual(expect.arrayContaining(found));
        expect(found.filter((id) => idsThat(rows, plan.residual).includes(id))).toEqual(idsThat(rows, filter).sort());
      });

      keeps('searches the groups asked for', async () => {
        const vector = makeVector('groups');
        for (const groups of [['other'], ['default', 'other'], ['nothing']]) {
          const expected = rows.filter((row) => groups.includes(row.group)).map((row) => row.id);
          const near = await collection.nearest({ vector, limit: 100, groups });
          const worded = await collection.keywords({ text: 'passage', limit: 100, groups });
          expect(idsOf(near.matches).sort()).toEqual(expected.sort());
          expect(idsOf(worded.matches).sort()).toEqual(expected.sort());
        }
      });

      keeps('finds the nearest, best first, of any number', async () => {
        const vector = makeVector('order');
        const best = [...rows].sort((left, right) => dot(right.vector, vector) - dot(left.vector, vector)).map((row) => row.id);
        for (const limit of [0, 1, 5, 59, 60, 1000]) {
          const { matches: found } = await collection.nearest({ vector, limit });
          expect(idsOf(found)).toEqual(best.slice(0, limit));
          expect(isSorted(found)).toBe(true);
        }
      });
    });

    keeps('shows a commit at once, and again after reopening', async () => {
      const asked = request();
      const documents = [makeDocument('a.md', [{}, {}, {}]), makeDocument('b/你好 "c".md', [{}, {}])];
      const first = await store.open(asked);
      await first.commit({ put: documents, drop: [] });
      const vector = makeVector('query');
      const before = await snapshotOf(first, vector);
      expect(before.ids).toHaveLength(5);
      expect(before.documents.map((row) => row.id)).toEqual(['a.md', 'b/你好 "c".md']);
      if (under.reopen === undefined) return;
      store = await under.reopen();
      const second = await store.open({ ...asked, create: false });
      expect(second.space).toEqual(first.space);
      expect(await snapshotOf(second, vector)).toEqual(before);
    });

    keeps('replaces a document as a whole', async () => {
      const collection = await store.open(request());
      const old = makeDocument('a.md', [{ text: 'old one' }, { text: 'old two' }, { text: 'old three' }], 'aaaaaaaaaaaa');
      const other = makeDocument('b.md', [{ text: 'another' }]);
      const next = makeDocument('a.md', [{ text: 'new one' }, { text: 'new two' }], 'bbbbbbbbbbbb');
      await collection.commit({ put: [old, other], drop: [] });
      await collection.commit({ put: [next], drop: [] });
      const ids = [...next.entries, ...other.entries].map((entry) => entry.id);
      const found = await collection.nearest({ vector: makeVector('q'), limit: 10 });
      expect(idsOf(found.matches).sort()).toEqual(ids);
      expect((await collection.keywords({ text: 'old', limit: 10 })).matches).toEqual([]);
      expect(await collection.get(old.entries.map((entry) => entry.id))).toEqual([undefined, undefined, undefined]);
      expect(await toArray(collection.documents({}))).toEqual([next.document, other.document]);
    });

    keeps('ends up the same when a commit is repeated', async () => {
      const collection = await store.open(request());
      const change = { put: [makeDocument('a.md', [{}, {}]), makeDocument('b.md', [{}])], drop: ['gone.md'] };
      await collection.commit(change);
      const once = await snapshotOf(collection, makeVector('q'));
      await collection.commit(change);
      expect(await snapshotOf(collection, makeVector('q'))).toEqual(once);
    });

    keeps('drops documents, unknown ones included, and takes an empty change', async () => {
      const collection = await store.open(request());
      await collection.commit({ put: [makeDocument('a.md', [{}]), makeDocument('b.md', [{}])], drop: [] });
      await collection.commit({ put: [], drop: ['a.md', 'never.md'] });
      await collection.commit({ put: [], drop: [] });
      expect((await toArray(collection.documents({}))).map((row) => row.id)).toEqual(['b.md']);
      expect((await collection.nearest({ vector: makeVector('q'), limit: 9 })).matches).toHaveLength(1);
    });

    keeps('changes its version with every commit, and only then', async () => {
      const collection = await store.open(request());
      const seen = [await collection.version()];
      for (const hash of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']) {
        await collection.commit({ put: [makeDocument('a.md', [{}], hash)], drop: [] });
        seen.push(await collection.version());
        await collection.nearest({ vector: makeVector('q'), limit: 1 });
        expect(await collection.version()).toBe(seen.at(-1));
      }
      await collection.commit({ put: [], drop: ['a.md'] });
      seen.push(await collection.version());
      expect(new Set(seen).size).toBe(4);
    });

    keeps('orders equal scores by id, at the cut too', async () => {
      const collection = await store.open(request());
      const vector = makeVector('same');
      const put = ['c.md', 'a.md', 'ｅ.md', '🙂.md', 'b.md'].map((id) => makeDocument(id, [{ vector, text: 'same words' }]));
      for (const document of put) await collection.commit({ put: [document], drop: [] });
      const ids = put.flatMap((document) => document.entries.map((entry) => entry.id)).sort(compareText);
      for (const limit of [2, 4, 9]) {
        expect(idsOf((await collection.nearest({ vector, limit })).matches)).toEqual(ids.slice(0, limit));
        expect(idsOf((await collection.keywords({ text: 'words', limit })).matches)).toEqual(ids.slice(0, limit));
      }
    });

    keeps('finds words: whole ones, plurals, and Chinese and Japanese without spaces', async () => {
      const collection = await store.open(request());
      const texts = [
        'The line was twelve miles long',
        'Foxes run over lines',
        '北京是中华人民共和国的首都',
        'メモリを増設する',
        'Größe und Weite',
      ];
      const document = makeDocument(
        'a.md',
        texts.map((text) => ({ text })),
      );
      await collection.commit({ put: [document], drop: [] });
      const find = async (text: string) => {
        const found = await collection.keywords({ text, limit: 10 });
        expect(isSorted(found.matches) && found.matches.every((match) => match.score > 0)).toBe(true);
        return found.matches.map((match) => document.entries.findIndex((entry) => entry.id === match.id));
      };
      expect((await find('LINE')).sort()).toEqual([0, 1]);
      expect(await find('fox')).toEqual([1]);
      expect(await find('首都')).toEqual([2]);
      expect(await find('メモリ')).toEqual([3]);
      expect(await find('größe')).toEqual([4]);
      expect(await find('zebra')).toEqual([]);
      expect(await find('the of and')).toEqual([]);
    });

    keeps('finds a chunk with a zero vector by its words only', async () => {
      const collection = await store.open(request());
      const document = makeDocument('a.md', [
        { text: 'alpha' },
        { text: 'beta', vector: new Float32Array(FINGERPRINT.dimensions) },
      ]);
      await collection.commit({ put: [document], drop: [] });
      const [first, second] = document.entries.map((entry) => entry.id);
      expect(idsOf((await collection.nearest({ vector: makeVector('q'), limit: 5 })).matches)).toEqual([first]);
      expect(idsOf((await collection.keywords({ text: 'beta', limit: 5 })).matches)).toEqual([second]);
      const scanned = await toArray(collection.scan({}));
      expect([...(scanned[1]?.vector ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    });

    keeps('gives chunks back as they were, in the order asked', async () => {
      const collection = await store.open(request());
      const metadata = { year: 2020, 'a "b" \\ c': 'line\nbreak', tags: ['x', 'y'], ratio: 0.1, flag: false };
      const document = makeDocument(
        'a.md',
        [{ metadata, text: 'one "quoted"\r\n\ttext\u0001' }, { text: '🙂 two' }, { text: '三' }],
        undefined,
        metadata,
      );
      await collection.commit({ put: [document], drop: [] });
      const [first, second, third] = document.entries;
      const got = await collection.get([third?.id ?? '', 'unknown', first?.id ?? '', third?.id ?? '']);
      expect(got).toEqual([withoutVector(third), undefined, withoutVector(first), withoutVector(third)]);
      expect(await collection.get([])).toEqual([]);
      expect(await collection.get([second?.id ?? ''])).toEqual([withoutVector(second)]);
    });

    keeps('scans by document, group and position', async () => {
      const collection = await store.open(request());
      const chunks = Array.from({ length: 40 }, (_, index) => ({ group: index % 2 === 0 ? 'fine' : 'coarse' }));
      const put = ['b.md', 'a.md', 'c.md'].map((id) => makeDocument(id, chunks));
      await collection.commit({ put, drop: [] });
      const expected = put
        .flatMap((document) => document.entries)
        .sort((x, y) => compareText(x.documentId, y.documentId) || compareText(x.group, y.group) || x.position - y.position);
      expect(await toArray(collection.scan({}))).toEqual(expected);
      const some = await toArray(collection.scan({ documentIds: ['c.md', 'unknown', 'a.md'], groups: ['coarse'] }));
      expect(some).toEqual(expected.filter((entry) => entry.documentId !== 'b.md' && entry.group === 'coarse'));
    });

    keeps('lists documents by id, after one, by ids and by filter', async () => {
      const collection = await store.open(request());
      const names = Array.from({ length: 30 }, (_, index) => `doc-${String(index).padStart(2, '0')}.md`);
      const put = names.map((id, index) => makeDocument(id, [{}], undefined, { index, even: index % 2 === 0 }));
      await collection.commit({ put: [...put].reverse(), drop: [] });
      const list = async (query: Parameters<Collection['documents']>[0]) =>
        (await toArray(collection.documents(query))).map((row) => row.id);
      expect(await list({})).toEqual(names);
      expect(await list({ after: 'doc-10.md' })).toEqual(names.slice(11));
      expect(await list({ after: 'doc-10' })).toEqual(names.slice(10));
      expect(await list({ ids: ['doc-07.md', 'nothing', 'doc-03.md'] })).toEqual(['doc-03.md', 'doc-07.md']);
      expect(await list({ filter: { op: 'eq', field: 'even', value: true }, after: 'doc-20.md' })).toEqual(
        names.filter((_, index) => index > 20 && index % 2 === 0),
      );
      expect(await toArray(collection.documents({ ids: ['doc-04.md'] }))).toEqual([put[4]?.document]);
    });

    keeps('applies commits in the order of the calls, a small one after a large one too', async () => {
      const collection = await store.open(request());
      const large = makeDocument(
        'a.md',
        Array.from({ length: 300 }, () => ({})),
        'aaaaaaaaaaaa',
      );
      const small = makeDocument('a.md', [{ text: 'the last word' }], 'bbbbbbbbbbbb');
      await Promise.all([collection.commit({ put: [large], drop: [] }), collection.commit({ put: [small], drop: [] })]);
      expect(await toArray(collection.scan({}))).toEqual(small.entries);
    });

    keeps('refuses what would spoil a collection, and stays as it was', async () => {
      const collection = await store.open(request());
      const good = makeDocument('a.md', [{}]);
      await collection.commit({ put: [good], drop: [] });
      const before = await snapshotOf(collection, makeVector('q'));
      const short = makeDocument('b.md', [{ vector: new Float32Array(FINGERPRINT.dimensions - 1).fill(0.5) }]);
      const broken = makeDocument('b.md', [{ vector: new Float32Array(FINGERPRINT.dimensions).fill(Number.NaN) }]);
      for (const put of [[short], [broken], [good, good]]) {
        await expect(collection.commit({ put, drop: [] })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      }
      const wrong = new Float32Array(FINGERPRINT.dimensions + 1).fill(0.1);
      await expect(collection.nearest({ vector: wrong, limit: 1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      expect(await snapshotOf(collection, makeVector('q'))).toEqual(before);
    });

    keeps("rejects with the signal's reason when aborted", async () => {
      const collection = await store.open(request());
      await collection.commit({ put: [makeDocument('a.md', [{}])], drop: [] });
      const reason = new Error('enough');
      const aborted = { signal: AbortSignal.abort(reason) };
      const calls = [
        () => store.open(request(), aborted),
        () => store.collections(aborted),
        () => collection.version(aborted),
        () => collection.nearest({ vector: makeVector('q'), limit: 1 }, aborted),
        () => collection.keywords({ text: 'chunk', limit: 1 }, aborted),
        () => collection.get(['x'], aborted),
        () => toArray(collection.scan({}, aborted)),
        () => toArray(collection.documents({}, aborted)),
        () => collection.commit({ put: [makeDocument('b.md', [{}])], drop: [] }, aborted),
      ];
      for (const call of calls) await expect(call()).rejects.toBe(reason);
      expect(await toArray(collection.documents({}))).toHaveLength(1);
    });

    keeps('keeps collections apart, lists them, and drops them', async () => {
      const [one, two] = [request(), request()];
      const first = await store.open(one);
      const second = await store.open(two);
      expect(first.space.uuid).not.toBe(second.space.uuid);
      await first.commit({ put: [makeDocument('a.md', [{ text: 'alpha' }])], drop: [] });
      await second.commit({ put: [makeDocument('b.md', [{ text: 'beta' }])], drop: [] });
      expect((await first.keywords({ text: 'beta', limit: 5 })).matches).toEqual([]);
      expect((await second.nearest({ vector: makeVector('q'), limit: 5 })).matches).toHaveLength(1);
      const names = async () => (await store.collections()).map((space) => space.collection);
      expect(await names()).toEqual(expect.arrayContaining([one.collection, two.collection]));
      expect(await store.drop(one.collection)).toBe(true);
      expect(await store.drop(one.collection)).toBe(false);
      expect(await names()).not.toContain(one.collection);
      await expect(store.open({ ...one, create: false })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const again = await store.open(one);
      expect(again.space.uuid).not.toBe(first.space.uuid);
      expect(await toArray(again.documents({}))).toEqual([]);
      expect((await again.keywords({ text: 'alpha', limit: 5 })).matches).toEqual([]);
      expect((await second.keywords({ text: 'beta', limit: 5 })).matches).toHaveLength(1);
    });

    keeps('refuses to open what another embedder made, naming both', async () => {
      const asked = request();
      await (await store.open(asked)).close();
      const other = { ...asked, fingerprint: { ...FINGERPRINT, embedder: 'another-embedder' } };
      await expect(store.open(other)).rejects.toMatchObject({
        code: 'FINGERPRINT_MISMATCH',
        message: expect.stringMatching(/test-embedder[\s\S]*another-embedder|another-embedder[\s\S]*test-embedder/),
      });
      expect((await store.open({ ...asked, create: false })).space.fingerprint).toEqual(FINGERPRINT);
    });

    keeps('closes a collection twice, and refuses to be used after', async () => {
      const collection = await store.open(request());
      await collection.close();
      await collection.close();
      await expect(collection.nearest({ vector: makeVector('q'), limit: 1 })).rejects.toMatchObject({ name: 'RagError' });
      await expect(collection.commit({ put: [], drop: [] })).rejects.toMatchObject({ name: 'RagError' });
    });

    function request(): OpenRequest {
      const collection = `contract_${run}_${made.length}`;
      made.push(collection);
      return { collection, fingerprint: FINGERPRINT, fields: [], create: true };
    }

    function keeps(test: string, body: () => void | Promise<void>): void {
      const deviation = deviations[test];
      if (deviation === undefined) it(test, body);
      else it.skip(`${test} (${deviation.reason})`, body);
    }
  });
}

/** The sample metadata as chunks of a few documents in two groups; each text holds the word `passage`. */
function sampleDocuments() {
  const ids = ['a.md', 'ab.md', 'b/c d.md', '"x" or 1.md', '你好.md', '🙂.md'];
  const rows = sampleMetadata();
  return ids.map((id, document) => {
    const own = rows.filter((_, row) => row % ids.length === document);
    return makeDocument(
      id,
      own.map((metadata, row) => ({ metadata, text: `passage ${row}`, group: row % 4 === 3 ? 'other' : 'default' })),
    );
  });
}

/** What is asked of the store by a filter is what its plan pushes down; the rest is applied as the core does. */
async function differences(
  collection: Collection,
  rows: readonly Entry[],
  table: readonly { readonly name: string; readonly filter: Filter }[],
  parallel: number,
): Promise<readonly string[]> {
  const vector = makeVector('oracle');
  const byId = new Map(rows.map((row) => [row.id, row]));
  const wrong: string[] = [];
  const waiting = table.values();
  const work = async () => {
    for (const { name, filter } of waiting) {
      const plan = collection.plan(filter);
      const { matches: found } = await collection.nearest({ vector, limit: rows.length + 1, plan });
      const { residual } = plan;
      const kept = idsOf(found).filter((id) => {
        const row = byId.get(id);
        return row === undefined || residual === undefined || matches(residual, row);
      });
      const expected = idsThat(rows, filter);
      if (kept.sort().join('\n') !== expected.sort().join('\n'))
        wrong.push(`${name}: found ${kept.length}, should be ${expected.length}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return wrong;
}

async function snapshotOf(collection: Collection, vector: Float32Array) {
  const { matches: found } = await collection.nearest({ vector, limit: 100 });
  return { ids: idsOf(found), scores: found.map((match) => match.score), documents: await toArray(collection.documents({})) };
}

function idsOf(found: readonly Match[]): string[] {
  return found.map((match) => match.id);
}

function idsThat(rows: readonly Entry[], filter: Filter | undefined): string[] {
  return rows.filter((row) => filter === undefined || matches(filter, row)).map((row) => row.id);
}

/** Best first, ties by ascending id. */
function isSorted(found: readonly Match[]): boolean {
  return found.every((match, index) => {
    const before = found[index - 1];
    return (
      before === undefined || before.score > match.score || (before.score === match.score && compareText(before.id, match.id) < 0)
    );
  });
}

function withoutVector(entry: Entry | undefined) {
  if (entry === undefined) return undefined;
  const { vector, ...chunk } = entry;
  return chunk;
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
