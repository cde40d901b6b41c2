import type { CallOptions, TextGenerator } from './contracts.js';
import { messageOf } from './errors.js';
import { watchAnswer } from './metrics.js';
import type { AnswerMetrics } from './types.js';

export interface EngineLoadOptions extends CallOptions {
  /** How many requests run at the same time, one row of the result each. */
  readonly levels: readonly number[];
  /** Requests of each level; at least as many as run at the same time. */
  readonly requests: number;
  /** Longest answer, in tokens. */
  readonly maxTokens: number;
  /** What is asked. Each request begins with a word of its own, so that no prefix cache answers for the engine. */
  readonly prompt: string;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Different at every call. */
  readonly nonce: () => string;
  readonly onLevel?: ((row: EngineLoadRow) => void) | undefined;
}

/** Milliseconds; medians over the requests that succeeded, null where the engine tells no tokens or none succeeded. */
export interface EngineLoadRow {
  readonly concurrency: number;
  readonly requests: number;
  readonly failed: number;
  /** The first failure's words. */
  readonly failure?: string | undefined;
  readonly ttftMs: number | null;
  readonly ttftP95Ms: number | null;
  readonly tpotMs: number | null;
  /** Output tokens of all requests by the time of the whole level: what the engine as a whole yields. */
  readonly tokensPerSecond: number | null;
}

/**
 * Measures an engine under growing concurrency: more at once raise its throughput, until each one waits longer than it gains. One request
 * goes before, so that loading the model isn't counted.
 * @throws what the first request throws: an engine that answers nothing has nothing to measure · `signal.reason` once aborted
 */
export async function loadEngine(generator: TextGenerator, options: EngineLoadOptions): Promise<readonly EngineLoadRow[]> {
  const { levels, onLevel } = options;
  await askOnce(generator, options);
  const rows: EngineLoadRow[] = [];
  for (const concurrency of levels) {
    const row = await loadLevel(generator, concurrency, options);
    rows.push(row);
    onLevel?.(row);
  }
  return rows;
}

async function loadLevel(generator: TextGenerator, concurrency: number, options: EngineLoadOptions): Promise<EngineLoadRow> {
  const { clock, signal } = options;
  const requests = Math.max(options.requests, concurrency);
  const answered: AnswerMetrics[] = [];
  const failures: string[] = [];
  let left = requests;
  const startedAt = clock();
  const runners = Array.from({ length: concurrency }, async () => {
    while (left-- > 0) {
      try {
        answered.push(await askOnce(generator, options));
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(messageOf(error));
      }
    }
  });
  await Promise.all(runners);
  const seconds = (clock() - startedAt) / 1000;
  const tokens = answered.reduce((sum, { outputTokens }) => sum + (outputTokens ?? 0), 0);
  const ttfts = answered.flatMap(({ ttftMs }) => ttftMs ?? []);
  return {
    concurrency,
    requests,
    failed: failures.length,
    failure: failures[0],
    ttftMs: share(ttfts, 0.5),
    ttftP95Ms: share(ttfts, 0.95),
    tpotMs: share(
      answered.flatMap(({ tpotMs }) => tpotMs ?? []),
      0.5,
    ),
    tokensPerSecond: tokens === 0 ? null : tokens / seconds,
  };
}

async function askOnce(
  generator: TextGenerator,
  { prompt, maxTokens, clock, nonce, signal }: EngineLoadOptions,
): Promise<AnswerMetrics> {
  const watch = watchAnswer({ clock, startedAt: clock(), retrieveMs: null });
  const request = { messages: [{ role: 'user', content: `${nonce()} ${prompt}` }], maxTokens, temperature: 0 } as const;
  for await (const event of generator.generate(request, { signal })) {
    if (event.type === 'finish') return watch.finish(event);
    watch.sawText();
  }
  throw new Error('the answer has no end');
}

/** The value that this share of all are not above. */
function share(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
}
