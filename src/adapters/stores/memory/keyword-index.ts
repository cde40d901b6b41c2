import { tokenize } from '../../../core/tokenize.js';
import type { Pace } from '../../../core/turns.js';
import type { OrdinalIndex } from './ordinal-index.js';
import { createPostings, type PostingRow, packPostings } from './postings.js';
import { createTermTable } from './term-table.js';
import { hashWord, type TermCounts } from './terms.js';
import { createTop } from './top.js';

/** The usual parameters of Okapi BM25: how fast repeated words saturate, and how much long chunks are held back. */
const K1 = 1.2;
const B = 0.75;

/** Postings between two looks at the clock: about half a millisecond. */
const POSTINGS_A_LOOK = 16_384;

export interface KeywordIndex extends OrdinalIndex<TermCounts, string> {
  /** Takes the first chunks of an empty index at once, by ascending ordinal, which is faster than adding them one by one. */
  load(rows: readonly (readonly [ordinal: number, row: TermCounts])[], pace: Pace): Promise<void>;
}

/**
 * BM25: score = Σ idf · tf · (k1 + 1) / (tf + k1 · (1 - b + b · length / average)) over the distinct words of the query, with
 * idf = ln(1 + (N - n + 0.5) / (n + 0.5)). N, n and the average are of all live chunks of the collection, whatever the filter and
 * the groups: a chunk's score for a query does not depend on what else was asked.
 */
export function createKeywordIndex(isAlive: (ordinal: number) => boolean): KeywordIndex {
  const words = createTermTable();
  let postings = createPostings();
  let lengths = new Uint32Array(1024);
  let lastHashes: Uint32Array = new Uint32Array(0);
  let lastIds: Uint32Array = new Uint32Array(0);
  let live = 0;
  let totalLength = 0;
  /** Scores by ordinal, all zero between queries; a query takes one along and brings it back. */
  const idleScores: Float64Array[] = [];

  return {
    name: 'bm25',
    async load(rows, pace) {
      const packable: PostingRow[] = [];
      for (const [ordinal, row] of rows) {
        packable.push(take(ordinal, row));
        await pace();
      }
      postings = createPostings(await packPostings(packable, words.size, pace));
    },
    add(ordinal, row) {
      postings.append(take(ordinal, row));
    },
    remove(ordinal) {
      live--;
      totalLength -= lengths[ordinal] ?? 0;
    },
    async query(text, { limit, allowed, idOf, pace }) {
      if (limit === 0) return [];
      const average = totalLength / live;
      const scores = takeScores();
      const touched: number[] = [];
      for (const term of new Set(tokenize(text))) {
        const id = words.find(...hashWord(term));
        if (id < 0) continue;
        const count = await countLive(id, pace);
        const idf = Math.log(1 + (live - count + 0.5) / (count + 0.5));
        const reader = postings.read(id);
        while (reader.left > 0) {
          reader.read(POSTINGS_A_LOOK, (ordinal, frequency) => {
            if (!allowed.has(ordinal)) return;
            const norm = K1 * (1 - B + (B * (lengths[ordinal] ?? 0)) / average);
            if (scores[ordinal] === 0) touched.push(ordinal);
            scores[ordinal] = (scores[ordinal] ?? 0) + (idf * frequency * (K1 + 1)) / (frequency + norm);
          });
          await pace();
        }
      }
      const top = createTop(limit, idOf);
      for (const ordinal of touched) top.offer(ordinal, scores[ordinal] ?? 0);
      for (const ordinal of touched) scores[ordinal] = 0;
      idleScores.push(scores);
      return top.take();
    },
  };

  /** Counts a chunk in, and gives its words their numbers. */
  function take(ordinal: number, { length, hashes, pairs }: TermCounts): PostingRow {
    if (ordinal >= lengths.length) {
      const grown = new Uint32Array(Math.max(ordinal + 1, lengths.length * 2));
      grown.set(lengths);
      lengths = grown;
    }
    lengths[ordinal] = length;
    live++;
    totalLength += length;
    return { ordinal, terms: idsOf(hashes), pairs };
  }

  /** Chunks that were packed together share their words, which are then looked up once. */
  function idsOf(hashes: Uint32Array): Uint32Array {
    if (hashes === lastHashes) return lastIds;
    lastHashes = hashes;
    lastIds = new Uint32Array(hashes.length / 2);
    for (let word = 0; word < lastIds.length; word++) {
      lastIds[word] = words.add(hashes[2 * word] ?? 0, hashes[2 * word + 1] ?? 0);
    }
    return lastIds;
  }

  async function countLive(term: number, pace: Pace): Promise<number> {
    const reader = postings.read(term);
    let count = 0;
    while (reader.left > 0) {
      reader.read(POSTINGS_A_LOOK, (ordinal) => {
        if (isAlive(ordinal)) count++;
      });
      await pace();
    }
    return count;
  }

  function takeScores(): Float64Array {
    const idle = idleScores.pop();
    return idle !== undefined && idle.length >= lengths.length ? idle : new Float64Array(lengths.length);
  }
}
