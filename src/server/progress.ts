/** How far a call is. `progress` grows from one update to the next. */
export interface ProgressUpdate {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** Ten updates a second are enough for any display, and don't crowd a pipe. */
const INTERVAL_MS = 100;

export interface ProgressReporter {
  /** Sends now, or drops the update when one was just sent; only the newest dropped one is kept. */
  readonly report: (update: ProgressUpdate) => void;
  /** Sends the kept one, so that the last update is always told; resolves when all are out. */
  readonly flush: () => Promise<void>;
}

/**
 * Limits the rate of updates that come faster than anyone wants to see them. Updates that don't move forward are dropped, because the
 * protocol asks for growing values; while the client isn't reading, none is queued.
 *
 * @param clock milliseconds. @default performance.now
 */
export function createProgressReporter(
  send: (update: ProgressUpdate) => Promise<void>,
  clock: () => number = () => performance.now(),
): ProgressReporter {
  let furthest = Number.NEGATIVE_INFINITY;
  let lastSent = Number.NEGATIVE_INFINITY;
  let kept: ProgressUpdate | undefined;
  let sending: Promise<void> | undefined;

  function sendNow(update: ProgressUpdate): void {
    kept = undefined;
    lastSent = clock();
    sending = send(update).finally(() => {
      sending = undefined;
    });
  }

  return {
    report(update) {
      if (update.progress <= furthest) return;
      furthest = update.progress;
      if (sending === undefined && clock() - lastSent >= INTERVAL_MS) sendNow(update);
      else kept = update;
    },
    async flush() {
      await sending;
      if (kept !== undefined) sendNow(kept);
      await sending;
    },
  };
}
