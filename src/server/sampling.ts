import { completeAnswer, prepareAnswer } from '../core/answer.js';
import type { TextGenerator } from '../core/contracts.js';
import { isRagError, RagError } from '../core/errors.js';
import { createPromptBuilder } from '../core/prompt.js';
import type { Answer, Hit } from '../core/types.js';
import type { SampleRequest, SampleResult } from './round-trip.js';

/** What stands as `engine` of an answer that the calling assistant's own model wrote. */
export const CLIENT_ENGINE = 'client';

export interface SampleAnswerRequest {
  readonly question: string;
  /** What retrieval had found before it turned out that no engine can be reached. */
  readonly hits: readonly Hit[];
  readonly sample: (request: SampleRequest) => Promise<SampleResult>;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly retrieveMs: number;
  readonly signal: AbortSignal;
}

/** The hits of an error that says no engine can be reached; undefined for every other error. */
export function hitsWithoutEngine(error: unknown): readonly Hit[] | undefined {
  if (!isRagError(error)) return undefined;
  return error.code === 'NO_ENGINE' || error.code === 'CONNECTION_FAILED' ? error.hits : undefined;
}

/**
 * An answer by the client's own model, prompted and cited like every other. What nobody measured there is null; `totalMs` is the time
 * spent here.
 */
export async function sampleAnswer(request: SampleAnswerRequest): Promise<Answer> {
  const { question, hits, sample, retrieveMs, signal, ...sampling } = request;
  const prepared = prepareAnswer({ question, hits, prompt: createPromptBuilder(), maxTokens: sampling.maxTokens });
  const { text, model, finish } = await sample({ ...sampling, messages: prepared.messages });
  const clock = () => performance.now();
  const generator: TextGenerator = {
    id: CLIENT_ENGINE,
    engine: CLIENT_ENGINE,
    model,
    async *generate() {
      yield { type: 'text-delta', text };
      yield { type: 'finish', reason: finish, usage: { inputTokens: null, outputTokens: null } };
    },
  };
  const startedAt = clock();
  for await (const step of completeAnswer({ generator, prepared, clock, startedAt, retrieveMs, signal })) {
    if (step.type === 'finish') return { ...step.answer, metrics: metricsOf(retrieveMs, clock() - startedAt) };
  }
  throw new RagError('UPSTREAM_FAILED', 'the answer ended before it was finished', { hits });
}

function metricsOf(retrieveMs: number, ms: number): Answer['metrics'] {
  const unknown = { ttftMs: null, tpotMs: null, inputTokens: null, outputTokens: null, tokensPerSecond: null };
  const elsewhere = { queueMs: null, cachedTokens: null, loadMs: null };
  return { ...unknown, ...elsewhere, retrieveMs, totalMs: retrieveMs + ms, source: 'client' };
}
