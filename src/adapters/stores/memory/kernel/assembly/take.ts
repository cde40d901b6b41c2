import { keepsFloats, rowsOut, scoresOut, seconds, stride, twins } from './memory';
import { keyAt, rowAt, size } from './pool';
import { score } from './rows';
import { isAllowed } from './scan';

/** Writes the rows of the pool whose key is above the given one, and their exact scores, to `rowsOut` and `scoresOut`; tells how many. */
export function takeAbove(key: f32): u32 {
  let count = size;
  while (count > 0 && keyAt(count - 1) <= key) count--;
  warm(count);
  for (let place: u32 = 0; place < count; place++) put(place, rowAt(place));
  return count;
}

/**
 * The same for the whole pool, after a search of the graph: for each row those with the same code too, as far as they are allowed. Ends when
 * `enough` have come, but never between equal keys.
 * @param most how many rows there is room for
 * @returns their number; more than `most` when there was no room for all
 */
export function takeChains(enough: u32, most: u32): u32 {
  warm(min(size, enough));
  let count: u32 = 0;
  for (let place: u32 = 0; place < size; place++) {
    if (count >= enough && keyAt(place) < keyAt(place - 1)) break;
    for (let at = rowAt(place) + 1; at !== 0; at = load<u32>(twins + (at - 1) * 4)) {
      if (!isAllowed(at - 1)) continue;
      if (count === most) return most + 1;
      put(count, at - 1);
      count++;
    }
  }
  return count;
}

/** What `warm` has read: kept, or the compiler would leave the reading out. */
let warmed: u32 = 0;

/**
 * Reads a byte of each cache line of the second codes that are wanted next. These lie far apart, and the processor waits for them all at once
 * here, where scoring them would wait for one after the other.
 */
function warm(count: u32): void {
  const bytes: usize = keepsFloats ? stride * 4 : stride;
  let sum: u32 = 0;
  for (let place: u32 = 0; place < count; place++) {
    const second = seconds + <usize>rowAt(place) * bytes;
    for (let at: usize = 0; at < bytes; at += 64) sum += load<u8>(second + at);
  }
  warmed = sum;
}

// @ts-ignore: decorators are the compiler's
@inline
function put(place: u32, row: u32): void {
  store<u32>(rowsOut + place * 4, row);
  store<f32>(scoresOut + place * 4, score(row));
}
