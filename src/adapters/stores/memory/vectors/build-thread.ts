import { once } from '../../../../core/once.js';
import { workerPath } from '../../../assets.js';
import type { BuildTask, GraphBytes } from './build-task.js';

/** Builds graphs in a thread, so that searches and everything else go on undisturbed. */
export interface BuildThread {
  /**
   * @returns undefined when there can be no thread, or it was ended: from then on for good, the caller builds
   * @throws the signal's reason
   */
  build(task: BuildTask, signal: AbortSignal): Promise<GraphBytes | undefined>;
  /** Ends what it does. Idempotent. */
  close(): Promise<void>;
}

/** Of JavaScript's own: vectors and links lie outside. */
const HEAP_MB = 256;
const IDLE_MS = 1000;
/** For a row, and at all: a hundred times what it takes, so it ends only what hangs. */
const MOST_MS_A_ROW = 20;
const LEAST_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The thread is started with the first task, and ended soon after the last.
 * @param script for tests; else the built one
 */
export function createBuildThread(script?: string): BuildThread {
  let isUsable = true;
  let isOpen = false;
  const pool = once(async () => {
    isOpen = true;
    // Not above: most processes build nothing.
    const { createWorkerPool } = await import('../../../workers/pool.js');
    return createWorkerPool({ script: () => script ?? workerPath('graph'), size: 1, memoryMb: HEAP_MB, idleMs: IDLE_MS });
  });

  return {
    async build(task, signal) {
      signal.throwIfAborted();
      if (!isUsable) return undefined;
      try {
        const { run } = await pool();
        const answer = await run({
          message: async () => ({ value: task, transfer: buffersOf(task) }),
          timeoutMs: Math.min(LONGEST_TIMER_MS, LEAST_MS + task.rows * MOST_MS_A_ROW),
          signal,
        });
        return answer as GraphBytes; // what build-worker.ts posts
      } catch (error) {
        if (signal.aborted) throw error;
        isUsable = false;
        return undefined;
      }
    },
    async close() {
      isUsable = false;
      if (isOpen) await (await pool()).close();
    },
  };
}

function buffersOf({ vectors, graph }: BuildTask): readonly ArrayBuffer[] {
  return [...vectors, ...graph.ranges, graph.upper].map(({ buffer }) => buffer);
}
