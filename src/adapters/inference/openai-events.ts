import type { Timings, Usage } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { broken } from './http.js';
import { HttpFailure, type Upstream, wordsOf } from './http-failure.js';
import { countOf, type Fields, fieldsOf } from './json.js';

/** What one event of a stream says. Names of another engine are mapped here, once. */
export interface StreamChunk {
  readonly text: string;
  /** Thoughts of a reasoning model are no text of the answer, but a sign of life. */
  readonly thought: boolean;
  /** Calls of tools, though none were offered. */
  readonly toolCall: boolean;
  readonly finishReason: string | undefined;
  readonly usage: Usage | undefined;
  readonly timings: (Omit<Timings, 'queueMs'> & { readonly queueMs: number | null }) | undefined;
}

/**
 * Reads the data of one event of `/chat/completions` or `/completions`.
 * @throws RagError UPSTREAM_FAILED: not JSON, or the engine's own failure in the middle of its answer
 */
export function readChunk(data: string, upstream: Upstream): StreamChunk {
  let value: Fields;
  try {
    value = fieldsOf(JSON.parse(data));
  } catch {
    throw broken(upstream, `an event that is not JSON: ${JSON.stringify(data.slice(0, 80))}`);
  }
  const { choices, usage, timings, metrics } = value;
  if (choices === undefined) throwIfFailure(value, upstream);
  const choice = fieldsOf(Array.isArray(choices) ? choices[0] : undefined);
  const delta = fieldsOf(choice['delta']);
  const text = delta['content'] ?? choice['text'];
  return {
    text: typeof text === 'string' ? text : '',
    // vLLM writes `reasoning`; its older versions, LMDeploy, llama-server and DeepSeek `reasoning_content`.
    thought: Boolean(delta['reasoning'] ?? delta['reasoning_content']),
    toolCall: Array.isArray(delta['tool_calls']) && delta['tool_calls'].length > 0,
    finishReason: typeof choice['finish_reason'] === 'string' ? choice['finish_reason'] : undefined,
    usage: usage === undefined || usage === null ? undefined : readUsage(fieldsOf(usage)),
    timings: readTimings(timings, metrics),
  };
}

/** The counts of a `usage` object. */
function readUsage(usage: Fields): Usage {
  return {
    inputTokens: countOf(usage['prompt_tokens']),
    outputTokens: countOf(usage['completion_tokens']),
    cachedTokens: countOf(fieldsOf(usage['prompt_tokens_details'])['cached_tokens']),
  };
}

/** llama-server's `timings`, vLLM's `metrics` (with `--enable-per-request-metrics`); undefined where the engine tells none. */
function readTimings(timings: unknown, metrics: unknown): StreamChunk['timings'] {
  if (typeof timings === 'object' && timings !== null) {
    const { prompt_ms, predicted_per_token_ms, predicted_ms, predicted_n } = fieldsOf(timings);
    const [total, tokens] = [countOf(predicted_ms), countOf(predicted_n)];
    const perToken = total === null || tokens === null || tokens === 0 ? null : total / tokens;
    return { ttftMs: countOf(prompt_ms), tpotMs: countOf(predicted_per_token_ms) ?? perToken, queueMs: null };
  }
  if (typeof metrics === 'object' && metrics !== null) {
    const { time_to_first_token_ms, mean_itl_ms, queue_time_ms } = fieldsOf(metrics);
    return { ttftMs: countOf(time_to_first_token_ms), tpotMs: countOf(mean_itl_ms), queueMs: countOf(queue_time_ms) };
  }
  return undefined;
}

function throwIfFailure(value: Fields, { name, adapter }: Upstream): void {
  const words = wordsOf(value);
  if (words === undefined) return;
  const code = countOf(fieldsOf(value['error'])['code']) ?? countOf(value['code']) ?? 500;
  throw new RagError('UPSTREAM_FAILED', `${name} failed while it answered: ${words.slice(0, 300)}`, {
    adapter,
    cause: new HttpFailure(code, words.slice(0, 300)),
    retryable: code === 429 || code >= 500,
  });
}
