import type { Pace } from '../../../../core/turns.js';
import { adoptGraph, type BuildGraph, createBuildTask } from './build-task.js';
import type { VectorIndexSettings } from './options.js';
import type { VectorRows } from './vector-rows.js';

/** The graph over the first rows; what comes behind them is the tail, whose rows are compared one by one. */
export interface Graph {
  /** How far it goes. */
  readonly extent: GraphExtent;
  /** Raised by every change. */
  readonly revision: number;
  /** Whether `tend` would do something. */
  readonly isStale: boolean;
  /** Whether that is much work: worth a thread. */
  readonly isFarBehind: boolean;
  /**
   * Brings it up to the rows: links the tail when it is long, leads around the dead when they are many.
   * @param build where a very long tail is linked. @default here
   */
  tend(pace: Pace, build?: BuildGraph): Promise<void>;
  /** A row was removed. */
  forget(row: number): void;
  /** Takes what was read into the kernel as the graph. */
  adopt(extent: GraphExtent): void;
}

export interface GraphExtent {
  /** Rows up to here are in it, a multiple of 32; 0 where there is none. */
  readonly rows: number;
  /** Those of them that had a vector when they were linked. */
  readonly linked: number;
  /** Those of these that were removed since, and still stand in the way. */
  readonly dead: number;
}

/** A tail of this length is compared in half the time that a search of the graph takes. */
const LONG_TAIL = 1024;
/** From here on a tail is linked in a thread: to link these takes half a second. */
const VERY_LONG_TAIL = 4096;
/** Part of the rows that they must be: the whole graph goes there and back. */
const WORTH_A_THREAD = 1 / 16;
/** Up to this share of dead rows a search is hardly longer; at a fifth, with a tail behind it, it took twice as long. */
const MOST_DEAD = 0.1;
/** Rows that are repaired between two looks at the clock: about half a millisecond. */
const SLICE = 64;

export function createGraph(vectors: VectorRows, { kind, graphFrom, efConstruction }: VectorIndexSettings): Graph {
  let extent: GraphExtent = { rows: 0, linked: 0, dead: 0 };
  let revision = 0;
  let tending: Promise<void> | undefined;

  return {
    get extent() {
      return extent;
    },
    get revision() {
      return revision;
    },
    get isStale() {
      return isTailLong() || areDeadMany();
    },
    get isFarBehind() {
      return isTailVeryLong();
    },
    async tend(pace, build) {
      tending ??= run(pace, build).finally(() => {
        tending = undefined;
      });
      await tending;
    },
    forget(row) {
      if (row < extent.rows) extent = { ...extent, dead: extent.dead + 1 };
    },
    adopt(saved) {
      extent = saved;
      revision++;
    },
  };

  function isTailLong(): boolean {
    const tail = wholeRows() - extent.rows;
    switch (kind) {
      case 'flat':
        return false;
      case 'hnsw':
        return tail > (extent.rows === 0 ? 0 : LONG_TAIL);
      case 'auto':
        return vectors.count >= graphFrom && tail > LONG_TAIL;
    }
  }

  function isTailVeryLong(): boolean {
    const last = wholeRows();
    return isTailLong() && last - extent.rows >= Math.max(VERY_LONG_TAIL, last * WORTH_A_THREAD);
  }

  function areDeadMany(): boolean {
    return extent.dead > Math.max(SLICE, MOST_DEAD * extent.linked);
  }

  /** The mask of a search is cut into words of 32 rows: graph and tail meet between two of them. */
  function wholeRows(): number {
    return vectors.count & ~31;
  }

  async function run(pace: Pace, build: BuildGraph | undefined): Promise<void> {
    if (areDeadMany()) await repair(pace);
    if (build !== undefined && isTailVeryLong() && (await linkElsewhere(build, pace))) return;
    if (isTailLong()) await linkTail(pace);
  }

  async function linkElsewhere(build: BuildGraph, pace: Pace): Promise<boolean> {
    const built = await build(await createBuildTask(vectors, extent, wholeRows(), efConstruction, pace));
    if (built === undefined) return false;
    await adoptGraph(vectors, extent.rows, built, pace, (adopted) => {
      extent = adopted;
      revision++;
    });
    return true;
  }

  async function linkTail(pace: Pace): Promise<void> {
    revision++;
    for (const last = wholeRows(); extent.rows < last; ) {
      let { linked } = extent;
      const end = extent.rows + 32;
      for (let row = extent.rows; row < end; row++) {
        // Not kept in a variable: after a wait it may be another one.
        const { exports } = vectors.kernel;
        if (!vectors.has(row)) continue;
        exports.link(row, efConstruction);
        linked++;
      }
      extent = { ...extent, rows: end, linked };
      await pace();
    }
  }

  async function repair(pace: Pace): Promise<void> {
    const { rows } = extent;
    revision++;
    for (let first = 0; first < rows; first += SLICE) {
      vectors.kernel.exports.repair(first, Math.min(rows, first + SLICE), efConstruction);
      await pace();
    }
    // In one go: no search may meet a graph whose way in is gone. Links to rows that died meanwhile lead nowhere, until the next repair.
    vectors.kernel.exports.bury(0, rows);
    vectors.kernel.exports.chooseEntry(rows);
    extent = { rows, linked: extent.linked - extent.dead, dead: 0 };
  }
}
