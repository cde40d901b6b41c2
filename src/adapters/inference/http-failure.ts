import { isRagError, messageOf, RagError, type RagErrorOptions } from '../../core/errors.js';

/** Error bodies are read up to here; what follows can't be words for a person. */
const LONGEST_WORDS = 2_000;

/** The cause of an error that a status stands behind: what retrying, failover and the circuit breaker decide by. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly status: number;
  /** Milliseconds that the server asked to wait (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, words: string, retryAfterMs?: number) {
    super(`${status}${words === '' ? '' : `: ${words}`}`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Who failed, for messages. */
export interface Upstream {
  /** @example 'openai-compatible' */
  readonly adapter: string;
  /** @example 'The engine at http://gpu:8000/v1' */
  readonly name: string;
  /** What to do when nobody listens. @example 'start it, or correct `generator.url`' */
  readonly advice: string;
}

/** Words in which servers say that an input is longer than the model reads: vLLM, llama-server, Ollama, LMDeploy, OpenAI. */
const TOO_LONG =
  /maximum context|context (length|size|window)|exceed_context|too large to process|input length exceeds|longer than the (maximum|model)|too many tokens|maximum (model|input|sequence) length/i;

/** llama-server and vLLM, of an embedding model that is asked to write. */
const EMBEDS_ONLY = /logits computation|does not support (chat|completions|generat)/i;

/** True when the server refused an input because of its length: no retry helps, a shorter input does. */
export function isTooLong(error: unknown): boolean {
  return isRagError(error) && !error.retryable && error.cause instanceof HttpFailure && TOO_LONG.test(error.cause.message);
}

/** The error of a response that isn't ok. Reads its body. */
export async function refusal(response: Response, upstream: Upstream): Promise<RagError> {
  const { status, headers } = response;
  const words = await errorWords(response);
  const cause = new HttpFailure(status, words, retryAfter(headers.get('retry-after'), Date.now()));
  const fail = (code: 'UNAUTHORIZED' | 'TIMEOUT' | 'UPSTREAM_FAILED', advice = '', options: RagErrorOptions = {}) =>
    new RagError(code, `${upstream.name} answered ${cause.message}${advice === '' ? '' : `. ${advice}`}`, {
      cause,
      adapter: upstream.adapter,
      ...options,
    });
  if (status === 401 || status === 403) return fail('UNAUTHORIZED');
  if (status === 408 || status === 504) return fail('TIMEOUT');
  if (TOO_LONG.test(words) && status !== 429) {
    return fail('UPSTREAM_FAILED', 'The text is longer than the model reads: ask for fewer hits (topK), or cut smaller chunks', {
      retryable: false,
    });
  }
  if (EMBEDS_ONLY.test(words)) {
    return fail('UPSTREAM_FAILED', 'This model only embeds; name another one in `model`', { retryable: false });
  }
  if (status === 404 || status === 405) {
    const advice = /model|does not exist/i.test(words)
      ? 'Name a model that it serves in `model`'
      : 'Correct `url`, up to and including `/v1`; does this server offer such calls?';
    return fail('UPSTREAM_FAILED', advice, { retryable: false });
  }
  return fail('UPSTREAM_FAILED', '', { retryable: status === 429 || (status >= 500 && status !== 501) });
}

/** Anything that a call threw on its way, in our terms. */
export function transportFailure(error: unknown, { adapter, name, advice }: Upstream): RagError {
  if (isRagError(error)) return error;
  const { code = '', message } = rootCause(error);
  const fail = (kind: 'CONNECTION_FAILED' | 'TIMEOUT' | 'UPSTREAM_FAILED', words: string, options: RagErrorOptions = {}) =>
    new RagError(kind, words, { cause: error, adapter, ...options });
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return fail('TIMEOUT', `${name} was silent for too long (${code})`);
  }
  if (/CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code)) {
    const trust = 'if it is your own, start hotrag with NODE_EXTRA_CA_CERTS=<its certificate, or that of its authority, as PEM>';
    return fail('CONNECTION_FAILED', `${name} shows a certificate that is not trusted (${code}): ${trust}`, { retryable: false });
  }
  if (/ERR_SSL|EPROTO/.test(code)) {
    return fail('CONNECTION_FAILED', `${name} does not speak TLS (${code}): should its address begin with http://?`, {
      retryable: false,
    });
  }
  if (error instanceof TypeError && error.message === 'terminated') {
    return fail('CONNECTION_FAILED', `${name} closed the connection in the middle of its answer`);
  }
  if (error instanceof TypeError && error.message === 'fetch failed') {
    return fail('CONNECTION_FAILED', `${name} can't be reached (${code || message}): ${advice}`);
  }
  return fail('UPSTREAM_FAILED', `${name} failed: ${messageOf(error)}`);
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  if (header.trim() !== '' && Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What an error body says: `{ error: text }`, `{ error: { message } }`, `{ detail }`, or the beginning of any other text. */
export function wordsOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  for (const name of ['error', 'message', 'detail']) {
    const value: unknown = Reflect.get(body, name);
    if (typeof value === 'string') return value;
    const inner = wordsOf(value);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** What the body of an error says; its beginning where that is no JSON. */
export async function errorWords(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > LONGEST_WORDS) break;
  }
  let words: string | undefined;
  try {
    words = wordsOf(JSON.parse(text));
  } catch {
    // not JSON: a proxy's page
  }
  return (words ?? text).slice(0, 300).replace(/\s+/g, ' ').trim();
}

/** `fetch failed` says nothing; what happened stands in its causes. */
function rootCause(error: unknown): { readonly code: string | undefined; readonly message: string } {
  let deepest = error;
  for (let depth = 0; depth < 8 && deepest instanceof Error && deepest.cause !== undefined; depth++) deepest = deepest.cause;
  // Several addresses of one name failed: what the first one said.
  if (deepest instanceof AggregateError) deepest = deepest.errors[0] ?? deepest;
  const code: unknown = typeof deepest === 'object' && deepest !== null ? Reflect.get(deepest, 'code') : undefined;
  return { code: typeof code === 'string' ? code : undefined, message: messageOf(deepest) };
}
