import type { CallOptions, Embedder } from '../../core/contracts.js';
import { createGuardedCalls } from '../inference/guarded-calls.js';
import { embedSplitting } from './long-texts.js';
import { createMicroBatcher } from './micro-batch.js';
import { createPrefixedEmbedder } from './prefixed.js';
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
  const { id, dimensions, maxBatch, hybridWeight, queryPrefix, documentPrefix, engine, concurrency, retries } = parts;
  const calls = createGuardedCalls({ engine, concurrency, retries });
  const batcher = createMicroBatcher({
    maxBatch,
    concurrency,
    waitMs: parts.batchWaitMs,
    maxWaiting: Math.max(MAX_WAITING, maxBatch),
    call: (texts, signal) =>
      embedSplitting(texts, (some) => calls.run((callSignal) => parts.call(some, { signal: callSignal }), { signal })),
  });
  return createPrefixedEmbedder({
    id,
    dimensions,
    maxBatch,
    hybridWeight,
    queryPrefix,
    documentPrefix,
    embed: (texts, signal) => batcher.embed(texts, signal),
  });
}
