import { describe, expect, it } from 'vitest';
import { Bitset } from '../../../src/adapters/stores/memory/bitset.js';
import { createFlatVectors } from '../../../src/adapters/stores/memory/flat-vectors.js';
import { createKeywordIndex } from '../../../src/adapters/stores/memory/keyword-index.js';
import { createPostings, packPostings } from '../../../src/adapters/stores/memory/postings.js';
import { createTermTable } from '../../../src/adapters/stores/memory/term-table.js';
import { countTerms, hashWord, packTerms, unpackTerms } from '../../../src/adapters/stores/memory/terms.js';
import { createTop } from '../../../src/adapters/stores/memory/top.js';
import { tokenize } from '../../../src/core/tokenize.js';
import { makeVector } from '../../support/chunks.js';

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'];
const texts = Array.from({ length: 300 }, (_, row) =>
  Array.from({ length: 3 + (row % 17) }, (_, word) => WORDS[(row * 7 + word * (1 + (row % 5))) % WORDS.length]).join(' '),
);
const options = (allowed: Iterable<number>, limit = 1000) => ({
  limit,
  allowed: new Bitset().addAll(allowed),
  idOf: (ordinal: number) => String(ordinal).padStart(6, '0'),
  pace: () => undefined,
});
const everyOrdinal = [...texts.keys()];

describe('the keyword index', () => {
  it.each([0, 100, 10_000])(
    'scores as the formula of BM25 does, over what is alive, with %i chunks loaded at once',
    async (loadedAtOnce) => {
      const dead = new Set([0, 5, 6, 250]);
      const index = createKeywordIndex((ordinal) => !dead.has(ordinal));
      const packed = unpackTerms(packTerms(countTerms(texts.map(tokenize))), texts.length);
      await index.load([...packed.entries()].slice(0, loadedAtOnce), () => undefined);
      for (const [ordinal, row] of packed.entries()) if (ordinal >= loadedAtOnce) index.add(ordinal, row);
      for (const ordinal of dead) index.remove(ordinal);
      const alive = everyOrdinal.filter((ordinal) => !dead.has(ordinal));
      const found = await index.query('Alpha theta alpha missing', options(alive));
      const expected = new Map(alive.map((ordinal) => [ordinal, naiveScore(['alpha', 'theta'], ordinal, alive)] as const));
      expect(found.map((hit) => hit.ordinal).sort()).toEqual(
        [...expected]
          .filter(([, score]) => score > 0)
          .map(([row]) => row)
          .sort(),
      );
      for (const { ordinal, score } of found) expect(score).toBeCloseTo(expected.get(ordinal) ?? 0, 10);
      const few = await index.query('Alpha theta', options(alive.slice(10, 20)));
      for (const { ordinal, score } of few) expect(score).toBe(found.find((hit) => hit.ordinal === ordinal)?.score);
    },
  );

  it('answers several queries at once that let each other in', async () => {
    const index = createKeywordIndex(() => true);
    for (const [ordinal, row] of countTerms(texts.map(tokenize)).entries()) index.add(ordinal, row);
    const slow = { ...options(everyOrdinal), pace: () => new Promise<void>((resolve) => setImmediate(resolve)) };
    const alone = await index.query('alpha beta', slow);
    const together = await Promise.all(Array.from({ length: 4 }, () => index.query('alpha beta', slow)));
    for (const found of together) expect(found).toEqual(alone);
  });
});

describe('terms', () => {
  it('come back from their packed form', () => {
    const counted = countTerms([[], ['a', 'b', 'a'], Array.from({ length: 1000 }, (_, word) => `w${word % 400}`)]);
    const unpacked = unpackTerms(packTerms(counted), 3);
    for (const [row, { length, hashes, pairs }] of counted.entries()) {
      expect(unpacked[row]?.length).toBe(length);
      expect([...(unpacked[row]?.hashes ?? [])]).toEqual([...hashes]);
      expect(Array.from(unpacked[row]?.pairs ?? [])).toEqual(Array.from(pairs));
    }
  });

  it('get numbers in the order of their coming, however many', () => {
    const table = createTermTable();
    for (let word = 0; word < 20_000; word++) expect(table.add(...hashWord(`word ${word}`))).toBe(word);
    for (let word = 0; word < 20_000; word++) expect(table.find(...hashWord(`word ${word}`))).toBe(word);
    expect(table.find(...hashWord('another'))).toBe(-1);
  });

  it.each([0, 50, 5000])('keep postings in order, in lists of any length, %i of them packed', async (packed) => {
    const lengths = [1, 2, 3, 5, 6, 14, 100, 5000];
    const terms = Uint32Array.from(lengths.keys());
    const rows = Array.from({ length: 5000 }, (_, round) => {
      const pairs = lengths.flatMap((length, term) => (round < length ? [term, round + 1] : []));
      return { ordinal: round * 2, terms, pairs };
    });
    const postings = createPostings(await packPostings(rows.slice(0, packed), lengths.length, () => undefined));
    for (const row of rows.slice(packed)) postings.append(row);
    for (const [term, length] of lengths.entries()) {
      const reader = postings.read(term);
      const seen: number[] = [];
      while (reader.left > 0) reader.read(7, (ordinal, frequency) => seen.push(ordinal, frequency));
      expect(seen).toEqual(Array.from({ length }, (_, round) => [round * 2, round + 1]).flat());
    }
  });
});

describe('the flat vector index', () => {
  it.each(['cosine', 'dot', 'l2'] as const)('finds the nearest by %s among those allowed', async (metric) => {
    const index = createFlatVectors(7, metric, 0);
    const rows = Array.from({ length: 5000 }, (_, row) => makeVector(`row ${row}`, 7));
    for (const [ordinal, row] of rows.entries()) index.add(ordinal, row);
    index.remove(3);
    const query = makeVector('query', 7);
    const allowed = rows.map((_, row) => row).filter((row) => row % 3 === 0);
    const found = await index.query(query, options(allowed, 20));
    const score = (row: Float32Array) => {
      const product = row.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0);
      const distance = row.reduce((sum, value, at) => sum + (value - (query[at] ?? 0)) ** 2, 0);
      return metric === 'l2' ? 1 / (1 + distance) : product;
    };
    const best = allowed
      .filter((row) => row !== 3)
      .map((row) => ({ row, score: score(rows[row] ?? query) }))
      .sort((left, right) => right.score - left.score)
      .slice(0, 20);
    expect(found.map((hit) => hit.ordinal)).toEqual(best.map((hit) => hit.row));
    for (const [place, hit] of found.entries()) expect(hit.score).toBeCloseTo(best[place]?.score ?? 0, 6);
    expect(await index.query(new Float32Array(7), options(allowed))).toEqual([]);
  });
});

describe('the best of what is offered', () => {
  it('is the same whatever the order, with ids deciding between equal scores', () => {
    const offers = Array.from({ length: 500 }, (_, ordinal) => ({ ordinal, score: ordinal % 7 }));
    const idOf = (ordinal: number) => String((ordinal * 7919) % 1000).padStart(4, '0');
    const expected = [...offers]
      .sort((left, right) => right.score - left.score || (idOf(left.ordinal) < idOf(right.ordinal) ? -1 : 1))
      .slice(0, 100);
    for (const order of [offers, [...offers].reverse()]) {
      const top = createTop(100, idOf);
      for (const { ordinal, score } of order) top.offer(ordinal, score);
      expect(top.take()).toEqual(expected);
    }
    expect(createTop(0, idOf).take()).toEqual([]);
  });
});

function naiveScore(words: readonly string[], ordinal: number, alive: readonly number[]): number {
  const tokens = alive.map((row) => tokenize(texts[row] ?? ''));
  const average = tokens.reduce((sum, list) => sum + list.length, 0) / alive.length;
  const own = tokenize(texts[ordinal] ?? '');
  return words.reduce((sum, word) => {
    const n = tokens.filter((list) => list.includes(word)).length;
    const tf = own.filter((token) => token === word).length;
    const idf = Math.log(1 + (alive.length - n + 0.5) / (n + 0.5));
    return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * own.length) / average));
  }, 0);
}
