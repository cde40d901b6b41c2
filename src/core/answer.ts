import { DEFAULT_CONTEXT_TOKENS, fitPrompt, promptBudget } from './budget.js';
import type { ChatMessage, TextGenerator } from './contracts.js';
import { isRagError, messageOf, RagError } from './errors.js';
import { watchAnswer } from './metrics.js';
import type { PromptBuilder } from './prompt.js';
import type { Answer, AnswerEvent, AnswerSource, Hit } from './types.js';

/** What the model will be asked. */
export interface PreparedAnswer {
  readonly messages: readonly ChatMessage[];
  /** The hits that the messages hold: [1] is the first. */
  readonly hits: readonly Hit[];
  /** All that retrieval found: what an error carries. */
  readonly found: readonly Hit[];
}

export interface PrepareRequest {
  readonly question: string;
  readonly hits: readonly Hit[];
  readonly history?: readonly ChatMessage[] | undefined;
  readonly prompt: PromptBuilder;
  /** Tokens that question and answer may take together. @default 8192 */
  readonly contextTokens?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/**
 * The first half of an answer: which hits go to the model, in which words. Pure, so that it may run twice.
 * @throws RagError INPUT_INVALID when nothing fits (core/budget.ts), with the hits
 */
export function prepareAnswer(request: PrepareRequest): PreparedAnswer {
  const { question, hits, history = [], prompt, contextTokens = DEFAULT_CONTEXT_TOKENS, maxTokens } = request;
  try {
    const budget = promptBudget(contextTokens, maxTokens);
    return { ...fitPrompt({ build: prompt, question, hits, history, budget }), found: hits };
  } catch (error) {
    throw isRagError(error) ? withHits(error, hits) : error; // anything else was thrown by a prompt function of the user's own
  }
}

export interface Sampling {
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
}

export interface CompleteRequest {
  readonly generator: TextGenerator;
  readonly prepared: PreparedAnswer;
  readonly sampling?: Sampling | undefined;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** When the whole call began, on that clock. */
  readonly startedAt: number;
  readonly retrieveMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** What `completeAnswer` tells; the caller has told the hits. */
export type AnswerStep = Exclude<AnswerEvent, { type: 'hits' }>;

/**
 * The second half: the text as it comes, then the answer. Leaving the loop stops the engine.
 * @throws RagError of the generator, or UPSTREAM_FAILED (no text, no end); each with the hits · `signal.reason` once aborted
 */
export async function* completeAnswer(request: CompleteRequest): AsyncGenerator<AnswerStep, void, undefined> {
  const { generator, prepared, sampling, signal } = request;
  const deltas: string[] = [];
  try {
    signal?.throwIfAborted();
    const watch = watchAnswer(request);
    for await (const event of generator.generate({ messages: prepared.messages, ...sampling }, { signal })) {
      signal?.throwIfAborted();
      switch (event.type) {
        case 'text-delta':
          if (event.text === '') continue;
          watch.sawText();
          deltas.push(event.text);
          yield event;
          break;
        case 'finish': {
          const text = deltas.join('');
          if (text.trim() === '') throw noText(generator, event.reason);
          const { engine, model } = event.by ?? generator;
          const metrics = watch.finish(event);
          const sources = listSources(prepared.hits, text);
          yield { type: 'finish', answer: { text, sources, finish: event.reason, cached: false, engine, model, metrics } };
          return;
        }
      }
    }
    throw failed(generator, 'the stream ended before its finish event');
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw withHits(isRagError(error) ? error : failed(generator, messageOf(error), error), prepared.found);
  }
}

/** The same error with what retrieval had found, so that a failed answer is still a search result. */
export function withHits(error: RagError, hits: readonly Hit[]): RagError {
  const { code, message, cause, adapter, retryable, stack } = error;
  const enriched = new RagError(code, message, { cause, adapter, retryable, hits });
  if (stack !== undefined) enriched.stack = stack; // where it failed, not where the hits were added
  return enriched;
}

/** Sources in the model's numbering; cited are those whose number stands in brackets: [1], [1][2], [1, 2], [1-3], 【1】. */
function listSources(hits: readonly Hit[], text: string): Answer['sources'] {
  const cited = new Set<number>();
  for (const [, numbers = ''] of text.matchAll(CITATION)) {
    for (const part of numbers.split(/[,;]/)) {
      const [first = 0, last = first] = part.split(/[-–]/).map(Number);
      for (let number = first; number <= Math.min(last, hits.length); number++) cited.add(number);
    }
  }
  return hits.map((hit, position): AnswerSource => {
    const index = position + 1;
    return { index, cited: cited.has(index), hitId: hit.id, documentId: hit.documentId, uri: hit.uri };
  });
}

const CITATION = /[[【]\s?(\d{1,4}(?:\s?[,;–-]\s?\d{1,4})*)\s?[\]】]/g;

function noText(generator: TextGenerator, reason: 'stop' | 'length'): RagError {
  return failed(
    generator,
    reason === 'length'
      ? 'all tokens were spent before any text came (thinking counts); raise maxTokens'
      : 'the model gave no text',
  );
}

function failed({ engine, model }: TextGenerator, problem: string, cause?: unknown): RagError {
  return new RagError('UPSTREAM_FAILED', `${engine} ${model}: ${problem}`, { adapter: engine, cause });
}
