/**
 * Where everything lies. One instance of the kernel serves one index and has a memory of its own, cut into arrays by `layout()`:
 * places are made for `capacity` rows, and what isn't touched costs no memory. Fresh memory is zero, so zero has to mean "nothing":
 * links and chains hold a row's number plus one.
 */

/** Links of a row at the bottom of the graph, and above it. */
export const BOTTOM_LINKS: u32 = 32;
export const UPPER_LINKS: u32 = 16;
/** Levels of the graph at most: sixteen times as many rows for each. */
export const MOST_LEVELS: u32 = 8;

/** Numbers of a vector, and the same rounded up to the sixteen that one instruction takes. */
export let dimensions: u32 = 0;
export let stride: u32 = 0;
export let capacity: u32 = 0;
/** 1 where the squared distance decides, 0 where the dot product does. */
export let byDistance: bool = false;
/** 1 where the second code is the vector itself in float32, 0 where it is the residual of the first. */
export let keepsFloats: bool = false;

/** First codes, `stride` bytes a row: 64 + round(value / scale), from 1 to 127; 64 behind the last dimension. */
export let codes: usize = 0;
/** Second codes: a signed byte a number, 1/256 of the first's step; or float32 vectors. */
export let seconds: usize = 0;
/** float32 a row: the step of its codes. */
export let scales: usize = 0;
/** float32 a row: squared length where `byDistance`, else zero. */
export let norms: usize = 0;
/** uint32 × BOTTOM_LINKS a row, ended by 0 when not full. */
export let links: usize = 0;
/** uint32 a row: where its lists above the bottom begin, counted in lists, from 1. */
export let uppers: usize = 0;
/** uint32 × UPPER_LINKS a list. */
export let upperLists: usize = 0;
/** uint32 a row: the next row with the same first code. Only the first of such a chain stands in the graph. */
export let twins: usize = 0;
/** uint16 a row: the number of the search that saw it last. */
export let visits: usize = 0;
/** A bit a row: it may be found. */
export let mask: usize = 0;
/** A bit a row: it has a vector and is alive. */
export let present: usize = 0;
/** A byte a row: the level at which it stands in the graph, from 1; 0 when it doesn't. */
export let levels: usize = 0;

/** The query: as float32, as signed bytes, and as int16 for the build without relaxed SIMD. */
export let queryFloats: usize = 0;
export let queryBytes: usize = 0;
export let queryWords: usize = 0;
/** The pool of a search: (float32 key, uint32 row) a place, best first. */
export let pool: usize = 0;
/** Heap of rows to go on from, for searches under a mask: (float32 key, uint32 row), as many as there are rows. */
export let frontier: usize = 0;
/** Small arrays of the graph's building. */
export let scratch: usize = 0;
/** Rows that go to the caller, and their scores. */
export let rowsOut: usize = 0;
export let scoresOut: usize = 0;

let end: usize = 0;

/**
 * Cuts the memory. The caller has made it large enough: `memoryNeeded` is the answer of the same cut over no memory at all.
 * @returns the bytes that are needed
 */
export function layout(newDimensions: u32, newCapacity: u32, newByDistance: bool, newKeepsFloats: bool, mostPool: u32): usize {
  dimensions = newDimensions;
  stride = (newDimensions + 15) & ~15;
  capacity = newCapacity;
  byDistance = newByDistance;
  keepsFloats = newKeepsFloats;
  end = 64;
  queryFloats = take(stride * 4);
  queryBytes = take(stride);
  queryWords = take(stride * 2);
  scratch = take(4096);
  pool = take((mostPool + 2) * 8);
  rowsOut = take(mostPool * 4);
  scoresOut = take(mostPool * 4);
  mask = take(capacity / 8 + 64);
  present = take(capacity / 8 + 64);
  levels = take(capacity);
  scales = take(capacity * 4);
  norms = take(byDistance ? <usize>capacity * 4 : 0);
  visits = take(capacity * 2);
  twins = take(capacity * 4);
  uppers = take(capacity * 4);
  upperLists = take((capacity / 8 + 64) * UPPER_LINKS * 4);
  links = take(capacity * BOTTOM_LINKS * 4);
  codes = take(capacity * stride);
  seconds = take(capacity * (keepsFloats ? stride * 4 : stride));
  frontier = take(capacity * 8);
  return end;
}

/** The next `bytes`, from a new cache line on. */
function take(bytes: usize): usize {
  const start = end;
  end = (end + bytes + 63) & ~63;
  return start;
}
