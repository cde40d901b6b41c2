import { type FrequentWords, frequentKey, type KeywordPart, type WordCursor } from './keyword-part.js';
import { boundsOf, FREQUENT } from './posting-list.js';
import { createPostings } from './postings.js';
import { createTermTable } from './term-table.js';
import type { TermCounts } from './terms.js';

/** The part that new chunks go to. */
export interface GrowingPart extends KeywordPart {
  /** Ordinals come in ascending order. */
  add(ordinal: number, row: TermCounts): void;
}

/** @param lengths number of words by ordinal, those of the chunks added included */
export function createGrowingPart(from: number, lengths: () => Uint32Array): GrowingPart {
  const table = createTermTable();
  const postings = createPostings();
  const frequent: FrequentWords = new Map();
  let to = from;
  let live = 0;
  let words = 0;
  let lastHashes: Uint32Array = new Uint32Array(0);
  let lastIds: Uint32Array = new Uint32Array(0);

  return {
    from,
    get to() {
      return to;
    },
    get live() {
      return live;
    },
    get words() {
      return words;
    },
    add(ordinal, { length, hashes, pairs }) {
      const terms = idsOf(hashes);
      const base = (ordinal - from) * 256;
      for (let at = 0; at < pairs.length; at += 2) {
        const place = pairs[at] ?? 0;
        const frequency = pairs[at + 1] ?? 0;
        postings.append(terms[place] ?? 0, base + Math.min(frequency, FREQUENT));
        if (frequency >= FREQUENT) {
          frequent.set(frequentKey(hashes[2 * place] ?? 0, hashes[2 * place + 1] ?? 0, ordinal), frequency);
        }
      }
      to = ordinal + 1;
      live++;
      words += length;
    },
    find(low, high) {
      const term = table.find(low, high);
      if (term < 0) return undefined;
      const list = postings.read(term);
      return { postings: list, bounds: boundsOf(list, from, lengths()) };
    },
    frequencyOf: (low, high, ordinal) => frequent.get(frequentKey(low, high, ordinal)) ?? FREQUENT,
    cursor: () => cursor(),
  };

  /** Chunks that were packed together share their words, which are then looked up once. */
  function idsOf(hashes: Uint32Array): Uint32Array {
    if (hashes === lastHashes) return lastIds;
    lastHashes = hashes;
    lastIds = new Uint32Array(hashes.length / 2);
    for (let word = 0; word < lastIds.length; word++) {
      lastIds[word] = table.add(hashes[2 * word] ?? 0, hashes[2 * word + 1] ?? 0);
    }
    return lastIds;
  }

  function cursor(): WordCursor {
    const order = sortedTerms();
    let at = -1;
    return {
      get low() {
        return table.lowOf(order[at] ?? 0);
      },
      get high() {
        return table.highOf(order[at] ?? 0);
      },
      get postings() {
        return postings.read(order[at] ?? 0);
      },
      next: () => ++at < order.length,
    };
  }

  /** By hash. As doubles of 32 bits of hash and 21 of number these sort natively; what shares the 32 bits is put in order after. */
  function sortedTerms(): Uint32Array {
    const keys = Float64Array.from({ length: table.size }, (_, term) => table.lowOf(term) * 2 ** 21 + term).sort();
    const order = Uint32Array.from(keys, (key) => key % 2 ** 21);
    for (let place = 1; place < order.length; place++) {
      for (let at = place; at > 0 && isBefore(order[at] ?? 0, order[at - 1] ?? 0); at--) {
        const term = order[at] ?? 0;
        order[at] = order[at - 1] ?? 0;
        order[at - 1] = term;
      }
    }
    return order;
  }

  function isBefore(left: number, right: number): boolean {
    return table.lowOf(left) === table.lowOf(right) && table.highOf(left) < table.highOf(right);
  }
}
