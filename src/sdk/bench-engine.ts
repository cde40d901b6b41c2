import { randomUUID } from 'node:crypto';
import { type EngineLoadRow, loadEngine } from '../core/engine-load.js';
import { type OpenRagOptions, parseConfig } from './config.js';
import { isGenerator } from './parts.js';

export type { EngineLoadRow };

export interface BenchEngineOptions {
  /** @default [1, 4, 16, 32] */
  readonly levels?: readonly number[] | undefined;
  /** Requests of each level. @default 32 */
  readonly requests?: number | undefined;
  /** Longest answer, in tokens. @default 128 */
  readonly maxTokens?: number | undefined;
  /** @default a question with some 200 tokens of text */
  readonly prompt?: string | undefined;
  /** Told as each level ends. */
  readonly onLevel?: ((row: EngineLoadRow) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineLoad {
  readonly engine: string;
  readonly model: string;
  readonly rows: readonly EngineLoadRow[];
}

/** About what a question with its sources is: some hundred tokens of plain text. */
const PROMPT = `Explain in a few sentences what this text says about caches and why it matters.
${'A cache keeps the result of work that was done before, so that the same request is answered without doing it again. It must be bounded, and it must never answer with what is not true any more. '.repeat(4)}`;

/**
 * Measures the configured engine, the first of a list, at growing concurrency: TTFT, TPOT and throughput on one's own machine.
 * @throws RagError NO_ENGINE · CONFIG_INVALID · what the engine throws at the first request
 */
export async function benchEngine(
  config: Pick<OpenRagOptions, 'generator'>,
  options: BenchEngineOptions = {},
): Promise<EngineLoad> {
  const { levels = [1, 4, 16, 32], requests = 32, maxTokens = 128, prompt = PROMPT, onLevel, signal } = options;
  const most = Math.max(...levels);
  const [first] = parseConfig({ generator: config.generator }).generators ?? [];
  const { openGenerator } = await import('../adapters/inference/index.js');
  // Our own limit would queue what the engine is to be measured with.
  const one = first === undefined || isGenerator(first) ? first : { ...first, concurrency: Math.max(most, first.concurrency) };
  const generator = await openGenerator(
    one === undefined ? undefined : [one],
    { ollamaHost: process.env['OLLAMA_HOST'] },
    { signal },
  );
  const { engine, model } = generator;
  const clock = () => performance.now();
  try {
    const rows = await loadEngine(generator, { levels, requests, maxTokens, prompt, clock, nonce: randomUUID, onLevel, signal });
    return { engine, model, rows };
  } finally {
    await generator.close?.();
  }
}
