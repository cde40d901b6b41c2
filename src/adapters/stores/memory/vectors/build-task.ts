import type { Pace } from '../../../../core/turns.js';
import type { Kernel, KernelVariant } from '../kernel/kernel.js';
import type { GraphExtent } from './graph.js';
import { joinRowArrays, rangesOf, splitRowArrays } from './row-ranges.js';
import { countPresent, createVectorRows, graphArrays, upperLists, type VectorRows, vectorArrays } from './vector-rows.js';

/** A graph as bytes: ranges of rows, the lists above the bottom, and where a search begins. */
export interface GraphBytes {
  readonly extent: GraphExtent;
  /** As `rangesOf(extent.rows)`. */
  readonly ranges: readonly Uint8Array<ArrayBuffer>[];
  readonly upper: Uint8Array<ArrayBuffer>;
  readonly lists: number;
  /** The row plus one; 0: none. */
  readonly entry: number;
  readonly entryLevel: number;
}

/** What it takes to link rows elsewhere: their first codes, and the graph so far. */
export interface BuildTask {
  readonly variant: KernelVariant;
  readonly dimensions: number;
  readonly byDistance: boolean;
  readonly efConstruction: number;
  /** Rows up to here are to be in the graph, a multiple of 32. */
  readonly rows: number;
  /** As `rangesOf(rows)`. */
  readonly vectors: readonly Uint8Array<ArrayBuffer>[];
  readonly graph: GraphBytes;
}

/** Links elsewhere; undefined: that can't be done, link here. Rejects when it is to end. */
export type BuildGraph = (task: BuildTask) => Promise<GraphBytes | undefined>;

/** Copies what a build needs, a few megabytes at a time. The graph must not change meanwhile; rows may come and die. */
export async function createBuildTask(
  vectors: VectorRows,
  extent: GraphExtent,
  rows: number,
  efConstruction: number,
  pace: Pace,
): Promise<BuildTask> {
  const { variant, shape } = vectors.kernel;
  const copies: Uint8Array<ArrayBuffer>[] = [];
  for (const [first, last] of rangesOf(rows)) {
    copies.push(joinRowArrays(codeArrays(vectors.kernel, first, last)));
    await pace();
  }
  const graph = await packGraph(vectors, extent, pace);
  const { dimensions, byDistance } = shape;
  return { variant, dimensions, byDistance, efConstruction, rows, vectors: copies, graph };
}

/** Does the task at once, however long it takes: for a thread of its own. */
export async function runBuildTask(task: BuildTask): Promise<GraphBytes> {
  const { dimensions, byDistance, rows, variant, efConstruction, graph } = task;
  const vectors = createVectorRows(dimensions, byDistance ? 'l2' : 'cosine', rows, variant);
  vectors.reserve(rows);
  const { kernel } = vectors;
  for (const [index, [first, last]] of rangesOf(rows).entries()) {
    splitRowArrays(task.vectors[index], codeArrays(kernel, first, last));
  }
  for (const [index, [first, last]] of rangesOf(graph.extent.rows).entries()) {
    splitRowArrays(graph.ranges[index], graphArrays(kernel, first, last));
  }
  takeUpper(kernel, graph);
  let { linked } = graph.extent;
  for (let row = graph.extent.rows; row < rows; row++) {
    if (!vectors.has(row)) continue;
    kernel.exports.link(row, efConstruction);
    linked++;
  }
  return packGraph(vectors, { ...graph.extent, rows, linked }, () => undefined);
}

/**
 * Takes a graph that was built elsewhere in place of the one up to `before` rows. No search meets half of it: what no link leads to yet is
 * copied in turns, the rest and the way in at once.
 * @param onAdopted is told in the same moment how far it goes now, with those counted as dead that died meanwhile
 */
export async function adoptGraph(
  vectors: VectorRows,
  before: number,
  built: GraphBytes,
  pace: Pace,
  onAdopted: (extent: GraphExtent) => void,
): Promise<void> {
  const { rows, linked } = built.extent;
  const ranges = rangesOf(rows).map(([first, last], index) => ({ first, last, bytes: built.ranges[index] }));
  const isNew = ({ first }: { readonly first: number }) => first >= before;
  try {
    for (const { first, last, bytes } of ranges.filter(isNew)) {
      splitRowArrays(bytes, graphArrays(vectors.kernel, first, last));
      await pace();
    }
  } catch (error) {
    // Rows outside of the graph must tell nothing of one: whoever links them takes that for granted.
    for (const { first, last } of ranges.filter(isNew)) {
      for (const { bytes } of graphArrays(vectors.kernel, first, last)) bytes.fill(0);
    }
    throw error;
  }
  const { kernel } = vectors;
  for (const range of ranges) {
    if (!isNew(range)) splitRowArrays(range.bytes, graphArrays(kernel, range.first, range.last));
  }
  takeUpper(kernel, built);
  onAdopted({ rows, linked, dead: linked - countPresent(kernel, rows) });
}

async function packGraph(vectors: VectorRows, extent: GraphExtent, pace: Pace): Promise<GraphBytes> {
  const ranges: Uint8Array<ArrayBuffer>[] = [];
  for (const [first, last] of rangesOf(extent.rows)) {
    ranges.push(joinRowArrays(graphArrays(vectors.kernel, first, last)));
    await pace();
  }
  const { exports } = vectors.kernel;
  return {
    extent,
    ranges,
    upper: joinRowArrays([upperLists(vectors.kernel)]),
    lists: exports.listCount.value,
    entry: exports.entry.value,
    entryLevel: exports.entryLevel.value,
  };
}

function takeUpper(kernel: Kernel, { upper, lists, entry, entryLevel }: GraphBytes): void {
  splitRowArrays(upper, [upperLists(kernel, lists)]);
  kernel.exports.setListCount(lists);
  if (entry > 0) kernel.exports.setEntry(entry - 1, entryLevel);
}

/** Links follow from the first codes alone: the second ones stay where they are. */
function codeArrays(kernel: Kernel, first: number, last: number) {
  return vectorArrays(kernel, first, last).filter(({ name }) => name !== 'seconds');
}
