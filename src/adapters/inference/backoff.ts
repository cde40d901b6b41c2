import { setTimeout as wait } from 'node:timers/promises';
import { isRagError } from '../../core/errors.js';
import { HttpFailure } from './http-failure.js';

/** Before the first retry; doubles with each. */
const FIRST_MS = 200;
const LONGEST_MS = 5_000;
/** A server that wants more time than this has its callers told so instead of kept waiting. */
const LONGEST_ASKED_MS = 30_000;

/**
 * Milliseconds to wait before the next try; undefined: trying again is no use. What the server asks for (`Retry-After`) is kept to, else
 * the wait doubles, with full jitter so that callers who failed together don't come back together.
 * @param tries tries made so far, from 1
 * @param random from 0 to 1
 */
export function retryDelay(error: unknown, tries: number, random: () => number): number | undefined {
  // Whoever waited for a whole timeout is not made to wait for another.
  if (!isRagError(error) || !error.retryable || error.code === 'TIMEOUT') return undefined;
  const asked = error.cause instanceof HttpFailure ? error.cause.retryAfterMs : undefined;
  if (asked !== undefined) return asked <= LONGEST_ASKED_MS ? asked : undefined;
  return random() * Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
}

/** Waits. @throws `signal.reason` once aborted */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}
