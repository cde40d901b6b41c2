import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import { openTable } from '../../../src/adapters/stores/memory/lmdb-file.js';
import * as keys from '../../../src/adapters/stores/memory/lmdb-keys.js';
import { packRow, seal, sealedIn } from '../../../src/adapters/stores/memory/seal.js';
import type { Collection, VectorStore } from '../../../src/core/contracts.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';

const REQUEST = { collection: 'docs', fingerprint: FINGERPRINT, fields: [], create: true };
/** Of the first collection of a store. */
const NUMBER = 1;
const QUERIES = ['common', 'common rare7', 'rare3 word5 word9', 'word1 word2 common', 'nothing'];

function documents(from: number, count: number, hash = 'aaaaaaaaaaaa') {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const chunks = Array.from({ length: 3 + (number % 20) }, (_, chunk) => ({
      text: `common word${number % 7} word${chunk} rare${number} ${'common '.repeat(chunk % 4)} ${hash}`,
      metadata: { number, even: number % 2 === 0 },
    }));
    return makeDocument(`doc-${String(number).padStart(4, '0')}`, chunks, hash);
  });
}

/** A piece's name without what is random. */
const kindOf = (name: string) => name.replace(/^[0-9a-f-]{36}-\d+-/, '');

/** What a collection answers, by every way there is. */
async function answersOf(collection: Collection) {
  const plan = collection.plan({ op: 'eq', field: 'even', value: true });
  const answers = [];
  for (const text of QUERIES) {
    answers.push((await collection.keywords({ text, limit: 30 })).matches);
    answers.push((await collection.keywords({ text, limit: 30, plan, groups: ['default'] })).matches);
  }
  answers.push((await collection.nearest({ vector: makeVector('q'), limit: 50 })).matches);
  answers.push((await collection.nearest({ vector: makeVector('q'), limit: 50, plan })).matches);
  return answers;
}

/** The same rows in a store that saves nothing. */
async function freshAnswers(collection: Collection) {
  const store = await openMemoryStore();
  const copy = await store.open(REQUEST);
  const put = [];
  for await (const document of collection.documents({})) {
    const entries = [];
    for await (const entry of collection.scan({ documentIds: [document.id] })) entries.push(entry);
    put.push({ document, entries });
  }
  await copy.commit({ put, drop: [] });
  const answers = await answersOf(copy);
  await store.close();
  return answers;
}

describe('what a durable memory store saves of its indexes', { timeout: 60_000 }, () => {
  let path: string;
  let store: VectorStore;
  let collection: Collection;

  beforeEach(async () => {
    path = makeFolder();
    await open();
  });
  afterEach(() => store.close());

  async function open() {
    store = await openMemoryStore({ path, saveAfter: 1 });
    collection = await store.open(REQUEST);
  }

  async function reopen() {
    await store.close();
    await open();
  }

  async function onTable<Value>(work: (table: Awaited<ReturnType<typeof openTable>>['table']) => Promise<Value>): Promise<Value> {
    await store.close();
    const { table } = await openTable(path);
    try {
      return await work(table);
    } finally {
      await table.close();
      await open();
    }
  }

  const savedNames = () => onTable(async (table) => [...table.getKeys(keys.savedRange(NUMBER))].map(keys.savedName));

  it('answers as one that has made them from the rows', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    const before = await answersOf(collection);
    expect(before).toEqual(await freshAnswers(collection));
    await reopen();
    expect(await answersOf(collection)).toEqual(before);
    expect(await savedNames()).not.toEqual([]);
  });

  it('is followed by what was written, replaced and dropped since, over many openings', async () => {
    for (let round = 0; round < 8; round++) {
      await collection.commit({
        put: documents(round * 30, 40, `hash${round}-123456`),
        drop: [`doc-${String(30 * round - 30).padStart(4, '0')}`],
      });
      await collection.commit({ put: documents(round * 30 + 5, 3, `hash${round}+123456`), drop: [] });
      // Some close without having searched, some with.
      if (round % 2 === 0) await answersOf(collection);
      await reopen();
      expect(await answersOf(collection)).toEqual(await freshAnswers(collection));
    }
    const { length } = await savedNames();
    expect(length).toBeGreaterThan(2);
    expect(length).toBeLessThan(60);
  });

  it('is not needed: a flipped byte in any piece, or in the manifest, changes no answer', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    await collection.commit({ put: documents(60, 10), drop: ['doc-0003'] });
    const expected = await freshAnswers(collection);
    expect(await answersOf(collection)).toEqual(expected);
    const kinds = new Set((await savedNames()).map(kindOf));
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(['directory/0', 'field-0/0', 'keywords-0-head/0', 'keywords-0/0', 'vectors-vectors-0/0']),
    );
    for (const kind of ['manifest', ...kinds]) {
      const name = (await savedNames()).find((one) => kindOf(one) === kind);
      const key = name === undefined ? keys.manifestKey(NUMBER) : keys.savedKey(NUMBER, name);
      await onTable(async (table) => {
        const entry = table.getEntry(key);
        if (entry === undefined) throw new Error(`${kind} is not there`);
        const bytes = Buffer.from(entry.value);
        const at = bytes.length >> 1;
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        await table.put(key, bytes, entry.version ?? 1);
      });
      expect(await answersOf(collection)).toEqual(expected);
      // Saved again by now, and sound.
      await reopen();
      expect(await answersOf(collection)).toEqual(expected);
    }
  });

  it('is ignored when another version made it, when pieces are missing, or when it is of a state that never was', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    const expected = await freshAnswers(collection);
    const change = (edit: (manifest: string) => string) =>
      onTable(async (table) => {
        const entry = table.getEntry(keys.manifestKey(NUMBER));
        const manifest = (entry && sealedIn(entry.value))?.toString() ?? '';
        expect(edit(manifest)).not.toBe(manifest);
        await table.put(keys.manifestKey(NUMBER), seal(Buffer.from(edit(manifest))), 99);
      });
    await change(() => 'hotrag saved 999\nof another shape');
    expect(await answersOf(collection)).toEqual(expected);
    await change((manifest) => manifest.replace(/"sequence":\d+/, '"sequence":99'));
    expect(await answersOf(collection)).toEqual(expected);
    await onTable(async (table) => {
      for (const key of [...table.getKeys(keys.savedRange(NUMBER))]) await table.remove(key);
    });
    expect(await answersOf(collection)).toEqual(expected);
  });

  it('is left to the process that has the lease, until that has run out', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    await onTable(async (table) => {
      for (const key of [...table.getKeys(keys.savedRange(NUMBER))]) await table.remove(key);
      await table.remove(keys.manifestKey(NUMBER));
      const lease = { holder: 'another', until: Date.now() + 3_600_000 };
      await table.put(keys.leaseKey(NUMBER), packRow(lease), 7);
    });
    await answersOf(collection);
    expect(await savedNames()).toEqual([]);
    await answersOf(collection);
    await onTable((table) => table.put(keys.leaseKey(NUMBER), packRow({ holder: 'another', until: 1 }), 8));
    await answersOf(collection);
    expect(await savedNames()).not.toEqual([]);
  });

  it('is replaced under the eyes of a store that has it open', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    await reopen();
    const expected = (await collection.keywords({ text: 'common', limit: 30 })).matches;
    const other = await openMemoryStore({ path, saveAfter: 1 });
    const theirs = await other.open(REQUEST);
    for (let round = 0; round < 4; round++) {
      await theirs.commit({ put: documents(100 + 40 * round, 40), drop: [] });
      await theirs.commit({ put: [], drop: documents(100 + 40 * round, 40).map(({ document }) => document.id) });
    }
    await theirs.keywords({ text: 'common', limit: 30 });
    await other.close();
    expect((await collection.keywords({ text: 'common', limit: 30 })).matches).toEqual(expected);
    for (let number = 0; number < 60; number++) {
      const { matches } = await collection.keywords({ text: `rare${number}`, limit: 1 });
      expect(matches[0]?.id).toMatch(new RegExp(`^doc-0*${number}#`));
    }
  });

  it('goes with its collection', async () => {
    await collection.commit({ put: documents(0, 60), drop: [] });
    await reopen();
    await store.drop('docs');
    expect(await savedNames()).toEqual([]);
  });

  it('begins anew when most of what it stands for is dead', async () => {
    await collection.commit({ put: documents(0, 400), drop: [] });
    await answersOf(collection);
    await reopen();
    for (let round = 0; round < 3; round++) {
      await collection.commit({ put: documents(0, 400, `hash${round}-123456`), drop: [] });
      expect(await answersOf(collection)).toEqual(await freshAnswers(collection));
      await reopen();
      expect(await answersOf(collection)).toEqual(await freshAnswers(collection));
    }
  });
});
