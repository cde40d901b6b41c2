import { isRagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';

/** Turns many small calls into few large ones. */
export interface MicroBatcher {
  /** One vector a text, in order. @throws what the call threw · `signal.reason` once aborted */
  embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
}

export interface MicroBatcherOptions {
  /** Texts in one call. */
  readonly maxBatch: number;
  /** Calls at a time. */
  readonly concurrency: number;
  /** Milliseconds to wait for more; with 0, until the end of this turn of the event loop. */
  readonly waitMs: number;
  /** Texts that may wait; when it is reached, callers wait before theirs join. */
  readonly maxWaiting: number;
  readonly call: (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;
}

/**
 * Texts that are asked for at the same moment share one call; what comes while all calls are under way waits and shares the next. So a lone
 * text is not delayed, and a crowd is served in batches. A caller who leaves takes its texts along if they still wait; a call ends early
 * when all who wait for it have left. When a server refuses a call that several share, each caller's texts are asked for alone: one
 * caller's bad text is not another's failure.
 */
export function createMicroBatcher({ maxBatch, concurrency, waitMs, maxWaiting, call }: MicroBatcherOptions): MicroBatcher {
  const waiting: Job[] = [];
  let running = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || running >= concurrency || waiting.length === 0) return;
    isScheduled = true;
    later(waitMs, () => {
      isScheduled = false;
      while (running < concurrency && waiting.length > 0) start(takeBatch(waiting, maxBatch));
    });
  }

  function start(jobs: readonly Job[]): void {
    running++;
    void run(jobs, call).finally(() => {
      running--;
      schedule();
    });
  }

  return {
    async embed(texts, signal) {
      signal?.throwIfAborted();
      while (waiting.length > 0 && waiting.reduce((sum, job) => sum + job.texts.length, 0) + texts.length > maxWaiting) {
        await abortable(Promise.race(waiting.map(({ done }) => done.catch(() => {}))), signal);
      }
      const job = createJob(texts);
      waiting.push(job);
      schedule();
      try {
        return await abortable(job.done, signal);
      } catch (error) {
        if (signal?.aborted) {
          const place = waiting.indexOf(job);
          if (place !== -1) waiting.splice(place, 1);
          job.leave();
        }
        throw error;
      }
    },
  };
}

interface Job {
  readonly texts: readonly string[];
  readonly done: Promise<readonly Float32Array[]>;
  readonly resolve: (vectors: readonly Float32Array[]) => void;
  readonly reject: (error: unknown) => void;
  /** Its caller has gone. */
  readonly leave: () => void;
  readonly left: AbortSignal;
}

function createJob(texts: readonly string[]): Job {
  const leaving = new AbortController();
  let settle = { resolve: (_: readonly Float32Array[]) => {}, reject: (_: unknown) => {} };
  const done = new Promise<readonly Float32Array[]>((resolve, reject) => {
    settle = { resolve, reject };
  });
  done.catch(() => {}); // its caller may have gone
  return { texts, done, ...settle, leave: () => leaving.abort(), left: leaving.signal };
}

/** The first of those that wait, up to the size; a caller's texts stay together. */
function takeBatch(waiting: Job[], maxBatch: number): readonly Job[] {
  let size = 0;
  let count = 0;
  for (const { texts } of waiting) {
    if (count > 0 && size + texts.length > maxBatch) break;
    size += texts.length;
    count++;
  }
  return waiting.splice(0, count);
}

async function run(jobs: readonly Job[], call: MicroBatcherOptions['call']): Promise<void> {
  const stop = new AbortController();
  let present = jobs.length;
  for (const { left } of jobs) {
    left.addEventListener('abort', () => {
      present--;
      if (present === 0) stop.abort(new Error('nobody waits for these vectors any more'));
    });
  }
  const texts = jobs.flatMap((job) => job.texts);
  try {
    const vectors = await call(texts, stop.signal);
    let start = 0;
    for (const job of jobs) {
      job.resolve(vectors.slice(start, start + job.texts.length));
      start += job.texts.length;
    }
  } catch (error) {
    if (jobs.length > 1 && isRagError(error) && !error.retryable && error.code === 'UPSTREAM_FAILED') {
      for (const job of jobs) if (!job.left.aborted) await run([job], call);
      return;
    }
    for (const job of jobs) job.reject(error);
  }
}

function later(ms: number, work: () => void): void {
  if (ms === 0) setImmediate(work);
  else setTimeout(work, ms);
}
