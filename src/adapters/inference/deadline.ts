/** The abort signal of one call: the caller's own abort, or a wait that took too long. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** From now on, `ms` until the call is aborted with `reason()`; replaces the wait before. */
  arm(ms: number, reason: () => Error): void;
  /** No limit while the other side isn't waited for. */
  disarm(): void;
  /** Aborts what still runs and lets go of the caller's signal. */
  close(): void;
}

/**
 * Made by hand because `AbortSignal.any` on a long-lived caller's signal keeps every call's signal alive on Node 20. A stream arms and
 * disarms it once a token, so that sets two fields and no timer: the one timer that runs looks at them when it rings, and goes on sleeping
 * where nothing is due yet.
 */
export function createDeadline(caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let timer: { readonly handle: ReturnType<typeof setTimeout>; readonly ringsAt: number } | undefined;
  let due: { readonly at: number; readonly reason: () => Error } | undefined;
  const onAbort = () => controller.abort(caller?.reason);
  if (caller?.aborted) onAbort();
  else caller?.addEventListener('abort', onAbort, { once: true });

  function sleep(ms: number): void {
    clearTimeout(timer?.handle);
    timer = { handle: setTimeout(ring, ms), ringsAt: performance.now() + ms };
  }

  function ring(): void {
    timer = undefined;
    if (due === undefined) return;
    const leftMs = due.at - performance.now();
    if (leftMs <= 0) controller.abort(due.reason());
    else sleep(Math.ceil(leftMs));
  }

  return {
    signal: controller.signal,
    arm(ms, reason) {
      due = { at: performance.now() + ms, reason };
      if (timer === undefined || due.at < timer.ringsAt) sleep(ms);
    },
    disarm() {
      due = undefined;
    },
    close() {
      clearTimeout(timer?.handle);
      caller?.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}
