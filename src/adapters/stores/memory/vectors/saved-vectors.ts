import type { Metric } from '../../../../core/contracts.js';
import type { IndexBlob } from '../ordinal-index.js';
import type { Graph, GraphExtent } from './graph.js';
import { joinRowArrays, rangesOf, splitRowArrays } from './row-ranges.js';
import { countPresent, graphArrays, upperLists, type VectorRows, vectorArrays } from './vector-rows.js';

/** Raised with every change of what the arrays mean; what was saved under another number is made anew. */
const FORMAT = 1;

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
 * What the index needs to go on where it is. Keys: `head`, `vectors-N` and `graph-N` for N-th 8,192 rows, `graph-upper`; a full range of vectors
 * never changes, so it is written once. Which rows are present is not taken over: whoever loads removes again what is dead.
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
    ...rangesOf(count).map(([first, last], index) => ({
      key: `vectors-${index}`,
      revision: `${FORMAT}-${last - first}`,
      bytes: () => joinRowArrays(vectorArrays(kernel, first, last)),
    })),
    ...rangesOf(rows).map(([first, last], index) => ({
      key: `graph-${index}`,
      revision: `${FORMAT}-${revision}-${last - first}`,
      bytes: () => joinRowArrays(graphArrays(kernel, first, last)),
    })),
    ...(rows === 0
      ? []
      : [
          { key: 'graph-upper', revision: `${FORMAT}-${revision}`, bytes: () => joinRowArrays([upperLists(kernel, head.lists)]) },
        ]),
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
  const blobs = rangesOf(head.count).map((_, index) => read(`vectors-${index}`));
  const graphs = rangesOf(head.rows).map((_, index) => read(`graph-${index}`));
  const upper = head.rows === 0 ? new Uint8Array(0) : read('graph-upper');
  if (upper === undefined || [...blobs, ...graphs].includes(undefined)) return;
  vectors.reserve(head.count);
  const { kernel } = vectors;
  for (const [index, [first, last]] of rangesOf(head.count).entries())
    splitRowArrays(blobs[index], vectorArrays(kernel, first, last));
  if (head.rows === 0) return;
  for (const [index, [first, last]] of rangesOf(head.rows).entries())
    splitRowArrays(graphs[index], graphArrays(kernel, first, last));
  splitRowArrays(upper, [upperLists(kernel, head.lists)]);
  kernel.exports.setListCount(head.lists);
  kernel.exports.setEntry(head.entry - 1, head.entryLevel);
  // A full blob may have been written before or after one of its rows died.
  graph.adopt({ rows: head.rows, linked: head.linked, dead: head.linked - countPresent(kernel, head.rows) });
}

function readHead(bytes: Uint8Array | undefined): Head | undefined {
  // Written by `saveVectors`; whoever stores the bytes vouches for them.
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Head);
}
