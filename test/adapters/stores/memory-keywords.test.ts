import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bitset } from '../../../src/adapters/stores/memory/bitset.js';
import { createKeywordIndex, type KeywordIndex } from '../../../src/adapters/stores/memory/keyword-index.js';
import { packHead } from '../../../src/adapters/stores/memory/loading.js';
import { boundsOf, seek } from '../../../src/adapters/stores/memory/posting-list.js';
import { countTerms, packTerms, unpackTerms } from '../../../src/adapters/stores/memory/terms.js';
import { compareText } from '../../../src/core/ids.js';
import { tokenize } from '../../../src/core/tokenize.js';

const pace = () => undefined;
const noPieces = () => {
  throw new Error('nothing is saved here');
};
const COMPACT = { thorough: true, read: noPieces, pace };
/** Ids in another order than ordinals. */
const idOf = (ordinal: number) => String((ordinal * 7919) % 100_003).padStart(6, '0');

/** Texts of few words, some of them in most, with many equal scores. */
function makeTexts(count: number, seed: number): readonly string[] {
  let state = seed;
  const next = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(12) }, () => `w${Math.floor(next(30) ** 2 / 30)}`).join(' '),
  );
}

interface Made {
  readonly index: KeywordIndex;
  readonly alive: Bitset;
  readonly texts: readonly string[];
}

/** An index over these texts, packed after each of the given numbers of chunks; the dead ones died in the middle. */
async function makeIndex(texts: readonly string[], packedAfter: readonly number[], dead: ReadonlySet<number>): Promise<Made> {
  const alive = new Bitset();
  const index = createKeywordIndex(alive);
  const rows = unpackTerms(packTerms(countTerms(texts.map(tokenize))), texts.length);
  for (const [ordinal, row] of rows.entries()) {
    alive.add(ordinal);
    index.add(ordinal, row);
    const victim = ordinal - 20;
    if (dead.has(victim)) {
      alive.remove(victim);
      index.remove(victim);
    }
    if (packedAfter.includes(ordinal)) await index.compact(COMPACT);
  }
  return { index, alive, texts };
}

/** Every score worked out as the formula says, in the order of the query's words. */
function naive({ alive, texts }: Made, query: string, allowed: Bitset, limit: number) {
  const tokens = texts.map(tokenize);
  const living = tokens.map((_, ordinal) => ordinal).filter((ordinal) => alive.has(ordinal));
  const average = living.reduce((sum, ordinal) => sum + (tokens[ordinal]?.length ?? 0), 0) / living.length;
  const scores = new Map<number, number>();
  for (const word of new Set(tokenize(query))) {
    const having = living.filter((ordinal) => tokens[ordinal]?.includes(word));
    const idf = Math.log(1 + (living.length - having.length + 0.5) / (having.length + 0.5));
    for (const ordinal of having) {
      const own = tokens[ordinal] ?? [];
      const frequency = own.filter((token) => token === word).length;
      const norm = 1.2 * (1 - 0.75 + (0.75 * own.length) / average);
      scores.set(ordinal, (scores.get(ordinal) ?? 0) + (idf * frequency * (1.2 + 1)) / (frequency + norm));
    }
  }
  return [...scores]
    .filter(([ordinal]) => allowed.has(ordinal))
    .map(([ordinal, score]) => ({ ordinal, score }))
    .sort((left, right) => right.score - left.score || compareText(idOf(left.ordinal), idOf(right.ordinal)))
    .slice(0, limit);
}

describe('the keyword index', () => {
  it('finds what adding up every score finds: the same chunks, scores and order, to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 30, max: 700 }),
          seed: fc.nat(),
          packedAfter: fc.array(fc.nat(700), { maxLength: 5 }),
          deadEvery: fc.integer({ min: 2, max: 40 }),
          allowedEvery: fc.integer({ min: 1, max: 9 }),
          words: fc.array(fc.nat(31), { minLength: 1, maxLength: 8 }),
          limit: fc.constantFrom(1, 3, 10, 100, 1000),
        }),
        async ({ count, seed, packedAfter, deadEvery, allowedEvery, words, limit }) => {
          const dead = new Set(Array.from({ length: Math.ceil(count / deadEvery) }, (_, index) => index * deadEvery));
          const made = await makeIndex(makeTexts(count, seed), packedAfter, dead);
          const allowed = new Bitset();
          for (let ordinal = 0; ordinal < count; ordinal += allowedEvery) if (made.alive.has(ordinal)) allowed.add(ordinal);
          const query = words.map((word) => `w${word}`).join(' ');
          const found = await made.index.query(query, { limit, allowed, idOf, pace, read: noPieces });
          expect(found).toEqual(naive(made, query, allowed, limit));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds the same over many windows and blocks, where most is passed over', async () => {
    const made = await makeIndex(makeTexts(9000, 7), [4000, 8000], new Set([5, 4500, 8500]));
    for (const query of ['w0 w29', 'w29 w28 w1 w0', 'w0', 'w3 w2 w1 w0 w20']) {
      for (const limit of [1, 10, 100]) {
        const found = await made.index.query(query, { limit, allowed: made.alive, idOf, pace, read: noPieces });
        expect(found).toEqual(naive(made, query, made.alive, limit));
      }
    }
  });

  it.each([254, 255, 256, 100_000])('counts a word that occurs %i times', async (frequency) => {
    const texts = ['other text', 'needle '.repeat(frequency), 'needle hay'];
    for (const packedAfter of [[], [2]]) {
      const made = await makeIndex(texts, packedAfter, new Set());
      const found = await made.index.query('needle other', { limit: 9, allowed: made.alive, idOf, pace, read: noPieces });
      expect(found).toEqual(naive(made, 'needle other', made.alive, 9));
    }
  });

  it('answers several queries at once that let each other in, also while it is packed', async () => {
    const made = await makeIndex(makeTexts(5000, 3), [1000], new Set());
    const slow = {
      limit: 50,
      allowed: made.alive,
      idOf,
      read: noPieces,
      pace: () => new Promise<void>((resolve) => setImmediate(resolve)),
    };
    const alone = await made.index.query('w1 w9', slow);
    const packing = made.index.compact({ ...COMPACT, pace: slow.pace });
    const together = await Promise.all(Array.from({ length: 4 }, () => made.index.query('w1 w9', slow)));
    for (const found of together) expect(found).toEqual(alone);
    await packing;
    expect(await made.index.query('w1 w9', slow)).toEqual(alone);
  });

  it('finds the same when its parts are read from what was saved', async () => {
    const made = await makeIndex(makeTexts(3000, 11), [500, 2000, 2999], new Set([17, 1800]));
    const { parts, lengths } = made.index.packed();
    const pieces = new Map<string, Uint8Array>();
    const saved = parts.map((part, number) => {
      for (const [index, piece] of (part.pieces as readonly Uint32Array[]).entries()) {
        pieces.set(`part-${number}/${index}`, new Uint8Array(piece.buffer.slice(0)));
      }
      return { ...part, pieces: `part-${number}` };
    });
    const read = (name: string) => pieces.get(name) ?? noPieces();
    const opened = createKeywordIndex(made.alive, { parts: saved, lengths });
    const query = { limit: 100, allowed: made.alive, idOf, pace, read };
    expect(await opened.query('w1 w5 w29', query)).toEqual(naive(made, 'w1 w5 w29', made.alive, 100));
    // Again, from the lists that were kept.
    expect(await opened.query('w1 w5 w29', query)).toEqual(naive(made, 'w1 w5 w29', made.alive, 100));
    expect(packHead(parts[0]?.firsts ?? new Uint32Array(0), lengths).length).toBeGreaterThan(4 * lengths.length);
  });

  it('keeps few parts, however often it is packed', async () => {
    const texts = makeTexts(2000, 5);
    const made = await makeIndex(
      texts,
      Array.from({ length: 200 }, (_, index) => index * 10),
      new Set(),
    );
    expect(made.index.packed().parts.length).toBeLessThan(12);
  });
});

describe('a posting list', () => {
  it('is sought by ordinal', () => {
    const postings = Uint32Array.from({ length: 1000 }, (_, index) => index * 3 * 256 + 1);
    for (const start of [0, 1, 500, 999, 1000]) {
      for (let ordinal = 0; ordinal < 3010; ordinal++) {
        expect(seek(postings, start, ordinal)).toBe(Math.min(1000, Math.max(start, Math.ceil(ordinal / 3))));
      }
    }
  });

  it('has bounds that nothing surpasses', () => {
    const lengths = Uint32Array.from({ length: 700 }, (_, ordinal) => 3 + ((ordinal * 31) % 90));
    const postings = Uint32Array.from({ length: 300 }, (_, index) => index * 2 * 256 + 1 + (index % 9));
    const bounds = boundsOf(postings, 100, lengths);
    expect(bounds).toHaveLength(3);
    for (const [place, posting] of postings.entries()) {
      const bound = bounds[Math.floor(place / 128)] ?? 0;
      expect(bound & 255).toBeGreaterThanOrEqual(posting & 255);
      expect(bound >>> 8).toBeLessThanOrEqual(lengths[100 + (posting >>> 8)] ?? 0);
    }
  });
});
