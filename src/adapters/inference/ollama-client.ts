import type { Ollama } from 'ollama';
import { isRagError, messageOf, RagError, type RagErrorOptions } from '../../core/errors.js';
import { ndjsonGuard } from './ndjson.js';

/** Where Ollama listens unless told otherwise. */
const OLLAMA_URL = 'http://127.0.0.1:11434';

/** Error bodies are read up to here; what follows can't be words for a person. */
const LONGEST_WORDS = 2_000;

export interface OllamaConnection {
  /** As `OLLAMA_HOST` may have it: a URL, `host`, `host:port`. @default OLLAMA_URL */
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * The npm client for one call. It can't cancel before the first byte, skips broken lines, and prints error bodies on stdout
 * (which belongs to the protocol under `serve`), so what it fetches is watched here: every request gets the signal, every
 * failed response becomes a RagError before the client sees it, every line of a stream is checked.
 * @throws RagError DEPENDENCY_MISSING · CONFIG_INVALID (the url)
 */
export async function connectOllama(connection: OllamaConnection, signal: AbortSignal): Promise<Ollama> {
  const { url, headers } = ollamaAddress(connection);
  const { Ollama } = await import('ollama').catch((cause: unknown) => {
    throw new RagError('DEPENDENCY_MISSING', 'The package `ollama` cannot be loaded', { cause, adapter: 'ollama' });
  });
  const send = connection.fetch ?? fetch;
  return new Ollama({
    host: url,
    headers,
    fetch: async (input, init) => {
      const response = await send(input, { ...init, signal });
      if (!response.ok) throw await refused(response, url);
      if (!String(input).endsWith('/api/chat') || response.body === null) return response;
      const broken = (problem: string) => failed(`Ollama at ${url} sent ${problem}; is it an Ollama?`);
      return new Response(response.body.pipeThrough(ndjsonGuard(broken)), { status: response.status });
    },
  });
}

/**
 * The server's address and the headers to send, from what OLLAMA_HOST or a configuration says. A server's bind address (0.0.0.0,
 * [::]) becomes the loopback that it can be reached by; user and password become a header, so that no message shows them.
 * @throws RagError CONFIG_INVALID
 */
export function ollamaAddress({ url: text = '', apiKey }: OllamaConnection): {
  readonly url: string;
  readonly headers: Record<string, string>;
} {
  const trimmed = text.trim();
  const hasScheme = trimmed.includes('://');
  let url: URL;
  try {
    url = new URL(
      trimmed === '' ? OLLAMA_URL : hasScheme ? trimmed : `http://${trimmed.startsWith(':') ? '127.0.0.1' : ''}${trimmed}`,
    );
  } catch (cause) {
    throw new RagError('CONFIG_INVALID', 'generator.url: not an address; write it like http://127.0.0.1:11434', {
      cause,
      adapter: 'ollama',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RagError('CONFIG_INVALID', `generator.url: ${url.protocol}// is not spoken; http:// and https:// are`, {
      adapter: 'ollama',
    });
  }
  if (!hasScheme && url.port === '' && !/:80\/?$/.test(trimmed)) url.port = '11434'; // URL drops a scheme's own port
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  const login = url.username === '' ? undefined : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers: Record<string, string> = {};
  if (apiKey !== undefined) headers.Authorization = `Bearer ${apiKey}`;
  else if (login !== undefined) headers.Authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  return { url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`, headers };
}

/** Anything that a call threw, in our terms. */
export function ollamaFailure(error: unknown, url: string): RagError {
  if (isRagError(error)) return error;
  const { code, message } = rootCause(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new RagError('TIMEOUT', `Ollama at ${url} was silent for too long (${code})`, { cause: error, adapter: 'ollama' });
  }
  if (error instanceof TypeError && error.message === 'terminated') {
    return new RagError('CONNECTION_FAILED', `Ollama at ${url} closed the connection in the middle of its answer`, {
      cause: error,
      adapter: 'ollama',
    });
  }
  if (error instanceof TypeError && error.message === 'fetch failed') {
    const advice = 'start it with `ollama serve`, or correct `generator.url`';
    return new RagError('CONNECTION_FAILED', `No Ollama can be reached at ${url} (${code ?? message}): ${advice}`, {
      cause: error,
      adapter: 'ollama',
    });
  }
  return failed(`Ollama at ${url} failed: ${messageOf(error)}`, { cause: error });
}

/** The error of a response that isn't ok. */
async function refused(response: Response, url: string): Promise<RagError> {
  const { status } = response;
  const words = await errorWords(response);
  const said = `Ollama at ${url} answered ${status}${words === '' ? '' : `: ${words}`}`;
  if (status === 401 || status === 403) return new RagError('UNAUTHORIZED', said, { adapter: 'ollama' });
  if (status === 408 || status === 504) return new RagError('TIMEOUT', said, { adapter: 'ollama' });
  if (/exceeds? the (available )?context/.test(words)) {
    const advice = 'ask for fewer hits (topK), or raise `generator.options.num_ctx`';
    return failed(`${said}. The prompt is longer than the model's context: ${advice}`, { retryable: false });
  }
  if (status === 404 && /model/i.test(words)) {
    return failed(
      `${said}. Fetch it with \`ollama pull\`, or name another one in \`generator.model\`; \`ollama list\` shows those installed`,
      {
        retryable: false,
      },
    );
  }
  return failed(status === 404 ? `${said}; is it an Ollama?` : said, { retryable: status === 429 || status >= 500 });
}

/** What an error body says: Ollama's `{ error }`, or the beginning of any other text. */
async function errorWords(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > LONGEST_WORDS) break;
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string') return body.error;
  } catch {
    // not JSON: a proxy's page
  }
  return text.slice(0, 200).replace(/\s+/g, ' ').trim();
}

function failed(message: string, options: RagErrorOptions = {}): RagError {
  return new RagError('UPSTREAM_FAILED', message, { ...options, adapter: 'ollama' });
}

/** `fetch failed` says nothing; what happened stands in its causes. */
function rootCause(error: unknown): { readonly code: string | undefined; readonly message: string } {
  let deepest = error;
  for (let depth = 0; depth < 8 && deepest instanceof Error && deepest.cause !== undefined; depth++) deepest = deepest.cause;
  const hasCode = typeof deepest === 'object' && deepest !== null && 'code' in deepest && typeof deepest.code === 'string';
  return { code: hasCode ? String((deepest as { code: unknown }).code) : undefined, message: messageOf(deepest) };
}
