import { keys4 } from './dot';
import { codes, frontier, levels, MOST_LEVELS, present, scales, scratch, stride, twins, UPPER_LINKS, uppers } from './memory';
import { insert, keyAt, offer, reset, rowAt, size } from './pool';
import { prepareRow } from './query';
import {
  clearEntry,
  descend,
  entry,
  entryLevel,
  fillUp,
  freshKeys,
  gatherAll,
  keyOf,
  laneOf,
  listOf,
  longest,
  searchLevel,
  setEntry,
} from './search';

/** Lists above the bottom that are in use. */
export let listCount: u32 = 0;

/** Behind the rows that `search.ts` gathers: what a row is to be linked with, UPPER_LINKS a level. */
const CHOSEN: usize = 512;

export function setListCount(count: u32): void {
  listCount = count;
}

/** Puts a row into the graph; `ef` is how many near ones are looked at to choose links from. */
export function link(row: u32, ef: u32): void {
  const level = levelOf(row);
  if (entry === 0) {
    stand(row, level);
    setEntry(row, level);
    return;
  }
  prepareRow(row);
  let start = descend(level);
  // Everything is chosen before anything is linked: a twin may come to light only at the bottom.
  for (let at = <i32>min(level, entryLevel); at >= 0; at--) {
    searchLevel(start, at, ef);
    start = rowAt(0);
    if (isTwin(row, start)) {
      store<u32>(twins + row * 4, load<u32>(twins + start * 4));
      store<u32>(twins + start * 4, row + 1);
      return;
    }
    choose(scratch + CHOSEN + at * UPPER_LINKS * 4, UPPER_LINKS);
    prepareRow(row);
  }
  stand(row, level);
  for (let at: u32 = 0; at <= min(level, entryLevel); at++) {
    const chosen = scratch + CHOSEN + at * UPPER_LINKS * 4;
    memory.copy(listOf(row, at), chosen, UPPER_LINKS * 4);
    for (let index: u32 = 0; index < UPPER_LINKS; index++) {
      const link = load<u32>(chosen + index * 4);
      if (link === 0) break;
      linkBack(link - 1, row, at);
    }
  }
  if (level > entryLevel) setEntry(row, level);
}

/** Each level holds a sixteenth of the one below; which rows these are depends on their numbers alone, so a build can be repeated. */
function levelOf(row: u32): u32 {
  let hash = row + 0x9e3779b9;
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
  return min(ctz(hash ^ (hash >>> 16)) / 4, MOST_LEVELS - 1);
}

function stand(row: u32, level: u32): void {
  store<u8>(levels + row, <u8>(level + 1));
  if (level === 0) return;
  store<u32>(uppers + row * 4, listCount + 1);
  listCount += level;
}

function isTwin(row: u32, other: u32): bool {
  if (load<f32>(scales + row * 4) !== load<f32>(scales + other * 4)) return false;
  return memory.compare(codes + <usize>row * stride, codes + <usize>other * stride, stride) === 0;
}

/** Links `row` into the list of `owner`; when that is full, those are chosen anew that lead into different directions. */
function linkBack(owner: u32, row: u32, level: u32): void {
  const most = longest(level);
  const count = gatherAll(owner, level);
  if (count < most) {
    store<u32>(listOf(owner, level) + count * 4, row + 1);
    return;
  }
  prepareRow(owner);
  store<u32>(scratch + count * 4, row);
  poolScratch(count + 1);
  choose(listOf(owner, level), most);
}

/** Fills the pool with the first `count` rows of `scratch`. */
function poolScratch(count: u32): void {
  fillUp(count);
  reset(count);
  for (let index: u32 = 0; index < count; index += 4) {
    const keys = freshKeys(index);
    for (let lane: u32 = 0; lane < min<u32>(4, count - index); lane++)
      insert(laneOf(keys, lane), load<u32>(scratch + (index + lane) * 4));
  }
}

/**
 * Of the rows in the pool, nearest first, takes those that are nearer to the query than to any taken before, so that links lead into
 * different directions. Leaves another query behind.
 * @param list where the links go; it is ended by 0 if not full
 */
function choose(list: usize, most: u32): void {
  let count: u32 = 0;
  for (let place: u32 = 0; place < size && count < most; place++) {
    const row = rowAt(place);
    if (count === 0 || isApart(row, keyAt(place), list, count)) {
      store<u32>(list + count * 4, row + 1);
      count++;
    }
  }
  if (count < most) store<u32>(list + count * 4, 0);
}

function isApart(row: u32, key: f32, list: usize, count: u32): bool {
  prepareRow(row);
  const bound = f32x4.splat(key);
  for (let index: u32 = 0; index < count; index += 4) {
    const last = count - 1;
    const keys = keys4(
      load<u32>(list + index * 4) - 1,
      load<u32>(list + min(index + 1, last) * 4) - 1,
      load<u32>(list + min(index + 2, last) * 4) - 1,
      load<u32>(list + min(index + 3, last) * 4) - 1,
    );
    if (v128.any_true(f32x4.ge(keys, bound))) return false;
  }
  return true;
}

/**
 * Leads the links of the rows from `first` to `last` around those that are no longer present: a row gets what its lost neighbours were
 * linked with. When all rows are done, `bury` takes the lost ones out.
 */
export function repair(first: u32, last: u32, ef: u32): void {
  for (let row = first; row < last; row++) {
    const standing = load<u8>(levels + row);
    if (standing === 0 || !chainPresent(row)) continue;
    for (let level: u32 = 0; level < standing; level++) {
      const lost = heirsOf(row, level);
      if (lost) relink(row, level, ef);
    }
  }
}

/** Takes the rows from `first` to `last` that are no longer present out of the graph, and out of the chains of those that are. */
export function bury(first: u32, last: u32): void {
  for (let row = first; row < last; row++) {
    if (load<u8>(levels + row) === 0) continue;
    if (chainPresent(row)) {
      dropTwins(row);
    } else {
      store<u8>(levels + row, 0);
      store<u32>(listOf(row, 0), 0);
      store<u32>(twins + row * 4, 0);
    }
  }
}

function dropTwins(row: u32): void {
  for (let before = row; ; ) {
    const next = load<u32>(twins + before * 4);
    if (next === 0) return;
    if (isPresent(next - 1)) {
      before = next - 1;
    } else {
      store<u32>(twins + before * 4, load<u32>(twins + (next - 1) * 4));
      store<u32>(twins + (next - 1) * 4, 0);
    }
  }
}

/** Finds a row to begin from among those that stand; needed after `bury`. */
export function chooseEntry(rows: u32): void {
  clearEntry();
  let best: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const standing = load<u8>(levels + row);
    if (standing <= best) continue;
    best = standing;
    setEntry(row, standing - 1);
  }
}

let heirs: u32 = 0;

/** Collects the neighbours that are present and the neighbours of those that aren't; false when none was lost. */
function heirsOf(row: u32, level: u32): bool {
  heirs = 0;
  let lost = false;
  const list = listOf(row, level);
  for (let index: u32 = 0; index < longest(level); index++) {
    const link = load<u32>(list + index * 4);
    if (link === 0) break;
    if (chainPresent(link - 1)) {
      addHeir(link - 1);
      continue;
    }
    lost = true;
    const further = listOf(link - 1, level);
    for (let next: u32 = 0; next < longest(level); next++) {
      const other = load<u32>(further + next * 4);
      if (other === 0) break;
      if (other - 1 !== row && chainPresent(other - 1)) addHeir(other - 1);
    }
  }
  return lost;
}

function addHeir(row: u32): void {
  for (let index: u32 = 0; index < heirs; index++) if (load<u32>(frontier + index * 4) === row) return;
  store<u32>(frontier + heirs * 4, row);
  heirs++;
}

function relink(row: u32, level: u32, ef: u32): void {
  prepareRow(row);
  reset(ef);
  for (let index: u32 = 0; index < heirs; index++) {
    const heir = load<u32>(frontier + index * 4);
    offer(keyOf(heir), heir);
  }
  choose(listOf(row, level), longest(level));
  // Links to this row went with the lost ones: each new neighbour that has a place left links back.
  for (let index: u32 = 0; index < longest(level); index++) {
    const link = load<u32>(listOf(row, level) + index * 4);
    if (link === 0) break;
    addLink(link - 1, row, level);
  }
}

function addLink(from: u32, to: u32, level: u32): void {
  const list = listOf(from, level);
  for (let index: u32 = 0; index < longest(level); index++) {
    const link = load<u32>(list + index * 4);
    if (link === to + 1) return;
    if (link !== 0) continue;
    store<u32>(list + index * 4, to + 1);
    if (index + 1 < longest(level)) store<u32>(list + (index + 1) * 4, 0);
    return;
  }
}

/** True when the row, or one with the same code, is present. */
function chainPresent(row: u32): bool {
  for (let at = row + 1; at !== 0; at = load<u32>(twins + (at - 1) * 4)) {
    if (isPresent(at - 1)) return true;
  }
  return false;
}

// @ts-ignore: decorators are the compiler's
@inline
function isPresent(row: u32): bool {
  return ((load<u8>(present + (row >> 3)) >> <u8>(row & 7)) & 1) !== 0;
}
