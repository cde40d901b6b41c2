import { keys4, nextKeys4 } from './dot';
import { mask, present, rowsOut, scoresOut } from './memory';
import { limit, offer, size, worst } from './pool';
import { score } from './rows';

/** Compares every row from `first` to `last` that the mask allows and keeps the best in the pool. */
export function scanRows(first: u32, last: u32): void {
  let waiting: u32 = 0;
  let a: u32 = 0;
  let b: u32 = 0;
  let c: u32 = 0;
  for (let start = first & ~31; start < last; start += 32) {
    let bits = load<u32>(mask + start / 8);
    if (start < first) bits &= <u32>-1 << (first - start);
    if (last - start < 32) bits &= (<u32>1 << (last - start)) - 1;
    if (bits === 0xffffffff) {
      for (let row = start; row < start + 32; row += 4) {
        const keys = nextKeys4(row);
        // Equal keys count as well: they have to be known of, or ids could not decide between them.
        if (size < limit || v128.any_true(f32x4.ge(keys, f32x4.splat(worst)))) offer4(keys, row, row + 1, row + 2, row + 3, 4);
      }
      continue;
    }
    // Rows that lie apart wait until they are four.
    while (bits !== 0) {
      const row = start + ctz(bits);
      bits &= bits - 1;
      if (waiting === 3) {
        waiting = 0;
        offer4(keys4(a, b, c, row), a, b, c, row, 4);
      } else {
        if (waiting === 0) a = row;
        else if (waiting === 1) b = row;
        else c = row;
        waiting++;
      }
    }
  }
  if (waiting > 0) {
    if (waiting < 2) b = a;
    if (waiting < 3) c = b;
    offer4(keys4(a, b, c, c), a, b, c, c, waiting);
  }
}

/** Writes the allowed rows from `first` to `last` whose key is the given one, and their exact scores, likewise. */
export function rowsWithKey(first: u32, last: u32, key: f32): u32 {
  let count: u32 = 0;
  for (let row = first; row < last; row++) {
    if (!isAllowed(row)) continue;
    if (f32x4.extract_lane(keys4(row, row, row, row), 0) !== key) continue;
    store<u32>(rowsOut + count * 4, row);
    store<f32>(scoresOut + count * 4, score(row));
    count++;
  }
  return count;
}

/** Writes the allowed rows from `first` to `last`, and their exact scores, to `rowsOut` and `scoresOut`, and tells how many they are. */
export function scoreRows(first: u32, last: u32): u32 {
  let count: u32 = 0;
  for (let row = first; row < last; row++) {
    if (!isAllowed(row)) continue;
    store<u32>(rowsOut + count * 4, row);
    store<f32>(scoresOut + count * 4, score(row));
    count++;
  }
  return count;
}

/** Keeps those bits of the mask, from `first` (a multiple of 32) to `last`, that are live rows with a vector; tells how many they are. */
export function intersectMask(first: u32, last: u32): u32 {
  let count: u32 = 0;
  for (let at = first; at < last; at += 32) {
    let bits = load<u32>(mask + at / 8) & load<u32>(present + at / 8);
    if (last - at < 32) bits &= (<u32>1 << (last - at)) - 1;
    store<u32>(mask + at / 8, bits);
    count += popcnt(bits);
  }
  return count;
}

// @ts-ignore: decorators are the compiler's
@inline
export function isAllowed(row: u32): bool {
  return ((load<u8>(mask + (row >> 3)) >> <u8>(row & 7)) & 1) !== 0;
}

function offer4(keys: v128, a: u32, b: u32, c: u32, d: u32, count: u32): void {
  offer(f32x4.extract_lane(keys, 0), a);
  if (count > 1) offer(f32x4.extract_lane(keys, 1), b);
  if (count > 2) offer(f32x4.extract_lane(keys, 2), c);
  if (count > 3) offer(f32x4.extract_lane(keys, 3), d);
}
