import { join } from 'node:path';
import type { CallOptions } from '../../core/contracts.js';
import { type ErrorCode, messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { once } from '../../core/once.js';
import { workerPath } from '../assets.js';
import { createSlots } from '../inference/slots.js';
import { readModelFile } from '../model-file.js';
import type { WorkerPool } from '../workers/pool.js';
import type { Pooling } from './onnx-embedding.js';
import { ONNX_PACKAGES, type OnnxModelOptions } from './onnx-session.js';

/** What the thread is asked, and what it answers. */
export interface OnnxTask {
  readonly model: OnnxModelOptions;
  readonly work: OnnxWork;
}
export type OnnxWork =
  | { readonly kind: 'embed'; readonly texts: readonly string[]; readonly pooling: Pooling }
  | { readonly kind: 'rank'; readonly query: string; readonly texts: readonly string[] };
export type OnnxAnswer =
  | { readonly vectors: readonly Float32Array[] }
  | { readonly scores: readonly number[] }
  | { readonly error: { readonly code: ErrorCode; readonly retryable: boolean; readonly message: string } };

/** A model that computes in a thread of its own, because its runtimes hold the thread they compute in. */
export interface OnnxThread {
  /** Differs where model or tokenizer does. */
  readonly digest: string;
  /** @throws RagError as the thread tells · `signal.reason` once aborted; what computes then is finished first */
  run(work: OnnxWork, options: CallOptions): Promise<Exclude<OnnxAnswer, { readonly error: unknown }>>;
  close(): Promise<void>;
}

export interface OnnxThreadOptions extends Omit<OnnxModelOptions, 'packages'> {
  /** @default onnxruntime-node, else onnxruntime-web */
  readonly packages?: readonly string[] | undefined;
  /** @default the one that is built */
  readonly script?: string | undefined;
}

const MAX_WAITING = 1024;
/** Then the model's memory is worth more than the half second that loading takes. */
const IDLE_MS = 600_000;
/** Loading, and a batch of the longest texts on a slow machine. */
const TIMEOUT_MS = 600_000;
/** Of the script's heap: models lie outside it. */
const HEAP_MB = 512;

/** @throws RagError CONFIG_INVALID when the folder holds no model */
export async function openOnnxThread(options: OnnxThreadOptions, part: 'embedder' | 'reranker'): Promise<OnnxThread> {
  const { folder, threads, maxTokens, packages = ONNX_PACKAGES, script } = options;
  const option = `${part}.folder`;
  const files = await Promise.all(['model.onnx', 'tokenizer.json'].map((name) => readModelFile(join(folder, name), option)));
  const model: OnnxModelOptions = { folder, threads, maxTokens, packages };
  const slots = createSlots({ engine: `onnx ${part}`, concurrency: 1, maxWaiting: MAX_WAITING });
  const pool = once(async (): Promise<WorkerPool> => {
    const { createWorkerPool } = await import('../workers/pool.js');
    return createWorkerPool({ script: () => script ?? workerPath('onnx'), size: 1, memoryMb: HEAP_MB, idleMs: IDLE_MS });
  });

  async function ask(work: OnnxWork): Promise<OnnxAnswer> {
    const task: OnnxTask = { model, work };
    const message = async () => ({ value: task, transfer: [] });
    return (await (await pool()).run({ message, timeoutMs: TIMEOUT_MS })) as OnnxAnswer; // as onnx-worker.ts posts it
  }

  return {
    digest: files.map(({ digest }) => digest.slice(0, 8)).join(''),
    async run(work, { signal = new AbortController().signal }) {
      const release = await slots.acquire(signal);
      // An abort would end the thread and the model with it: the caller leaves, its batch is finished for nobody.
      const asked = ask(work).finally(release);
      let answer: OnnxAnswer;
      try {
        answer = await abortable(asked, signal);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof RagError) throw cause;
        throw new RagError('UPSTREAM_FAILED', `onnx: the model in ${folder} failed: ${messageOf(cause)}`, {
          adapter: 'onnx',
          cause,
        });
      }
      if (!('error' in answer)) return answer;
      const { code, message, retryable } = answer.error;
      throw new RagError(code, `${part}: ${message}`, { adapter: 'onnx', retryable });
    },
    async close() {
      await (await pool()).close();
    },
  };
}
