import type { LoadedDocument, Source } from '../../core/contracts.js';
import { type ErrorCode, RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { workerPath } from '../assets.js';
import type { WorkerEnded, WorkerPool } from '../workers/pool.js';
import type { LoaderLimits } from './limits.js';

/** How documents are read in threads. */
export interface LoaderThreadsOptions extends LoaderLimits {
  /** Threads at most. */
  readonly threads: number;
  /** Time for one document. */
  readonly documentTimeoutMs: number;
  /** Heap of one thread, in megabytes. */
  readonly threadMemoryMb: number;
  /** @default the one that is built */
  readonly script?: string | undefined;
}

export interface LoaderThreads {
  /** Reads a source with the loader of that id, in a thread. */
  load(id: string, source: Source, signal: AbortSignal | undefined): Promise<LoadedDocument>;
  close(): Promise<void>;
}

/** What a thread is asked, and what it answers. */
export interface LoadTask {
  readonly id: string;
  readonly uri: string;
  readonly bytes: Uint8Array;
  readonly limits: LoaderLimits;
}
export type LoadAnswer =
  | { readonly document: Omit<LoadedDocument, 'text'>; readonly text: string | LongText }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** A long text as bytes, which change owner without a copy. */
export interface LongText {
  readonly bytes: Uint8Array;
  readonly encoding: 'latin1' | 'utf16le';
}

/** Copied between two looks at the clock: about a millisecond. */
const SLICE_BYTES = 1 << 20;
/** Long enough for the next batch of an ingest to find the threads warm. */
const IDLE_MS = 10_000;

/** One pool for all loaders of an engine; made when the first document needs it. */
export function createLoaderThreads(options: LoaderThreadsOptions): LoaderThreads {
  const { threads, documentTimeoutMs, threadMemoryMb, maxPages, maxUnpackedBytes, script } = options;
  let pool: Promise<WorkerPool> | undefined;

  async function openPool(): Promise<WorkerPool> {
    const { createWorkerPool } = await import('../workers/pool.js');
    return createWorkerPool({
      script: () => script ?? workerPath('loaders'),
      size: threads,
      memoryMb: threadMemoryMb,
      idleMs: IDLE_MS,
    });
  }

  return {
    async load(id, { uri, bytes }, signal) {
      pool ??= openPool();
      const message = async () => {
        const copy = await copyOf(bytes, signal);
        const value: LoadTask = { id, uri, bytes: copy, limits: { maxPages, maxUnpackedBytes } };
        return { value, transfer: [copy.buffer] };
      };
      try {
        const answer = (await (await pool).run({ message, timeoutMs: documentTimeoutMs, signal })) as LoadAnswer; // as worker.ts posts it
        if ('error' in answer) throw new RagError(answer.error.code, answer.error.message);
        return { ...answer.document, text: textOf(answer.text) };
      } catch (error) {
        throw isWorkerEnded(error) ? ended(uri, error, options) : error;
      }
    },

    async close() {
      await (await pool)?.close();
    },
  };
}

/** The caller keeps its bytes; a large copy is made in turns. */
async function copyOf(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    copy.set(bytes.subarray(start, start + SLICE_BYTES), start);
    if (turnIsOver()) await nextTurn(signal);
  }
  return copy;
}

function textOf(text: string | LongText): string {
  if (typeof text === 'string') return text;
  const { bytes, encoding } = text;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
}

function isWorkerEnded(error: unknown): error is WorkerEnded {
  return error instanceof Error && error.name === 'WorkerEnded';
}

/** Names the limit, so that one who must read this very document knows what to raise. */
function ended(uri: string, cause: WorkerEnded, { documentTimeoutMs, threadMemoryMb }: LoaderThreadsOptions): RagError {
  switch (cause.end) {
    case 'time':
      return new RagError(
        'TIMEOUT',
        `${uri} took longer to read than ingest.documentTimeoutMs allows (${documentTimeoutMs} ms)`,
        {
          cause,
          retryable: false,
        },
      );
    case 'memory':
      return new RagError('INPUT_INVALID', `${uri} needs more memory than ingest.threadMemoryMb allows (${threadMemoryMb} MB)`, {
        cause,
      });
    case 'crash':
      return new RagError('INPUT_INVALID', `${uri} can't be read: it ended the thread that read it`, { cause });
  }
}
