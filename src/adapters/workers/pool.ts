import { Worker } from 'node:worker_threads';
import type { CallOptions } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { eitherSignal } from '../../core/flow.js';

export interface WorkerPoolOptions {
  /** The script of the threads: it answers every message with one message. */
  readonly script: () => string;
  /** Threads at most. Tasks beyond them wait; whoever gives them bounds how many. */
  readonly size: number;
  /** Heap of one thread, in megabytes; one that needs more is ended. */
  readonly memoryMb: number;
  /** A thread without work for so long is ended. */
  readonly idleMs: number;
}

export interface WorkerTask extends CallOptions {
  /** What is posted, made only when a thread is free for it. */
  readonly message: () => Promise<{ readonly value: unknown; readonly transfer: readonly ArrayBuffer[] }>;
  /** Time for the answer, from when the message was posted. */
  readonly timeoutMs: number;
}

/** Why a thread was ended before it answered. */
export type WorkerEnd = 'time' | 'memory' | 'crash';

export interface WorkerPool {
  /**
   * Gives a task to a thread and waits for its answer. An abort, or a limit that is passed, ends the thread, whatever it is doing.
   * @throws WorkerEnded · the signal's reason · RagError INPUT_INVALID after `close`
   */
  run(task: WorkerTask): Promise<unknown>;
  /** Ends all threads; what runs or waits is rejected. Idempotent. */
  close(): Promise<void>;
}

/** A thread that ended before it answered. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
  readonly end: WorkerEnd;

  constructor(end: WorkerEnd, cause?: unknown) {
    super(`the thread was ended (${end})${cause === undefined ? '' : `: ${messageOf(cause)}`}`, { cause });
    this.end = end;
  }
}

/**
 * Threads that are started when there is work and ended when there is none: nothing runs before the first task, nothing keeps the process
 * alive between tasks. A thread does one task at a time, so that ending it ends that task only. Whatever a library prints there is dropped.
 */
export function createWorkerPool({ script, size, memoryMb, idleMs }: WorkerPoolOptions): WorkerPool {
  /** All that live or are being ended: a slot is free when its thread is gone. */
  const threads = new Set<Worker>();
  const idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  const stop = new AbortController();
  let closing: Promise<unknown> | undefined;

  async function acquire(signal: AbortSignal): Promise<Worker> {
    for (;;) {
      if (signal.aborted) {
        waiting.shift()?.(); // the turn that this one was given is the next one's
        throw signal.reason;
      }
      const free = idle.pop();
      if (free !== undefined) {
        clearTimeout(free.timer);
        free.worker.ref();
        return free.worker;
      }
      if (threads.size < size) return start();
      await turn(signal);
    }
  }

  /** Until a thread may be free. */
  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(proceed), 1);
        reject(signal.reason);
      };
      waiting.push(proceed);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  function start(): Worker {
    const worker = new Worker(script(), {
      execArgv: [],
      env: {}, // a document's parser needs no secrets
      stdout: true, // the process's own carries a protocol
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    threads.add(worker);
    worker.once('exit', () => {
      threads.delete(worker);
      forget(worker);
      waiting.shift()?.();
    });
    worker.on('error', () => {}); // told by `answerOf` while a task runs; a thread that dies idle concerns nobody
    return worker;
  }

  function release(worker: Worker): void {
    if (stop.signal.aborted) return;
    worker.unref();
    const timer = setTimeout(() => {
      forget(worker); // at once: nobody must be given a thread that is ending
      void worker.terminate();
    }, idleMs).unref();
    idle.push({ worker, timer });
    waiting.shift()?.();
  }

  function forget(worker: Worker): void {
    const at = idle.findIndex((one) => one.worker === worker);
    if (at !== -1) clearTimeout(idle.splice(at, 1)[0]?.timer);
  }

  return {
    async run({ message, timeoutMs, signal: asked }) {
      const signal = eitherSignal(asked, stop.signal);
      const worker = await acquire(signal);
      try {
        const { value, transfer } = await message();
        signal.throwIfAborted();
        if (!threads.has(worker)) throw new WorkerEnded('crash'); // it failed to start: nothing would tell of it any more
        const answer = answerOf(worker, timeoutMs, signal);
        worker.postMessage(value, [...transfer]);
        const answered = await answer;
        release(worker);
        return answered;
      } catch (error) {
        void worker.terminate(); // its slot is free when it is gone; nobody needs to wait for that here
        throw error;
      }
    },

    async close() {
      stop.abort(new RagError('INPUT_INVALID', 'rag: it was closed; open it again'));
      closing ??= Promise.all([...threads].map((worker) => worker.terminate()));
      await closing;
    },
  };
}

/** The next message of a thread, or why none comes. */
function answerOf(worker: Worker, timeoutMs: number, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new WorkerEnded('time'))), timeoutMs);
    const answered = (value: unknown) => settle(() => resolve(value));
    const failed = (error: unknown) => settle(() => reject(new WorkerEnded(isOutOfMemory(error) ? 'memory' : 'crash', error)));
    const gone = () => settle(() => reject(new WorkerEnded('crash')));
    const aborted = () => settle(() => reject(signal.reason));
    const settle = (end: () => void) => {
      clearTimeout(timer);
      worker.off('message', answered).off('messageerror', failed).off('error', failed).off('exit', gone);
      signal.removeEventListener('abort', aborted);
      end();
    };
    worker.on('message', answered).on('messageerror', failed).on('error', failed).on('exit', gone);
    signal.addEventListener('abort', aborted, { once: true });
  });
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
