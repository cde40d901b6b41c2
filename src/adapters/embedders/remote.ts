import type { CallOptions, Embedder } from '../../core/contracts.js';
import { createGuardedCalls } from '../inference/guarded-calls.js';
import { embedSplitting } from './long-texts.js';
import { createMicroBatcher } from './micro-batch.js';
import type { RemoteEmbedderOptions } from './remote-options.js';

/** Texts that may wait for a call; more callers wait until some of them are served. */
const MAX_WAITING = 4096;

export interface RemoteEmbedderParts extends Omit<RemoteEmbedderOptions, 'timeoutMs'> {
  /** Runtime, model and quantisation. */
  readonly id: string;
  readonly dimensions: number;
  /** Who is called, for messages. */
  readonly engine: string;
  /** One call of the server. @throws RagError; one for which `isTooLong` is true when a text is longer than the model reads */
  readonly call: (texts: readonly string[], options: CallOptions) => Promise<readonly Float32Array[]>;
}

/** An embedder on a server: prefixes, micro-batching, retries, a circuit breaker, and texts longer than the model reads. */
export function createRemoteEmbedder(parts: RemoteEmbedderParts): Embedder {
  const { id, dimensions, maxBatch, hybridWeight, queryPrefix = '', documentPrefix = '', engine, concurrency, retries } = parts;
  const calls = createGuardedCalls({ engine, concurrency, retries });
  const batcher = createMicroBatcher({
    maxBatch,
    concurrency,
    waitMs: parts.batchWaitMs,
    maxWaiting: Math.max(MAX_WAITING, maxBatch),
    call: (texts, signal) =>
      embedSplitting(texts, (some) => calls.run((callSignal) => parts.call(some, { signal: callSignal }), { signal })),
  });
  const prefixes = [queryPrefix, documentPrefix].some((prefix) => prefix !== '');
  return {
    id: prefixes ? `${id}?${encodeURIComponent(JSON.stringify([queryPrefix, documentPrefix]))}` : id,
    dimensions,
    maxBatch,
    ...(hybridWeight !== undefined && { hybridWeight }),
    async embed(texts, { role = 'document', signal } = {}) {
      signal?.throwIfAborted();
      const prefix = role === 'query' ? queryPrefix : documentPrefix;
      // Nothing to compare: servers refuse an empty text, or give the vector of their marks.
      const filled = texts.flatMap((text, index) => (text.trim() === '' ? [] : [{ text: prefix + text, index }]));
      const vectors =
        filled.length === 0
          ? []
          : await batcher.embed(
              filled.map(({ text }) => text),
              signal,
            );
      const all: Float32Array[] = texts.map(() => new Float32Array(dimensions));
      for (const [place, { index }] of filled.entries()) all[index] = vectors[place] ?? new Float32Array(dimensions);
      return all;
    },
  };
}
