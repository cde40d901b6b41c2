import { byDistance, codes, dimensions, norms, queryBytes, queryFloats, queryWords, scales, stride } from './memory';

/** What turns the sum of a dot product of codes into a key; see `keys4`. */
export let querySum: i32 = 0;
export let queryScale: f32 = 0;
export let queryNorm: f32 = 0;

/** Takes the query from `queryFloats`: signed bytes over its own range. */
export function prepareQuery(): void {
  let most: f32 = 0;
  let norm: f32 = 0;
  for (let index: u32 = 0; index < dimensions; index++) {
    const value = load<f32>(queryFloats + index * 4);
    most = max(most, abs(value));
    norm += value * value;
  }
  const step: f32 = most / 127;
  let sum: i32 = 0;
  for (let index: u32 = 0; index < stride; index++) {
    const value = index < dimensions && step > 0 ? <i32>nearest(load<f32>(queryFloats + index * 4) / step) : 0;
    sum += value;
    store<i8>(queryBytes + index, <i8>value);
    store<i16>(queryWords + index * 2, <i16>value);
  }
  setQuery(step, sum, norm);
}

/** Takes a row as the query, by its first code. */
export function prepareRow(row: u32): void {
  const from = codes + <usize>row * stride;
  const bias = i8x16.splat(64);
  const ones = i16x8.splat(1);
  let sums = i32x4.splat(0);
  for (let at: usize = 0; at < stride; at += 16) {
    const bytes = i8x16.sub(v128.load(from + at), bias);
    const low = i16x8.extend_low_i8x16_s(bytes);
    const high = i16x8.extend_high_i8x16_s(bytes);
    if (ASC_FEATURE_RELAXED_SIMD) {
      v128.store(queryBytes + at, bytes);
    } else {
      v128.store(queryWords + at * 2, low);
      v128.store(queryWords + at * 2, high, 16);
    }
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.add(low, high), ones));
  }
  const sum =
    i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  setQuery(load<f32>(scales + row * 4), sum, byDistance ? load<f32>(norms + row * 4) : 0);
}

function setQuery(step: f32, sum: i32, norm: f32): void {
  queryScale = byDistance ? 2 * step : step;
  querySum = 64 * sum;
  queryNorm = byDistance ? norm : 0;
}
