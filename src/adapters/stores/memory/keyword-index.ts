import { tokenize } from '../../../core/tokenize.js';
import type { Pace } from '../../../core/turns.js';
import type { Bitset } from './bitset.js';
import { createGrowingPart, type GrowingPart } from './growing-part.js';
import { type KeywordPart, LONGEST_PART, type ReadPiece } from './keyword-part.js';
import { createListCache } from './list-cache.js';
import type { OrdinalIndex, OrdinalQueryOptions } from './ordinal-index.js';
import { packParts } from './pack-part.js';
import { createPackedPart, type PackedPart, type PackedShape } from './packed-part.js';
import type { PostingList } from './posting-list.js';
import { createRank, type Rank } from './rank.js';
import { hashWord, type TermCounts } from './terms.js';
import { createTop, type Found } from './top.js';

/** Chunks in the growing part at which it is packed. */
const PACKED_AT = 8192;
/** Lists of saved parts that are kept, in numbers of four bytes: 8 MB. */
const CACHED_WORDS = 2_097_152;

export interface KeywordIndex extends OrdinalIndex<TermCounts, string> {
  query(text: string, options: KeywordQueryOptions): Promise<readonly Found[]>;
  /** Much has grown since it was last packed. */
  readonly isLong: boolean;
  /** Packs what has grown and joins small parts, so that there are few; queries go on meanwhile. One at a time. */
  compact(options: CompactOptions): Promise<void>;
  /** What there is to save: all packed parts, and the words of their chunks by ordinal. */
  packed(): PackedKeywords;
  /** Takes parts that were saved in place of the same parts in memory. */
  exchange(saved: ReadonlyMap<PackedShape, PackedShape>): void;
}

export interface KeywordQueryOptions extends OrdinalQueryOptions {
  readonly read: ReadPiece;
}

export interface CompactOptions {
  /** Packs what has grown however little it is, and joins saved parts too. */
  readonly thorough: boolean;
  readonly read: ReadPiece;
  readonly pace: Pace;
}

export interface PackedKeywords {
  readonly parts: readonly PackedShape[];
  /** Of the ordinals up to the last part's end. */
  readonly lengths: Uint32Array;
}

interface Held {
  readonly part: KeywordPart;
  readonly packed: PackedPart | undefined;
  /** Chunks whose postings are in it and that died since. */
  dead: number;
}

/**
 * BM25: score = Σ idf · tf · (k1 + 1) / (tf + k1 · (1 - b + b · length / average)) over the distinct words of the query, with
 * idf = ln(1 + (N - n + 0.5) / (n + 0.5)). N, n and the average are of all live chunks of the collection, whatever the filter and
 * the groups: a chunk's score for a query does not depend on what else was asked.
 * @param alive the live ordinals, as they change
 * @param saved what an index like this had packed; ordinals from `lengths.length` on come by `add`
 */
export function createKeywordIndex(alive: Bitset, saved?: PackedKeywords): KeywordIndex {
  const cache = createListCache(CACHED_WORDS);
  let lengths = saved === undefined ? new Uint32Array(1024) : saved.lengths.slice();
  /** In ascending order; replaced and not changed, for queries hold on to it. The growing part comes after them. */
  let held: readonly Held[] = (saved?.parts ?? []).map((shape) => hold(createPackedPart(shape, cache)));
  let growing = growingFrom(saved?.lengths.length ?? 0);
  let live = 0;
  let totalLength = 0;
  for (const { part, dead } of held) {
    live += part.live - dead;
    totalLength += dead === 0 ? part.words : wordsAlive(part);
  }
  let rank: Rank | undefined;
  let compacting = false;

  return {
    name: 'bm25',
    add(ordinal, row) {
      if (ordinal >= lengths.length) lengths = grown(lengths, ordinal + 1);
      lengths[ordinal] = row.length;
      // A part's span is bounded; one that nobody packs is closed before it gets there.
      if (ordinal - growing.held.part.from >= LONGEST_PART) freeze(ordinal);
      growing.part.add(ordinal, row);
      live++;
      totalLength += row.length;
      rank = undefined;
    },
    remove(ordinal) {
      live--;
      totalLength -= lengths[ordinal] ?? 0;
      rank = undefined;
      const part = [...held, growing.held].findLast((one) => one.part.from <= ordinal);
      if (part !== undefined) part.dead++;
    },
    async query(text, { limit, allowed, idOf, pace, read }) {
      if (limit === 0 || live === 0) return [];
      const parts = [...held, growing.held];
      const top = createTop(limit, idOf);
      rank ??= createRank(totalLength / live);
      const ranking = rank;
      const words = findWords(text, parts, read);
      for (const [index, { part }] of parts.entries()) {
        const terms = words.flatMap(({ idf, low, high, lists }) => {
          const list = lists[index];
          return list === undefined
            ? []
            : [{ idf, list, frequencyOf: (ordinal: number) => part.frequencyOf(low, high, ordinal) }];
        });
        if (terms.length > 0) await ranking({ from: part.from, to: part.to, terms, lengths, allowed, top, pace });
      }
      return top.take();
    },
    get isLong() {
      return growing.part.live >= PACKED_AT;
    },
    async compact({ thorough, read, pace }) {
      if (compacting) return;
      compacting = true;
      try {
        if (growing.part.live >= (thorough ? 1 : PACKED_AT)) freeze(growing.part.to);
        const run = runToJoin(thorough);
        if (run.length === 0) return;
        const shape = await packParts(
          run.map(({ part }) => part),
          alive.clone(),
          lengths,
          read,
          pace,
        );
        const last = held.indexOf(run.at(-1) as Held); // a run is never empty, and only this function takes parts away
        held = [...held.slice(0, last + 1 - run.length), hold(createPackedPart(shape, cache)), ...held.slice(last + 1)];
      } finally {
        compacting = false;
      }
    },
    packed() {
      const parts = held.flatMap(({ packed }) => packed ?? []);
      return { parts, lengths: lengths.slice(0, parts.at(-1)?.to ?? 0) };
    },
    exchange(saved) {
      held = held.map((one) => {
        const shape = one.packed && saved.get(one.packed);
        if (shape === undefined) return one;
        const packed = createPackedPart(shape, cache);
        return { part: packed, packed, dead: one.dead };
      });
    },
  };

  /** The words that live chunks have, in the order of the query. */
  function findWords(text: string, parts: readonly Held[], read: ReadPiece) {
    return [...new Set(tokenize(text))].flatMap((word) => {
      const [low, high] = hashWord(word);
      const lists = parts.map(({ part }) => part.find(low, high, read));
      let count = 0;
      for (const [index, { part, dead }] of parts.entries()) {
        const list = lists[index];
        if (list !== undefined) count += dead === 0 ? list.postings.length : countAlive(list, part.from);
      }
      return count === 0 ? [] : [{ low, high, lists, idf: Math.log(1 + (live - count + 0.5) / (count + 0.5)) }];
    });
  }

  function countAlive({ postings }: PostingList, from: number): number {
    let count = 0;
    for (let at = 0; at < postings.length; at++) if (alive.has(from + ((postings[at] ?? 0) >>> 8))) count++;
    return count;
  }

  function growingFrom(from: number): { readonly part: GrowingPart; readonly held: Held } {
    const part = createGrowingPart(from, () => lengths);
    return { part, held: { part, packed: undefined, dead: 0 } };
  }

  /** Closes the growing part, and begins another. */
  function freeze(next: number): void {
    held = [...held, growing.held];
    growing = growingFrom(next);
  }

  /**
   * The last parts, as long as each is smaller than twice what comes after it: so their number grows with the logarithm of the chunks, and
   * a chunk is packed again as often. None: nothing to do.
   */
  function runToJoin(thorough: boolean): readonly Held[] {
    let first = held.length;
    let chunks = 0;
    for (let at = held.length - 1; at >= 0; at--) {
      const one = held[at];
      if (one === undefined || (held.at(-1)?.part.to ?? 0) - one.part.from > LONGEST_PART) break;
      const isSaved = typeof one.packed?.pieces === 'string';
      if (one.packed !== undefined && ((isSaved && !thorough) || (first < held.length && one.part.live >= 2 * chunks))) break;
      first = at;
      chunks += one.part.live;
    }
    const run = held.slice(first);
    return run.length === 1 && run[0]?.packed !== undefined ? [] : run;
  }

  function hold(packed: PackedPart): Held {
    return { part: packed, packed, dead: packed.live - alive.countBetween(packed.from, packed.to) };
  }

  function wordsAlive({ from, to }: KeywordPart): number {
    let words = 0;
    for (let ordinal = from; ordinal < to; ordinal++) if (alive.has(ordinal)) words += lengths[ordinal] ?? 0;
    return words;
  }
}

function grown(array: Uint32Array<ArrayBuffer>, least: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(least, array.length * 2));
  larger.set(array);
  return larger;
}
