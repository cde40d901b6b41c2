import { availableParallelism } from 'node:os';
import type { CallOptions } from '../../core/contracts.js';
import { invalidInput, messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import type { LlamaCppModule, LlamaModel } from './llama-cpp-module.js';
import type { LlamaCppModelOptions } from './llama-cpp-options.js';

/** A model that is loaded when it is first needed, and freed at the end. */
export interface HeldModel<Ready> {
  /**
   * @throws RagError UPSTREAM_FAILED (not retryable) when it can't be loaded · INPUT_INVALID after `close` · `signal.reason` once aborted; the
   *   loading itself then goes on
   */
  ready(options: CallOptions): Promise<{ readonly value: Ready; readonly loadMs: number }>;
  /** Takes no more calls, waits until the work under way has settled, and frees it. Idempotent. */
  close(): Promise<void>;
}

export interface HeldModelOptions<Ready> extends LlamaCppModelOptions {
  readonly module: LlamaCppModule;
  /** Makes of the model what calls need. */
  readonly prepare: (model: LlamaModel, threads: number) => Promise<Ready>;
  /** Resolves when nothing computes any more: what is freed under a computation takes the process down. */
  readonly settled: () => Promise<unknown>;
}

export function holdModel<Ready>({ module, path, threads, gpu, prepare, settled }: HeldModelOptions<Ready>): HeldModel<Ready> {
  const count = threads ?? Math.max(1, availableParallelism() >> 1);
  let loading: Promise<{ readonly value: Ready; readonly loadMs: number; free(): Promise<void> }> | undefined;
  let closed = false;

  async function load() {
    const startedAt = performance.now();
    const words: string[] = [];
    // Its log goes nowhere but into the error: the process's output may carry a protocol.
    const logger = (level: string, message: string) => {
      if (/error|fatal/.test(level) && words.length < 3) words.push(message.trim());
    };
    const llama = await module.getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      maxThreads: count,
      logger,
      progressLogs: false,
    });
    try {
      const value = await prepare(await llama.loadModel({ modelPath: path }), count);
      return { value, loadMs: performance.now() - startedAt, free: () => llama.dispose() };
    } catch (cause) {
      await llama.dispose();
      const problem = [messageOf(cause), ...words].join('; ');
      throw new RagError('UPSTREAM_FAILED', `llama-cpp can't load ${path}: ${problem}. Is the file complete, and does it fit in memory?`, {
        adapter: 'llama-cpp',
        cause,
        retryable: false,
      });
    }
  }

  return {
    ready({ signal }) {
      if (closed) return Promise.reject(invalidInput('rag', 'it was closed; open it again'));
      if (loading === undefined) {
        loading = load();
        loading.catch(() => {
          loading = undefined; // a file that was repaired is found without a restart
        });
      }
      return abortable(loading, signal);
    },
    async close() {
      closed = true;
      const current = loading;
      loading = undefined;
      const loaded = await current?.catch(() => undefined);
      await settled();
      await loaded?.free();
    },
  };
}
