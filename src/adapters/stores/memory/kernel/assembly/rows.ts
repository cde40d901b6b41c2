import { byDistance, codes, dimensions, keepsFloats, norms, queryFloats, scales, seconds, stride } from './memory';

/**
 * Takes the vector in `queryFloats` as a row. Each row has a step of its own, its largest number over 63: it uses all of its 7 bits, whatever
 * comes before or after it, and equal vectors have equal codes everywhere.
 */
export function encode(row: u32): void {
  let most: f32 = 0;
  let norm: f32 = 0;
  for (let index: u32 = 0; index < dimensions; index++) {
    const value = load<f32>(queryFloats + index * 4);
    most = max(most, abs(value));
    norm += value * value;
  }
  const step: f32 = most / 63;
  const code = codes + <usize>row * stride;
  const second = seconds + <usize>row * (keepsFloats ? stride * 4 : stride);
  for (let index: u32 = 0; index < dimensions; index++) {
    const value = load<f32>(queryFloats + index * 4);
    const steps: f32 = step > 0 ? value / step : 0;
    const whole = min(max(nearest(steps), -63), 63);
    store<u8>(code + index, <u8>(<i32>whole + 64));
    if (keepsFloats) store<f32>(second + index * 4, value);
    else store<i8>(second + index, <i8>min(max(nearest((steps - whole) * 256), -128), 127));
  }
  for (let index = dimensions; index < stride; index++) store<u8>(code + index, 64);
  store<f32>(scales + row * 4, step);
  if (byDistance) store<f32>(norms + row * 4, norm);
}

/** The row against the query in `queryFloats` by all that is known of it: the dot product, or the squared distance. */
export function score(row: u32): f32 {
  return keepsFloats ? scoreFloats(row) : scoreCodes(row);
}

function scoreFloats(row: u32): f32 {
  const second = seconds + <usize>row * stride * 4;
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (let at: usize = 0; at < stride * 4; at += 32) {
    even = addTerm(even, v128.load(queryFloats + at), v128.load(second + at));
    odd = addTerm(odd, v128.load(queryFloats + at, 16), v128.load(second + at, 16));
  }
  return total(f32x4.add(even, odd));
}

function scoreCodes(row: u32): f32 {
  const code = codes + <usize>row * stride;
  const second = seconds + <usize>row * stride;
  const step = f32x4.splat(load<f32>(scales + row * 4) / 256);
  const bias = i16x8.splat(64 << 8);
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 8) {
    const whole = i16x8.sub(i16x8.shl(v128.load_ext<u8>(code + at), 8), bias);
    const both = i16x8.add(whole, v128.load_ext<i8>(second + at));
    even = addTerm(even, v128.load(queryFloats + at * 4), f32x4.mul(step, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(both))));
    odd = addTerm(odd, v128.load(queryFloats + at * 4, 16), f32x4.mul(step, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(both))));
  }
  return total(f32x4.add(even, odd));
}

// @ts-ignore: decorators are the compiler's
@inline
function addTerm(sum: v128, query: v128, value: v128): v128 {
  if (!byDistance) return f32x4.add(sum, f32x4.mul(query, value));
  const difference = f32x4.sub(query, value);
  return f32x4.add(sum, f32x4.mul(difference, difference));
}

// @ts-ignore: decorators are the compiler's
@inline
function total(sums: v128): f32 {
  return (
    f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3))
  );
}
