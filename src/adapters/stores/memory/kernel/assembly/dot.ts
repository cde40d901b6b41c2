import { byDistance, codes, norms, queryBytes, queryWords, scales, stride } from './memory';
import { queryNorm, queryScale, querySum } from './query';

/**
 * Keys of four rows against the query, higher is nearer: the dot product, or minus the squared distance. All of it is made of whole
 * numbers but for the last steps, which are plain float32: both builds give the same bits.
 */
// @ts-ignore: decorators are the compiler's
@inline
export function keys4(first: u32, second: u32, third: u32, fourth: u32): v128 {
  const sums = dot4(
    codes + <usize>first * stride,
    codes + <usize>second * stride,
    codes + <usize>third * stride,
    codes + <usize>fourth * stride,
  );
  return keysOf(sums, gather(scales, first, second, third, fourth), byDistance ? gather(norms, first, second, third, fourth) : f32x4.splat(0));
}

/** The same for four rows that follow each other. */
// @ts-ignore: decorators are the compiler's
@inline
export function nextKeys4(row: u32): v128 {
  const start = codes + <usize>row * stride;
  const sums = dot4(start, start + stride, start + 2 * stride, start + 3 * stride);
  return keysOf(sums, v128.load(scales + row * 4), byDistance ? v128.load(norms + row * 4) : f32x4.splat(0));
}

// @ts-ignore: decorators are the compiler's
@inline
function keysOf(sums: v128, steps: v128, lengths: v128): v128 {
  const products = f32x4.convert_i32x4_s(i32x4.sub(sums, i32x4.splat(querySum)));
  const keys = f32x4.mul(f32x4.mul(products, steps), f32x4.splat(queryScale));
  return byDistance ? f32x4.sub(f32x4.sub(keys, lengths), f32x4.splat(queryNorm)) : keys;
}

// @ts-ignore: decorators are the compiler's
@inline
function gather(array: usize, first: u32, second: u32, third: u32, fourth: u32): v128 {
  let lanes = v128.load32_zero(array + first * 4);
  lanes = v128.load_lane<f32>(array + second * 4, lanes, 1);
  lanes = v128.load_lane<f32>(array + third * 4, lanes, 2);
  return v128.load_lane<f32>(array + fourth * 4, lanes, 3);
}

/**
 * Sums of signed query bytes times 7-bit codes, of four rows at once so that their additions don't wait for each other. The relaxed
 * instruction may take its second operand as signed or unsigned and may saturate pairs at 16 bits; with 7 bits there it does neither.
 */
// @ts-ignore: decorators are the compiler's
@inline
function dot4(first: usize, second: usize, third: usize, fourth: usize): v128 {
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  const size = <usize>stride;
  if (ASC_FEATURE_RELAXED_SIMD) {
    const query = queryBytes;
    for (let at: usize = 0; at < size; at += 16) {
      const bytes = v128.load(query + at);
      a = i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, v128.load(first + at), a);
      b = i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, v128.load(second + at), b);
      c = i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, v128.load(third + at), c);
      d = i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, v128.load(fourth + at), d);
    }
  } else {
    const query = queryWords;
    for (let at: usize = 0; at < size; at += 16) {
      const low = v128.load(query + at * 2);
      const high = v128.load(query + at * 2, 16);
      a = addDot(a, low, high, v128.load(first + at));
      b = addDot(b, low, high, v128.load(second + at));
      c = addDot(c, low, high, v128.load(third + at));
      d = addDot(d, low, high, v128.load(fourth + at));
    }
  }
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

// @ts-ignore: decorators are the compiler's
@inline
function addDot(sum: v128, low: v128, high: v128, bytes: v128): v128 {
  const added = i32x4.add(sum, i32x4.dot_i16x8_s(low, i16x8.extend_low_i8x16_u(bytes)));
  return i32x4.add(added, i32x4.dot_i16x8_s(high, i16x8.extend_high_i8x16_u(bytes)));
}
