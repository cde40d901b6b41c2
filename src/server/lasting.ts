import { abortable } from '../core/flow.js';
import type { ProgressUpdate } from './progress.js';

/** Work that outlives the connection that asked for it. */
export interface Lasting {
  /**
   * Joins the work under way of this key, or starts it. A caller that goes away leaves it running, so that asking again finds it further;
   * a caller that cancels, and is the last, ends it.
   */
  run<Result>(key: string, work: LastingWork<Result>, watcher: Watcher): Promise<Result>;
}

export type LastingWork<Result> = (signal: AbortSignal, report: (update: ProgressUpdate) => void) => Promise<Result>;

export interface Watcher {
  readonly signal: AbortSignal;
  /** Told what is known already when joining, then every step. */
  readonly report?: ((update: ProgressUpdate) => void) | undefined;
}

/** The reason of an abort by someone who means it, and not by a connection or a patience that ended. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

interface Running {
  result: Promise<unknown>;
  readonly stop: AbortController;
  readonly watchers: Set<Watcher>;
  /** Someone went away without cancelling: the work is theirs, too. */
  left: boolean;
  last: ProgressUpdate | undefined;
}

export function createLasting(): Lasting {
  const underWay = new Map<string, Running>();

  function start<Result>(key: string, work: LastingWork<Result>): Running {
    const running: Running = {
      result: Promise.resolve(),
      stop: new AbortController(),
      watchers: new Set(),
      left: false,
      last: undefined,
    };
    underWay.set(key, running);
    const report = (update: ProgressUpdate) => {
      running.last = update;
      for (const watcher of running.watchers) watcher.report?.(update);
    };
    running.result = work(running.stop.signal, report).finally(() => {
      if (underWay.get(key) === running) underWay.delete(key);
    });
    running.result.catch(() => {}); // told to whoever still watches
    return running;
  }

  return {
    async run<Result>(key: string, work: LastingWork<Result>, watcher: Watcher) {
      watcher.signal.throwIfAborted();
      const known = underWay.get(key);
      const running = known === undefined || known.stop.signal.aborted ? start(key, work) : known;
      running.watchers.add(watcher);
      if (running.last !== undefined) watcher.report?.(running.last);
      try {
        return (await abortable(running.result, watcher.signal)) as Result; // the key names the work, so its result too
      } catch (error) {
        if (!watcher.signal.aborted) throw error;
        if (!(watcher.signal.reason instanceof Cancelled)) running.left = true;
        else if (running.watchers.size === 1 && !running.left) {
          running.stop.abort(watcher.signal.reason);
          // What it was doing is put in order before anyone is told that it ended.
          await running.result.catch(() => {});
        }
        throw error;
      } finally {
        running.watchers.delete(watcher);
      }
    },
  };
}
