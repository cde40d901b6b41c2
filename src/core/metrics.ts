import type { TextEvent } from './contracts.js';
import type { AnswerMetrics } from './types.js';

/** Follows one answer with a clock. */
export interface AnswerWatch {
  /** Call at each piece of text. */
  sawText(): void;
  /** Call at the end. */
  finish(end: Pick<Extract<TextEvent, { type: 'finish' }>, 'usage' | 'timings'>): AnswerMetrics;
}

export interface AnswerWatchParts {
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** When the whole call began. */
  readonly startedAt: number;
  /** null where nothing was retrieved. */
  readonly retrieveMs: number | null;
}

/**
 * Starts when the request goes to the engine.
 *
 * - TTFT: the engine's own figure where it tells one (`source: 'engine'`), else request to first text, less the wait for a free place.
 * - TPOT: the engine's own, else (last text − first text) / (output tokens − 1); null where all text came at once.
 * - Tokens per second: 1000 / TPOT, that is the output tokens after the first by their time. TTFT and queue don't dilute it.
 */
export function watchAnswer({ clock, startedAt, retrieveMs }: AnswerWatchParts): AnswerWatch {
  const requestedAt = clock();
  let firstTextAt: number | undefined;
  let lastTextAt = requestedAt;

  return {
    sawText() {
      lastTextAt = clock();
      firstTextAt ??= lastTextAt;
    },

    finish({ usage, timings }) {
      const queueMs = timings?.queueMs ?? null;
      const ownTtftMs = timings?.ttftMs ?? null;
      const textTtftMs = firstTextAt === undefined ? null : Math.max(0, firstTextAt - requestedAt - (queueMs ?? 0));
      const textMs = firstTextAt === undefined ? 0 : lastTextAt - firstTextAt;
      const tpotMs = timings?.tpotMs ?? meanAfterFirst(textMs, usage.outputTokens);
      return {
        ttftMs: ownTtftMs ?? textTtftMs,
        tpotMs,
        inputTokens: usage.inputTokens,
        cachedTokens: usage.cachedTokens ?? null,
        outputTokens: usage.outputTokens,
        tokensPerSecond: tpotMs === null || tpotMs === 0 ? null : 1000 / tpotMs,
        queueMs,
        loadMs: timings?.loadMs ?? null,
        retrieveMs,
        totalMs: clock() - startedAt,
        source: ownTtftMs === null ? 'client' : 'engine',
      };
    },
  };
}

function meanAfterFirst(elapsedMs: number, tokens: number | null): number | null {
  return tokens === null || tokens < 2 || elapsedMs <= 0 ? null : elapsedMs / (tokens - 1);
}
