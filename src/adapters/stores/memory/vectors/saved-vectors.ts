import type { Metric } from '../../../../core/contracts.js';
import type { IndexBlob } from '../ordinal-index.js';
import type { Graph, GraphExtent } from './graph.js';
import { graphArrays, type RowArray, upperLists, type VectorRows, vectorArrays } from './vector-rows.js';

/** Raised with every change of what the arrays mean; what was saved under another number is made anew. */
const FORMAT = 1;
/** Rows of a blob: a multiple of 32. A full one never changes, so it is written once. */
const ROWS_A_BLOB = 8192;

interface Head extends GraphExtent {
  readonly format: number;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly count: number;
  readonly entry: number;
  readonly entryLevel: number;
  readonly lists: number;
}

/**
 * What the index needs to go on where it is. Keys: `head`, `vectors-N` and `graph-N` for N-th 8,192 rows, `graph-upper`. Which rows are
 * present is not taken over: whoever loads removes again what is dead.
 */
export function saveVectors(vectors: VectorRows, graph: Graph, metric: Metric): readonly IndexBlob[] {
  const { kernel, count } = vectors;
  const { exports, shape } = kernel;
  const { rows } = graph.extent;
  const head: Head = {
    format: FORMAT,
    dimensions: shape.dimensions,
    metric,
    count,
    ...graph.extent,
    entry: exports.entry.value,
    entryLevel: exports.entryLevel.value,
    lists: exports.listCount.value,
  };
  const text = JSON.stringify(head);
  const revision = String(graph.revision);
  return [
    { key: 'head', revision: text, bytes: () => new TextEncoder().encode(text) },
    ...ranges(count).map(([first, last], index) => ({
      key: `vectors-${index}`,
      revision: `${FORMAT}-${last - first}`,
      bytes: () => join(vectorArrays(kernel, first, last)),
    })),
    ...ranges(rows).map(([first, last], index) => ({
      key: `graph-${index}`,
      revision: `${FORMAT}-${revision}-${last - first}`,
      bytes: () => join(graphArrays(kernel, first, last)),
    })),
    ...(rows === 0
      ? []
      : [{ key: 'graph-upper', revision: `${FORMAT}-${revision}`, bytes: () => join([upperLists(kernel, head.lists)]) }]),
  ];
}

/**
 * Reads what was saved into empty rows and graph. What is missing, of other vectors or of another format leaves them empty from there on: the
 * caller adds what comes behind `vectors.count`.
 */
export function loadVectors(
  vectors: VectorRows,
  graph: Graph,
  metric: Metric,
  read: (key: string) => Uint8Array | undefined,
): void {
  const head = readHead(read('head'));
  const { dimensions } = vectors.kernel.shape;
  if (head === undefined || head.format !== FORMAT || head.dimensions !== dimensions || head.metric !== metric) return;
  // All of it, or nothing: rows are only in use once everything has been read.
  const blobs = ranges(head.count).map((_, index) => read(`vectors-${index}`));
  const graphs = ranges(head.rows).map((_, index) => read(`graph-${index}`));
  const upper = head.rows === 0 ? new Uint8Array(0) : read('graph-upper');
  if (upper === undefined || [...blobs, ...graphs].includes(undefined)) return;
  vectors.reserve(head.count);
  const { kernel } = vectors;
  for (const [index, [first, last]] of ranges(head.count).entries()) split(blobs[index], vectorArrays(kernel, first, last));
  if (head.rows === 0) return;
  for (const [index, [first, last]] of ranges(head.rows).entries()) split(graphs[index], graphArrays(kernel, first, last));
  split(upper, [upperLists(kernel, head.lists)]);
  kernel.exports.setListCount(head.lists);
  kernel.exports.setEntry(head.entry - 1, head.entryLevel);
  // A full blob may have been written before or after one of its rows died.
  const mask = kernel.bytes(kernel.exports.mask, head.rows / 8).fill(0xff);
  const alive = kernel.exports.intersectMask(0, 8 * mask.length);
  graph.adopt({ rows: head.rows, linked: head.linked, dead: head.linked - alive });
}

function readHead(bytes: Uint8Array | undefined): Head | undefined {
  // Written by `saveVectors`; whoever stores the bytes vouches for them.
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Head);
}

function ranges(rows: number): readonly (readonly [first: number, last: number])[] {
  return Array.from({ length: Math.ceil(rows / ROWS_A_BLOB) }, (_, index) => [
    index * ROWS_A_BLOB,
    Math.min(rows, (index + 1) * ROWS_A_BLOB),
  ]);
}

function join(arrays: readonly RowArray[]): Uint8Array {
  const joined = new Uint8Array(arrays.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of arrays) {
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}

function split(joined: Uint8Array | undefined, arrays: readonly RowArray[]): void {
  let at = 0;
  for (const { bytes } of arrays) {
    const part = joined?.subarray(at, at + bytes.length);
    if (part?.length !== bytes.length) throw new Error('a saved part of the vector index has another length than its head tells');
    bytes.set(part);
    at += bytes.length;
  }
}
