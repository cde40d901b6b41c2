import type { ModelInfo } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { createHttp, type Http } from './http.js';
import { HttpFailure } from './http-failure.js';
import { fieldsOf } from './json.js';
import { openAiBase } from './openai-address.js';

/** Models, health and figures are small; a server that needs longer for them is not well. */
const SHORT_MS = 10_000;

/** Where a server with OpenAI's interface is, and how to talk to it. */
export interface OpenAiConnection {
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
}

/** A model as `/v1/models` lists it. */
export interface ListedModel {
  readonly id: string;
  /** Tokens of prompt and answer; undefined where the server doesn't tell. */
  readonly contextTokens: number | undefined;
  /** `llamacpp`, `vllm` … */
  readonly owner: string | undefined;
  readonly info: ModelInfo;
}

/**
 * HTTP to a server with OpenAI's interface.
 * @param part how messages name its options: `generator`, `embedder`, `reranker`
 * @throws RagError CONFIG_INVALID (the url)
 */
export function createOpenAiHttp({ url, apiKey, fetch }: OpenAiConnection, part: string): Http {
  const address = openAiBase(url);
  if ('problem' in address) throw new RagError('CONFIG_INVALID', `${part}.url: ${address.problem}`);
  const headers = apiKey === undefined ? address.headers : { authorization: `Bearer ${apiKey}` };
  const upstream = {
    adapter: 'openai-compatible',
    name: `The engine at ${address.base}`,
    advice: `start it, or correct \`${part}.url\``,
  };
  return createHttp({ base: address.base, headers, upstream, fetch });
}

/**
 * The models that a server has.
 * @throws RagError as any call; UPSTREAM_FAILED with a cause of status 404 where the server has no such list
 */
export async function listModels(http: Http, signal?: AbortSignal): Promise<readonly ListedModel[]> {
  const { data } = await http.json('/models', { signal, timeoutMs: SHORT_MS });
  return (Array.isArray(data) ? data : []).flatMap((model: unknown) => {
    const { id, max_model_len, owned_by, meta } = fieldsOf(model);
    if (typeof id !== 'string') return [];
    const told = fieldsOf(meta);
    const contextTokens = [max_model_len, told['n_ctx']].find((value) => typeof value === 'number' && value > 0);
    const quantization = typeof told['ftype'] === 'string' ? told['ftype'] : undefined;
    const size = typeof told['n_params'] === 'number' ? `${(told['n_params'] / 1e9).toPrecision(2)}B` : undefined;
    const owner = typeof owned_by === 'string' ? owned_by : undefined;
    return [{ id, contextTokens: contextTokens as number | undefined, owner, info: { quantization, size } }]; // found as a number above
  });
}

/** What llama-server tells of each of its places, beside the interface; undefined where there is nothing of the kind. */
export async function llamaServerContext(http: Http, signal?: AbortSignal): Promise<number | undefined> {
  try {
    const { default_generation_settings: settings } = await http.json('/../props', { signal, timeoutMs: SHORT_MS });
    const size = fieldsOf(settings)['n_ctx'];
    return typeof size === 'number' && size > 0 ? size : undefined;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined; // only a hint was asked for
  }
}

/**
 * Resolves when the server is well. `/health` where there is one, else the list of models.
 * @throws RagError what is wrong
 */
export async function checkHealth(http: Http, signal?: AbortSignal, timeoutMs = SHORT_MS): Promise<void> {
  try {
    await http.text('/../health', { signal, timeoutMs });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    await http.text('/models', { signal, timeoutMs });
  }
}

/** The server's own figures, in Prometheus' text form. */
export function readMetrics(http: Http, signal?: AbortSignal): Promise<string> {
  return http.text('/../metrics', { signal, timeoutMs: SHORT_MS });
}

/** True when one of these statuses stands behind the error. */
export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof Error && error.cause instanceof HttpFailure && statuses.includes(error.cause.status);
}
