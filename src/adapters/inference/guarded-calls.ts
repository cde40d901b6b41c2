import type { CallOptions } from '../../core/contracts.js';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { pause, retryDelay } from './backoff.js';
import { createBreaker } from './breaker.js';
import { createSlots } from './slots.js';

/** Calls that may wait for a place. */
const MAX_WAITING = 1024;

/** Runs calls of one server that answer all at once: embedding, reranking. */
export interface GuardedCalls {
  /**
   * At most `concurrency` at a time; what failed and may work later is tried again, after a pause in which the place is free; a server that
   * keeps failing is left alone for a while.
   * @throws what `work` threw last · RagError UPSTREAM_FAILED while the server is left alone · `signal.reason` once aborted
   */
  run<Value>(work: (signal: AbortSignal) => Promise<Value>, options: CallOptions): Promise<Value>;
}

export interface GuardedCallsOptions {
  /** Who is called, for messages. */
  readonly engine: string;
  readonly concurrency: number;
  readonly retries: number;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
  /** From 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

export function createGuardedCalls(options: GuardedCallsOptions): GuardedCalls {
  const { engine, concurrency, retries, clock = () => performance.now(), random = Math.random } = options;
  const slots = createSlots({ engine, concurrency, maxWaiting: MAX_WAITING });
  const breaker = createBreaker(clock);

  async function once<Value>(work: (signal: AbortSignal) => Promise<Value>, signal: AbortSignal): Promise<Value> {
    const release = await slots.acquire(signal);
    const pass = breaker.enter({ despite: true }); // there is nobody else to ask
    try {
      if (pass === undefined) throw restingError(engine, breaker.restMs);
      const value = await work(signal);
      pass.succeeded();
      return value;
    } catch (error) {
      if (!signal.aborted) pass?.failed(error);
      throw error;
    } finally {
      pass?.left();
      release();
    }
  }

  return {
    async run(work, { signal = new AbortController().signal }) {
      for (let tries = 1; ; tries++) {
        signal.throwIfAborted();
        try {
          return await once(work, signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          const delay = tries > retries ? undefined : retryDelay(error, tries, random);
          if (delay === undefined) {
            throw isRagError(error) ? error : new RagError('UPSTREAM_FAILED', `${engine}: ${messageOf(error)}`, { cause: error });
          }
          await pause(delay, signal);
        }
      }
    },
  };
}

/** While an engine rests, nobody waits for it to fail again. */
export function restingError(engine: string, restMs: number): RagError {
  const next = restMs > 0 ? `it is tried again in ${Math.ceil(restMs / 1000)} s` : 'one call is finding out whether it is back';
  return new RagError('CONNECTION_FAILED', `${engine} kept failing and is left alone for now; ${next}`, { adapter: engine });
}
