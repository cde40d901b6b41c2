import { Bitset } from './bitset.js';
import type { BlockRef } from './rows.js';

/** Which ordinals stand for the chunks of which block, and which are alive. */
export interface Directory {
  /** Ordinals given so far, dead ones too. */
  readonly size: number;
  readonly alive: Bitset;
  readonly liveCount: number;
  /** Gives the block's chunks the next ordinals and returns the first. */
  add(block: BlockRef): number;
  /** The ordinals that died, or none when the block was not in. */
  remove(block: number): readonly number[];
  /** The block that holds an ordinal. */
  locate(ordinal: number): { readonly block: BlockRef; readonly index: number };
  /** Live blocks with their first ordinals, in no particular order. */
  blocks(): Iterable<{ readonly block: BlockRef; readonly first: number }>;
  /** Ordinals of these groups, dead ones too. */
  ofGroups(groups: readonly string[]): Bitset;
}

export function createDirectory(): Directory {
  const alive = new Bitset();
  const byNumber = new Map<number, { readonly block: BlockRef; readonly first: number }>();
  /** All blocks ever added, by ascending first ordinal. */
  const firsts: number[] = [];
  const refs: BlockRef[] = [];
  const groups = new Map<string, Bitset>();
  let size = 0;
  let liveCount = 0;

  return {
    get size() {
      return size;
    },
    alive,
    get liveCount() {
      return liveCount;
    },
    add(block) {
      const first = size;
      let group = groups.get(block.group);
      if (group === undefined) {
        group = new Bitset();
        groups.set(block.group, group);
      }
      for (let ordinal = first; ordinal < first + block.chunks; ordinal++) {
        alive.add(ordinal);
        group.add(ordinal);
      }
      byNumber.set(block.number, { block, first });
      firsts.push(first);
      refs.push(block);
      size += block.chunks;
      liveCount += block.chunks;
      return first;
    },
    remove(number) {
      const found = byNumber.get(number);
      if (found === undefined) return [];
      byNumber.delete(number);
      liveCount -= found.block.chunks;
      const dead = Array.from({ length: found.block.chunks }, (_, index) => found.first + index);
      for (const ordinal of dead) alive.remove(ordinal);
      return dead;
    },
    locate(ordinal) {
      let low = 0;
      let high = firsts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((firsts[middle] ?? 0) <= ordinal) low = middle;
        else high = middle - 1;
      }
      const block = refs[low];
      if (block === undefined) throw new Error(`no block holds ordinal ${ordinal}`);
      return { block, index: ordinal - (firsts[low] ?? 0) };
    },
    blocks: () => byNumber.values(),
    ofGroups: (names) => names.reduce((all, name) => all.unite(groups.get(name) ?? new Bitset()), new Bitset()),
  };
}
