import { describe, expect, it } from 'vitest';
import { Bitset } from '../../../src/adapters/stores/memory/bitset.js';
import { createPostings } from '../../../src/adapters/stores/memory/postings.js';
import { createTermTable } from '../../../src/adapters/stores/memory/term-table.js';
import { countTerms, hashWord, packTerms, unpackTerms } from '../../../src/adapters/stores/memory/terms.js';
import { createTop } from '../../../src/adapters/stores/memory/top.js';
import { createVectorIndex } from '../../../src/adapters/stores/memory/vectors/vector-index.js';
import { makeVector } from '../../support/chunks.js';

const options = (allowed: Iterable<number>, limit = 1000) => ({
  limit,
  allowed: new Bitset().addAll(allowed),
  idOf: (ordinal: number) => String(ordinal).padStart(6, '0'),
  pace: () => undefined,
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

  it('keep postings in order, in lists of any length', () => {
    const lengths = [1, 2, 3, 5, 6, 14, 100, 5000];
    const postings = createPostings();
    for (let round = 0; round < 5000; round++) {
      for (const [term, length] of lengths.entries()) if (round < length) postings.append(term, round * 2);
    }
    for (const [term, length] of lengths.entries()) {
      expect([...postings.read(term)]).toEqual(Array.from({ length }, (_, round) => round * 2));
    }
  });
});

describe('the flat vector index', () => {
  it.each(['cosine', 'dot', 'l2'] as const)('finds the nearest by %s among those allowed', async (metric) => {
    const index = createVectorIndex({ dimensions: 7, metric, kind: 'flat' });
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
