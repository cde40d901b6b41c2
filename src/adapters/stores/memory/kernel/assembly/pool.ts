import { pool } from './memory';

/** The best rows of a search, best first: (float32 key, uint32 row), the row's highest bit telling that the search has gone on from it. */
export const EXPANDED: u32 = 0x80000000;

export let size: u32 = 0;
export let limit: u32 = 0;
/** The key that a row must pass once the pool is full; minus infinity before. */
export let worst: f32 = -Infinity;
/** Rows that were left out though their key was as high as that of the worst one kept. */
export let tiesLeft: u32 = 0;

export function reset(newLimit: u32): void {
  size = 0;
  limit = newLimit;
  worst = -Infinity;
  tiesLeft = 0;
}

// @ts-ignore: decorators are the compiler's
@inline
export function keyAt(place: u32): f32 {
  return load<f32>(pool + place * 8);
}

// @ts-ignore: decorators are the compiler's
@inline
export function entryAt(place: u32): u32 {
  return load<u32>(pool + place * 8, 4);
}

// @ts-ignore: decorators are the compiler's
@inline
export function rowAt(place: u32): u32 {
  return entryAt(place) & ~EXPANDED;
}

export function markExpanded(place: u32): void {
  store<u32>(pool + place * 8, entryAt(place) | EXPANDED, 4);
}

/**
 * Puts a row in its place, behind those with the same key. To be called only where the pool isn't full or `key > worst`.
 * @returns the place
 */
export function insert(key: f32, row: u32): u32 {
  let low: u32 = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyAt(middle) >= key) low = middle + 1;
    else high = middle;
  }
  if (size === limit) {
    if (size > 1 && keyAt(size - 2) === keyAt(size - 1) && key > worst) tiesLeft++;
    else tiesLeft = 0;
  } else {
    size++;
  }
  const target = pool + low * 8;
  let at = pool + (size - 1) * 8;
  while (at > target) {
    store<u64>(at, load<u64>(at - 8));
    at -= 8;
  }
  store<f32>(target, key);
  store<u32>(target, row, 4);
  if (size === limit) worst = keyAt(size - 1);
  return low;
}

/** A row that may or may not be good enough. */
// @ts-ignore: decorators are the compiler's
@inline
export function offer(key: f32, row: u32): void {
  if (size < limit || key > worst) insert(key, row);
  else if (key === worst) tiesLeft++;
}
