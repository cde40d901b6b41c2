import { availableParallelism } from 'node:os';
import type { CallOptions } from '../../core/contracts.js';
import { invalidInput, messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import type { Llama, LlamaCppModule, LlamaModel } from './llama-cpp-module.js';
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
    let model: LlamaModel | undefined;
    try {
      model = await (await openLlama(module, gpu)).loadModel({ modelPath: path });
      const loaded = model;
      return { value: await prepare(loaded, count), loadMs: performance.now() - startedAt, free: () => loaded.dispose() };
    } catch (cause) {
      await model?.dispose();
      const problem = `llama-cpp can't load ${path}: ${messageOf(cause)}. Is the file complete, and does it fit in memory?`;
      throw new RagError('UPSTREAM_FAILED', problem, { adapter: 'llama-cpp', cause, retryable: false });
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

/**
 * One for the process, never disposed of: models are freed one by one. The native code has a single log, which the end of one instance would
 * turn back to the process's output for all others; and disposing of one waits for ever once a model has failed to load (3.22.1).
 */
const instances = new WeakMap<LlamaCppModule, Map<boolean, Promise<Llama>>>();

function openLlama(module: LlamaCppModule, gpu: boolean): Promise<Llama> {
  const own = instances.get(module) ?? new Map<boolean, Promise<Llama>>();
  instances.set(module, own);
  const opened = own.get(gpu);
  if (opened !== undefined) return opened;
  const opening = module.getLlama({
    gpu: gpu ? 'auto' : false,
    build: 'never',
    skipDownload: true,
    maxThreads: 0, // each context has its own number
    logLevel: 'error',
    logger: () => {}, // what fails is thrown as well; the process's output may carry a protocol
    progressLogs: false,
  });
  own.set(gpu, opening);
  opening.catch(() => own.delete(gpu));
  return opening;
}
