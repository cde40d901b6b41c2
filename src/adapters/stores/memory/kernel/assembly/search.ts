import { keys4 } from './dot';
import { BOTTOM_LINKS, capacity, frontier, links, scratch, twins, UPPER_LINKS, upperLists, uppers, visits } from './memory';
import { EXPANDED, entryAt, insert, limit, markExpanded, offer, reset, size, worst } from './pool';
import { isAllowed } from './scan';

/** Row to begin from, plus one; 0 while the graph is empty. */
export let entry: u32 = 0;
export let entryLevel: u32 = 0;
/** Rows looked at by the last search: what it cost. */
export let seen: u32 = 0;

let generation: u32 = 0;

export function setEntry(row: u32, level: u32): void {
  entry = row + 1;
  entryLevel = level;
}

export function clearEntry(): void {
  entry = 0;
  entryLevel = 0;
}

/** A row's list of links at a level: `BOTTOM_LINKS` numbers at 0, `UPPER_LINKS` above. */
export function listOf(row: u32, level: u32): usize {
  if (level === 0) return links + <usize>row * BOTTOM_LINKS * 4;
  return upperLists + <usize>(load<u32>(uppers + row * 4) - 1 + level - 1) * UPPER_LINKS * 4;
}

// @ts-ignore: decorators are the compiler's
@inline
export function longest(level: u32): u32 {
  return level === 0 ? BOTTOM_LINKS : UPPER_LINKS;
}

/** The nearest row of a level that is reached from `start` by always going to the nearest neighbour. */
export function descend(level: u32): u32 {
  let row = entry - 1;
  let key = keyOf(row);
  for (let at = entryLevel; at > level; at--) {
    for (let moved = true; moved; ) {
      moved = false;
      const count = gatherAll(row, at);
      for (let index: u32 = 0; index < count; index += 4) {
        const keys = freshKeys(index);
        for (let lane: u32 = 0; lane < 4; lane++) {
          const one = laneOf(keys, lane);
          if (one > key) {
            key = one;
            row = load<u32>(scratch + (index + lane) * 4);
            moved = true;
          }
        }
      }
    }
  }
  return row;
}

/** Fills the pool with the `ef` best rows of a level that are found from `start`. */
export function searchLevel(start: u32, level: u32, ef: u32): void {
  reset(ef);
  nextGeneration();
  visit(start);
  insert(keyOf(start), start);
  seen = 1;
  let cursor: u32 = 0;
  while (cursor < size) {
    const found = entryAt(cursor);
    if ((found & EXPANDED) !== 0) {
      cursor++;
      continue;
    }
    markExpanded(cursor);
    const count = gatherFresh(found, level);
    seen += count;
    for (let index: u32 = 0; index < count; index += 4) {
      const keys = freshKeys(index);
      if (size === limit && !v128.any_true(f32x4.gt(keys, f32x4.splat(worst)))) continue;
      const lanes = min<u32>(4, count - index);
      for (let lane: u32 = 0; lane < lanes; lane++) {
        const key = laneOf(keys, lane);
        if (size < limit || key > worst) {
          const place = insert(key, load<u32>(scratch + (index + lane) * 4));
          if (place < cursor) cursor = place;
        }
      }
    }
  }
}

/**
 * The same at the bottom, for rows under the mask: the pool takes only these, while the way may lead over all. Ends without an answer when
 * more than `budget` rows were looked at: then looking at each allowed row is cheaper, and sure.
 * @returns false when it gave up
 */
export function searchMasked(start: u32, ef: u32, budget: u32): bool {
  reset(ef);
  nextGeneration();
  visit(start);
  frontierSize = 0;
  const first = keyOf(start);
  push(first, start);
  if (chainAllowed(start)) offer(first, start);
  seen = 1;
  while (frontierSize > 0) {
    const key = load<f32>(frontier);
    if (size === limit && key < worst) break;
    const row = load<u32>(frontier, 4);
    pop();
    const count = gatherFresh(row, 0);
    seen += count;
    if (seen > budget) return false;
    for (let index: u32 = 0; index < count; index += 4) {
      const keys = freshKeys(index);
      const lanes = min<u32>(4, count - index);
      for (let lane: u32 = 0; lane < lanes; lane++) {
        const one = laneOf(keys, lane);
        if (size === limit && one <= worst) continue;
        const other = load<u32>(scratch + (index + lane) * 4);
        push(one, other);
        if (chainAllowed(other)) offer(one, other);
      }
    }
  }
  return true;
}

/** True when the row, or one with the same code, may be found. */
export function chainAllowed(row: u32): bool {
  if (isAllowed(row)) return true;
  for (let next = load<u32>(twins + row * 4); next !== 0; next = load<u32>(twins + (next - 1) * 4)) {
    if (isAllowed(next - 1)) return true;
  }
  return false;
}

export function keyOf(row: u32): f32 {
  return f32x4.extract_lane(keys4(row, row, row, row), 0);
}

/** Keys of four rows of `scratch`. */
// @ts-ignore: decorators are the compiler's
@inline
export function freshKeys(index: u32): v128 {
  const at = scratch + index * 4;
  return keys4(load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
}

// @ts-ignore: decorators are the compiler's
@inline
export function laneOf(keys: v128, lane: u32): f32 {
  if (lane === 0) return f32x4.extract_lane(keys, 0);
  if (lane === 1) return f32x4.extract_lane(keys, 1);
  if (lane === 2) return f32x4.extract_lane(keys, 2);
  return f32x4.extract_lane(keys, 3);
}

/** Puts the neighbours that this search hasn't seen into `scratch`, filled up to a multiple of four. */
// @ts-ignore: decorators are the compiler's
@inline
function gatherFresh(row: u32, level: u32): u32 {
  const list = listOf(row, level);
  const most = longest(level);
  let count: u32 = 0;
  for (let index: u32 = 0; index < most; index++) {
    const link = load<u32>(list + index * 4);
    if (link === 0) break;
    const neighbour = link - 1;
    const at = visits + neighbour * 2;
    if (load<u16>(at) === <u16>generation) continue;
    store<u16>(at, <u16>generation);
    store<u32>(scratch + count * 4, neighbour);
    count++;
  }
  fillUp(count);
  return count;
}

/** Puts all neighbours into `scratch`, filled up to a multiple of four. */
export function gatherAll(row: u32, level: u32): u32 {
  const list = listOf(row, level);
  const most = longest(level);
  let count: u32 = 0;
  for (; count < most; count++) {
    const link = load<u32>(list + count * 4);
    if (link === 0) break;
    store<u32>(scratch + count * 4, link - 1);
  }
  fillUp(count);
  return count;
}

/** Repeats the last row until their number is a multiple of four. */
// @ts-ignore: decorators are the compiler's
@inline
export function fillUp(count: u32): void {
  if (count === 0) return;
  const last = load<u32>(scratch + (count - 1) * 4);
  for (let index = count; (index & 3) !== 0; index++) store<u32>(scratch + index * 4, last);
}

// @ts-ignore: decorators are the compiler's
@inline
function visit(row: u32): void {
  store<u16>(visits + row * 2, <u16>generation);
}

/** Another number for the next search; after 65,535 of them all are wiped. */
function nextGeneration(): void {
  generation++;
  if (generation > 0xffff) {
    memory.fill(visits, 0, <usize>capacity * 2);
    generation = 1;
  }
}

let frontierSize: u32 = 0;

/** Binary heap, highest key first. */
function push(key: f32, row: u32): void {
  let at = frontierSize++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = frontier + parent * 8;
    if (load<f32>(above) >= key) break;
    store<u64>(frontier + at * 8, load<u64>(above));
    at = parent;
  }
  store<f32>(frontier + at * 8, key);
  store<u32>(frontier + at * 8, row, 4);
}

function pop(): void {
  frontierSize--;
  const moved = load<u64>(frontier + frontierSize * 8);
  const key = load<f32>(frontier + frontierSize * 8);
  let at: u32 = 0;
  for (;;) {
    let child: u32 = 2 * at + 1;
    if (child >= frontierSize) break;
    if (child + 1 < frontierSize && load<f32>(frontier + (child + 1) * 8) > load<f32>(frontier + child * 8)) child++;
    if (load<f32>(frontier + child * 8) <= key) break;
    store<u64>(frontier + at * 8, load<u64>(frontier + child * 8));
    at = child;
  }
  store<u64>(frontier + at * 8, moved);
}
