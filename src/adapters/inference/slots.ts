import pLimit from 'p-limit';
import { RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { HttpFailure } from './http-failure.js';

/** Places at an engine. */
export interface Slots {
  /**
   * Waits for a free place, first come, first served; call the result to give it back (twice is fine).
   * @throws RagError UPSTREAM_FAILED (retryable) when too many wait already · `signal.reason` once aborted
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

export interface SlotsOptions {
  /** Who has the places, for messages. */
  readonly engine: string;
  readonly concurrency: number;
  readonly maxWaiting: number;
}

export function createSlots({ engine, concurrency, maxWaiting }: SlotsOptions): Slots {
  const limit = pLimit(concurrency);

  return {
    acquire(signal) {
      if (limit.pendingCount >= maxWaiting) {
        const message = `${engine} is busy: ${concurrency} requests run and ${maxWaiting} wait already; try again later`;
        return Promise.reject(
          new RagError('UPSTREAM_FAILED', message, {
            adapter: engine,
            cause: new HttpFailure(429, 'too many requests wait here'),
          }),
        );
      }
      const place = new Promise<() => void>((resolve) => {
        void limit(() => new Promise<void>((release) => resolve(release)));
      });
      return abortable(place, signal).catch((reason: unknown) => {
        void place.then((release) => release()); // one who has gone passes its turn on when it comes
        throw reason;
      });
    },
  };
}
