import type { PostingList } from './posting-list.js';

/** Lists that were read from saved pieces, kept as long as they are the ones used last. */
export interface ListCache {
  /** @param key of the part and the word */
  get(key: string, read: () => PostingList | undefined): PostingList | undefined;
}

/** What an entry costs beside its numbers: key, slot and object, in numbers of four bytes. */
const ENTRY_WORDS = 64;

/** @param capacity numbers of four bytes */
export function createListCache(capacity: number): ListCache {
  const lists = new Map<string, PostingList | undefined>();
  let held = 0;

  return {
    get(key, read) {
      const known = lists.get(key);
      const isKnown = known !== undefined || lists.has(key);
      const list = isKnown ? known : read();
      if (isKnown) lists.delete(key);
      else held += sizeOf(list);
      lists.set(key, list);
      // The one just used comes last, and stays for as long as it is the only one.
      for (const [oldest, old] of lists) {
        if (held <= capacity || lists.size === 1) break;
        lists.delete(oldest);
        held -= sizeOf(old);
      }
      return list;
    },
  };
}

function sizeOf(list: PostingList | undefined): number {
  return ENTRY_WORDS + (list === undefined ? 0 : list.postings.length + list.bounds.length);
}
