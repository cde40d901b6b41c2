/** Postings that share one bound. */
export const BOUND_SPAN = 128;
/** A frequency that doesn't fit its byte; the part knows the number itself. */
export const FREQUENT = 255;
const LONGEST = 0xffffff;

/**
 * Where a word occurs in one part of the keyword index. A posting is one number: the ordinal, counted from the part's first, times 256,
 * plus how often the word occurs there (`FREQUENT`: that often or more).
 */
export interface PostingList {
  /** By ascending ordinal. */
  readonly postings: Uint32Array;
  /** For each `BOUND_SPAN` postings what no chunk among them surpasses: the least length times 256, plus the greatest frequency. */
  readonly bounds: Uint32Array;
}

/** The bounds of a list. */
export function boundsOf(postings: Uint32Array, from: number, lengths: Uint32Array): Uint32Array {
  const bounds = new Uint32Array(Math.ceil(postings.length / BOUND_SPAN));
  for (let block = 0; block < bounds.length; block++) {
    const end = Math.min(postings.length, (block + 1) * BOUND_SPAN);
    let shortest = LONGEST;
    let greatest = 0;
    for (let at = block * BOUND_SPAN; at < end; at++) {
      const posting = postings[at] ?? 0;
      const length = lengths[from + (posting >>> 8)] ?? 0;
      if (length < shortest) shortest = length;
      if ((posting & 255) > greatest) greatest = posting & 255;
    }
    bounds[block] = shortest * 256 + greatest;
  }
  return bounds;
}

/** The place of the first posting at `start` or behind whose ordinal is not below `ordinal`: strides that double, then halving. */
export function seek(postings: Uint32Array, start: number, ordinal: number): number {
  const target = ordinal * 256;
  if (start >= postings.length || (postings[start] ?? 0) >= target) return start;
  let low = start;
  let stride = 1;
  while (low + stride < postings.length && (postings[low + stride] ?? 0) < target) {
    low += stride;
    stride *= 2;
  }
  let high = Math.min(postings.length, low + stride);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((postings[middle] ?? 0) < target) low = middle;
    else high = middle;
  }
  return high;
}
