import { completeAnswer, prepareAnswer, withHits } from './answer.js';
import type { ChatMessage, LocalCache, TextGenerator } from './contracts.js';
import { isRagError, RagError } from './errors.js';
import { abortable, eitherSignal } from './flow.js';
import { deepFreeze } from './freeze.js';
import { createLive, type Live } from './live.js';
import type { Memo } from './memo.js';
import type { PromptBuilder } from './prompt.js';
import { rewriteQuestion } from './rewrite.js';
import type { Answer, AnswerEvent, GenerateOptions, Hit, SearchResult } from './types.js';

/** How many messages of a session are kept: eight turns. */
const SESSION_MESSAGES = 16;

/** What an answer's cache keeps: enough to tell it again as it was told. */
export interface KeptAnswer {
  readonly answer: Answer;
  readonly hits: readonly Hit[];
}

export interface AnsweringParts {
  /** @throws RagError NO_ENGINE */
  readonly generator: () => Promise<TextGenerator>;
  readonly prompt: PromptBuilder;
  readonly memo: Memo<KeptAnswer>;
  readonly sessions: LocalCache<readonly ChatMessage[]>;
  readonly search: (queries: string | readonly string[], options: GenerateOptions) => Promise<SearchResult>;
  /** Everything that the hits depend on, the collection's version included; also checks the request. */
  readonly searchKey: (question: string, options: GenerateOptions) => Promise<string>;
  readonly sessionScope: (options: GenerateOptions) => string;
  readonly clock: () => number;
}

/**
 * Answers as streams. Those that were given before come from the cache; those asked for at the same time share one run of the
 * engine, which ends when its last watcher leaves.
 */
export function createAnswering(parts: AnsweringParts) {
  const { clock, memo, sessions } = parts;
  const running = new Map<string, Live<AnswerEvent>>();

  return async function* answer(question: string, options: GenerateOptions): AsyncGenerator<AnswerEvent, void, undefined> {
    const startedAt = clock();
    const leaving = new AbortController();
    const signal = eitherSignal(options.signal, leaving.signal);
    signal.throwIfAborted();
    const { maxTokens, temperature, session, rewrite = 'off' } = options;
    const turns = openSession(
      sessions,
      session === undefined ? undefined : JSON.stringify([parts.sessionScope(options), session]),
    );

    const searchKey = await parts.searchKey(question, { ...options, signal });
    const generator = await abortable(parts.generator(), signal).catch(async (error: unknown) => {
      if (!isRagError(error)) throw error;
      throw withHits(error, (await parts.search(question, { ...options, signal })).hits);
    });
    const { id, contextTokens } = generator;
    const key = JSON.stringify([searchKey, turns.history, id, contextTokens, maxTokens, temperature, rewrite]);

    const kept = memo.peek(key) ?? (await memo.fetch(key, { signal }));
    if (kept !== undefined) {
      turns.add(question, kept.answer.text);
      yield { type: 'hits', hits: kept.hits };
      yield { type: 'text-delta', text: kept.answer.text };
      yield { type: 'finish', answer: { ...kept.answer, cached: 'exact', metrics: cachedMetrics(clock() - startedAt) } };
      return;
    }

    /** The one run that all who ask the same at this time watch. */
    async function run(live: Live<AnswerEvent>, flight: AbortSignal): Promise<KeptAnswer> {
      const { prompt } = parts;
      const { history } = turns;
      const searchedAt = clock();
      const asked = { rewrite, question, history, signal: flight };
      const queries = await rewriteQuestion(generator, asked).catch(async (error: unknown) => {
        if (!isRagError(error)) throw error;
        throw withHits(error, (await parts.search(question, { ...options, signal: flight })).hits);
      });
      const { hits } = await parts.search(queries ?? question, { ...options, signal: flight });
      const retrieveMs = clock() - searchedAt;
      live.push({ type: 'hits', hits });
      const prepared = prepareAnswer({ question, hits, history, prompt, contextTokens, maxTokens });
      const sampling = { maxTokens, temperature };
      for await (const step of completeAnswer({ generator, prepared, sampling, clock, startedAt, retrieveMs, signal: flight })) {
        if (step.type === 'finish') return deepFreeze({ answer: { ...step.answer, ...(queries && { queries }) }, hits });
        live.push(step);
      }
      throw new RagError('UPSTREAM_FAILED', `${generator.engine} ${generator.model}: the answer has no end`, { hits });
    }

    const flying = memo.compute(
      key,
      (flight) => {
        const live = createLive<AnswerEvent>();
        running.set(key, live);
        return run(live, flight).finally(() => {
          live.end();
          if (running.get(key) === live) running.delete(key);
        });
      },
      { signal },
    );
    flying.catch(() => {}); // thrown below, once the events before it are told
    try {
      const live = running.get(key);
      if (live !== undefined) yield* live.watch(signal);
      const { answer } = (await flying).value;
      turns.add(question, answer.text);
      yield { type: 'finish', answer };
    } finally {
      leaving.abort();
    }
  };
}

/** The turns before, where a session is named; what is added is seen by the next call. */
function openSession(sessions: LocalCache<readonly ChatMessage[]>, key: string | undefined) {
  const history = (key === undefined ? undefined : sessions.get(key)) ?? [];
  return {
    history,
    add(question: string, answer: string): void {
      if (key === undefined) return;
      const turns: ChatMessage[] = [...history, { role: 'user', content: question }, { role: 'assistant', content: answer }];
      const kept = turns.slice(-SESSION_MESSAGES);
      sessions.set(key, kept, JSON.stringify(kept).length * 2);
    },
  };
}

/** No engine was asked, so its figures have no value. */
function cachedMetrics(totalMs: number): Answer['metrics'] {
  const none = { ttftMs: null, tpotMs: null, inputTokens: null, cachedTokens: null, outputTokens: null, tokensPerSecond: null };
  return { ...none, queueMs: null, loadMs: null, retrieveMs: null, totalMs, source: 'client' };
}
