import { isRagError } from '../../core/errors.js';
import { HttpFailure } from './http-failure.js';

/** Failures in a row after which an engine is left alone: one may be bad luck, and three are a pattern. */
const FAILURES_TO_OPEN = 3;
/** The first rest; it doubles each time up to the longest. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

/** Keeps calls away from an engine that fails, and lets one through from time to time to see whether it is back. */
export interface Breaker {
  /**
   * Asks to call. `undefined`: not now. Else tell how it went, once; `left` where nothing was learnt of the engine.
   * @param options.despite also during the rest, where there is nobody else to ask; still one at a time
   */
  enter(options?: { readonly despite?: boolean }): Pass | undefined;
  /** `closed`: healthy · `resting`: nobody calls · `rested`: one call may find out. */
  readonly state: 'closed' | 'resting' | 'rested';
  /** Milliseconds until the rest ends; 0 where there is none. */
  readonly restMs: number;
  /** A health check has found that it isn't back: it rests on. */
  restMore(): void;
}

export interface Pass {
  succeeded(): void;
  failed(error: unknown): void;
  left(): void;
}

/** @param clock milliseconds, monotonic */
export function createBreaker(clock: () => number): Breaker {
  let failures = 0;
  let restsUntil: number | undefined;
  let restMs = FIRST_REST_MS;
  let trying = false;

  const isResting = () => restsUntil !== undefined && clock() < restsUntil;

  function rest(): void {
    restsUntil = clock() + restMs;
    restMs = Math.min(restMs * 2, LONGEST_REST_MS);
  }

  function close(): void {
    failures = 0;
    restsUntil = undefined;
    restMs = FIRST_REST_MS;
  }

  return {
    enter({ despite = false } = {}) {
      const isTrial = restsUntil !== undefined;
      if (isTrial && (trying || (isResting() && !despite))) return undefined;
      if (isTrial) trying = true;
      let told = false;
      const tell = (learn: () => void) => () => {
        if (told) return;
        told = true;
        if (isTrial) trying = false;
        learn();
      };
      return {
        succeeded: tell(close),
        failed: (error) =>
          tell(() => {
            if (!blames(error)) return;
            failures++;
            // Calls that began before the rest fail during it: that makes it no longer.
            if (isTrial || (restsUntil === undefined && failures >= FAILURES_TO_OPEN)) rest();
          })(),
        left: tell(() => {}),
      };
    },
    get state() {
      if (restsUntil === undefined) return 'closed';
      return isResting() ? 'resting' : 'rested';
    },
    get restMs() {
      return restsUntil === undefined ? 0 : Math.max(0, restsUntil - clock());
    },
    restMore() {
      if (restsUntil !== undefined && !isResting()) rest();
    },
  };
}

/**
 * Whether an error speaks against the engine. A request that it refuses (too long, malformed) says nothing about the next one, and an
 * engine that is busy is healthy.
 */
function blames(error: unknown): boolean {
  if (!isRagError(error) || !(error.cause instanceof HttpFailure)) return true;
  const { status } = error.cause;
  return status >= 500 ? error.retryable : status === 401 || status === 403 || status === 404 || status === 408;
}
