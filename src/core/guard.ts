import type { Cache } from './contracts.js';
import { isRagError, messageOf, RagError } from './errors.js';
import { abortable } from './flow.js';

/** How long a cache that can't be reached is left alone, ms: at first, and at most. Doubled with each attempt in vain. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Troubles of one cache are told once in this time, ms. */
const QUIET_MS = 60_000;

export interface GuardParts {
  readonly cache: Cache;
  /** The longest that a request waits for it, ms. */
  readonly timeoutMs: number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Told when it is lost and when it is back; once, not for each request. */
  readonly warn: (message: string) => void;
}

/** A cache that may be away, slow or full, and never makes a call fail. */
export interface GuardedCache {
  readonly name: string;
  readonly maxValueBytes: number;
  /** undefined: it could not be asked. */
  get(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[] | undefined>;
  /** False: not kept. */
  set(entries: ReadonlyMap<string, Uint8Array>, ttlMs: number | undefined): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Stands between the engine and a cache outside the process. A call is waited for `timeoutMs` at most. One that finds the cache away
 * or too slow makes all others go without it, at no cost, until a single one after a pause finds it back.
 */
export function createGuard({ cache, timeoutMs, clock, warn }: GuardParts): GuardedCache {
  let away: { pauseMs: number; retryAt: number; trying: boolean } | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  let toldAway = false;

  async function attempt<Value>(call: (signal: AbortSignal) => Promise<Value>): Promise<Value | undefined> {
    const was = away;
    if (was !== undefined) {
      if (was.trying || clock() < was.retryAt) return undefined;
      was.trying = true;
    }
    try {
      const value = await withinTime(call);
      if (was !== undefined && away === was) back();
      return value;
    } catch (error) {
      trouble(error, was);
      return undefined;
    } finally {
      if (was !== undefined) was.trying = false;
    }
  }

  async function withinTime<Value>(call: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const limit = new AbortController();
    const late = new RagError('TIMEOUT', `no answer within ${timeoutMs} ms`, { adapter: cache.name });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      const due = clock() + timeoutMs;
      timer = setTimeout(() => {
        // A timer that is this late tells that it was this process which had no time, perhaps not even to send the call.
        if (clock() - due > timeoutMs / 2) wait();
        // One more look at the sockets: the answer may lie there.
        else setImmediate(() => limit.abort(late));
      }, timeoutMs);
    };
    wait();
    try {
      return await abortable(call(limit.signal), limit.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  function trouble(error: unknown, was: typeof away): void {
    const refused = isRagError(error) && error.code === 'UPSTREAM_FAILED';
    if (refused) {
      // It answers, and knows no help for this one call: a full cache still tells what it has.
      tell(`${cache.name} cache: ${messageOf(error)}`);
      if (was !== undefined && away === was) back();
      return;
    }
    if (away !== was) return; // the others that were under way when it went
    const pauseMs = was === undefined ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 2 * was.pauseMs);
    away = { pauseMs, retryAt: clock() + pauseMs, trying: false };
    const told = tell(
      `${cache.name} cache is left out: ${messageOf(error)}. Requests go on without it; it is tried again by itself`,
    );
    toldAway ||= told;
  }

  function back(): void {
    away = undefined;
    if (toldAway) warn(`${cache.name} cache is back`);
    toldAway = false;
  }

  function tell(message: string): boolean {
    if (clock() - toldAt < QUIET_MS) return false;
    toldAt = clock();
    warn(message);
    return true;
  }

  return {
    name: cache.name,
    maxValueBytes: cache.maxValueBytes,
    get: (keys) => attempt((signal) => cache.get(keys, { signal })),
    async set(entries, ttlMs) {
      const kept = await attempt(async (signal) => {
        await cache.set(entries, { signal, ...(ttlMs === undefined ? {} : { ttlMs }) });
        return true;
      });
      return kept === true;
    },
    close: () => cache.close(),
  };
}
