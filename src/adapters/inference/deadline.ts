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

/** Made by hand because `AbortSignal.any` on a long-lived caller's signal keeps every call's signal alive on Node 20. */
export function createDeadline(caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => controller.abort(caller?.reason);
  if (caller?.aborted) onAbort();
  else caller?.addEventListener('abort', onAbort, { once: true });

  return {
    signal: controller.signal,
    arm(ms, reason) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(reason()), ms);
    },
    disarm: () => clearTimeout(timer),
    close() {
      clearTimeout(timer);
      caller?.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}
