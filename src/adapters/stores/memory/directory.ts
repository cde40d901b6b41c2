import { chunkId } from '../../../core/ids.js';
import { Bitset } from './bitset.js';
import type { BlockRef } from './rows.js';
import { asDoubles, asWords, joinArrays, splitArrays } from './saved-bytes.js';

/**
 * Which ordinals stand for the chunks of which block, and which are alive. Blocks get ordinals in the order of their numbers, so whoever
 * starts from the same state of the rows and follows the log gives the same ones.
 */
export interface Directory {
  /** Ordinals given so far, dead ones too. */
  readonly size: number;
  readonly alive: Bitset;
  readonly liveCount: number;
  /** Gives the block's chunks the next ordinals and returns the first. Blocks come by ascending number. */
  add(block: BlockRef): number;
  /** The ordinals that died, or none when the block was not in. */
  remove(block: number): readonly number[];
  /** The id of a chunk that was added, dead ones too. */
  idOf(ordinal: number): string;
  /** Live blocks from an ordinal on, by ascending first ordinal. */
  blocks(from: number): Iterable<PlacedBlock>;
  /** Ordinals of these groups, dead ones too. */
  ofGroups(groups: readonly string[]): Bitset;
  /** Everything, as bytes that `loadDirectory` takes. */
  pack(): Uint8Array;
}

/** A block with its place. */
export interface PlacedBlock {
  readonly number: number;
  readonly chunks: number;
  readonly first: number;
}

/** Beginnings of ids that are kept as strings: a hybrid search asks for two hundred ids, and those of one document share theirs. */
const MOST_PREFIXES = 8192;
/** How `chunkId` ends, for the first positions. */
const POSITION_DIGITS = 6;
const POSITIONS = Array.from({ length: 1000 }, (_, position) => String(position).padStart(POSITION_DIGITS, '0'));

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An empty directory, or the one that `packed` was made from. */
export function createDirectory(packed?: Uint8Array): Directory {
  const parts = packed === undefined ? [] : splitArrays(packed);
  const part = (index: number) => parts[index] ?? new Uint8Array(0);
  // Per block: number, first ordinal, position of its first chunk, group, document.
  const numbers = createColumn(asDoubles(part(0)), (size) => new Float64Array(size));
  const firsts = createColumn(asWords(part(1)), (size) => new Uint32Array(size));
  const starts = createColumn(asWords(part(2)), (size) => new Uint32Array(size));
  const groups = createColumn(asWords(part(3)), (size) => new Uint32Array(size));
  const documents = createColumn(asWords(part(4)), (size) => new Uint32Array(size));
  // Per document the ends of its id and of its hash in `text`.
  const ends = createColumn(asWords(part(5)), (size) => new Uint32Array(size));
  const text = createColumn(part(6), (size) => new Uint8Array(size));
  const alive = new Bitset();
  alive.words = asWords(part(7)).slice();
  // Written by `pack`.
  const groupNames: string[] = packed === undefined ? [] : (JSON.parse(decoder.decode(part(8))) as string[]);
  let [size = 0] = asWords(part(9));
  let liveCount = alive.count();
  let lastDocument = '';
  /** Made when a search asks for groups. */
  let members: Bitset[] | undefined;
  const prefixes = new Map<number, string>();

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
      const group = groupOf(block.group);
      numbers.push(block.number);
      firsts.push(first);
      starts.push(block.start);
      groups.push(group);
      documents.push(documentOf(block));
      for (let ordinal = first; ordinal < first + block.chunks; ordinal++) {
        alive.add(ordinal);
        members?.[group]?.add(ordinal);
      }
      size += block.chunks;
      liveCount += block.chunks;
      return first;
    },
    remove(number) {
      const index = placeOf(numbers.values, numbers.length, number);
      if (numbers.values[index] !== number) return [];
      const first = firsts.values[index] ?? 0;
      if (!alive.has(first)) return [];
      const dead = Array.from({ length: endOf(index) - first }, (_, offset) => first + offset);
      for (const ordinal of dead) alive.remove(ordinal);
      liveCount -= dead.length;
      return dead;
    },
    idOf(ordinal) {
      const index = placeOf(firsts.values, firsts.length, ordinal);
      const position = (starts.values[index] ?? 0) + ordinal - (firsts.values[index] ?? 0);
      const prefix = prefixOf(documents.values[index] ?? 0, groups.values[index] ?? 0);
      return prefix + (POSITIONS[position] ?? String(position).padStart(POSITION_DIGITS, '0'));
    },
    *blocks(from) {
      for (let index = from === 0 ? 0 : placeOf(firsts.values, firsts.length, from); index < firsts.length; index++) {
        const first = firsts.values[index] ?? 0;
        if (first < from || !alive.has(first)) continue;
        yield { number: numbers.values[index] ?? 0, chunks: endOf(index) - first, first };
      }
    },
    ofGroups(wanted) {
      members ??= findMembers();
      const found = new Bitset();
      for (const name of wanted) found.unite(members[groupNames.indexOf(name)] ?? new Bitset());
      return found;
    },
    pack() {
      return joinArrays([
        ...[numbers, firsts, starts, groups, documents, ends, text].map((column) => column.trimmed()),
        alive.words,
        encoder.encode(JSON.stringify(groupNames)),
        Uint32Array.of(size),
      ]);
    },
  };

  function endOf(block: number): number {
    return block + 1 < firsts.length ? (firsts.values[block + 1] ?? 0) : size;
  }

  function groupOf(name: string): number {
    const known = groupNames.indexOf(name);
    if (known >= 0) return known;
    members?.push(new Bitset());
    prefixes.clear(); // their keys count groups
    return groupNames.push(name) - 1;
  }

  /** Blocks of one document come one after the other, and share it. */
  function documentOf({ documentId, hash }: BlockRef): number {
    const document = `${hash} ${documentId}`;
    if (document !== lastDocument) {
      lastDocument = document;
      text.append(encoder.encode(documentId));
      ends.push(text.length);
      // Ids of chunks hold no more of it.
      text.append(encoder.encode(hash.slice(0, 12)));
      ends.push(text.length);
    }
    return ends.length / 2 - 1;
  }

  /** The ids of a document's chunks up to their positions. */
  function prefixOf(document: number, group: number): string {
    const key = document * groupNames.length + group;
    const known = prefixes.get(key);
    if (known !== undefined) return known;
    const start = document === 0 ? 0 : (ends.values[2 * document - 1] ?? 0);
    const middle = ends.values[2 * document] ?? 0;
    const end = ends.values[2 * document + 1] ?? 0;
    const id = decoder.decode(text.values.subarray(start, middle));
    const hash = decoder.decode(text.values.subarray(middle, end));
    const prefix = chunkId(id, hash, groupNames[group] ?? '', 0).slice(0, -POSITION_DIGITS);
    if (prefixes.size >= MOST_PREFIXES) prefixes.clear();
    prefixes.set(key, prefix);
    return prefix;
  }

  function findMembers(): Bitset[] {
    const found = groupNames.map(() => new Bitset(size));
    for (let index = 0; index < firsts.length; index++) {
      const group = found[groups.values[index] ?? 0];
      for (let ordinal = firsts.values[index] ?? 0; ordinal < endOf(index); ordinal++) group?.add(ordinal);
    }
    return found;
  }
}

/** A typed array that grows at its end. */
function createColumn<Values extends Uint8Array | Uint32Array | Float64Array>(saved: Values, make: (size: number) => Values) {
  let values = saved.slice() as Values; // of its own kind
  let length = saved.length;

  return {
    /** Longer than `length`: what is behind is not used yet. */
    get values() {
      return values;
    },
    get length() {
      return length;
    },
    push(value: number): void {
      reserve(1);
      values[length++] = value;
    },
    append(more: Values): void {
      reserve(more.length);
      values.set(more, length);
      length += more.length;
    },
    trimmed: () => values.subarray(0, length),
  };

  function reserve(count: number): void {
    if (length + count <= values.length) return;
    // By half and not by two: at a hundred thousand chunks it is megabytes that nobody uses.
    const larger = make(Math.max(64, length + count, Math.ceil(values.length * 1.5)));
    larger.set(values);
    values = larger;
  }
}

/** The last place whose value is not above `value`; 0 where all are. */
function placeOf(values: Uint32Array | Float64Array, length: number, value: number): number {
  let low = 0;
  let high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((values[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
