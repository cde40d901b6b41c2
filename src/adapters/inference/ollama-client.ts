import type { Ollama } from 'ollama';
import { RagError } from '../../core/errors.js';
import { errorWords, HttpFailure, retryAfter, transportFailure, type Upstream } from './http-failure.js';
import { ndjsonGuard } from './ndjson.js';

/** Where Ollama listens unless told otherwise. */
const OLLAMA_URL = 'http://127.0.0.1:11434';

/** Of one reply, a streamed one included: 128,000 tokens, each in a line of 250 bytes, and some reserve. */
const LARGEST_REPLY = 64 * 1024 * 1024;

export interface OllamaConnection {
  /** As `OLLAMA_HOST` may have it: a URL, `host`, `host:port`. @default OLLAMA_URL */
  readonly url?: string | undefined;
  readonly apiKey?: string | undefined;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
  /** How messages name its options. @default 'generator' */
  readonly part?: 'generator' | 'embedder' | undefined;
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
      if (!response.ok) throw await refused(response, connection);
      if (response.body === null) return response;
      const broken = (problem: string) =>
        new RagError('UPSTREAM_FAILED', `Ollama at ${url} sent ${problem}; is it an Ollama?`, { adapter: 'ollama' });
      const bounded = response.body.pipeThrough(limitBytes(() => broken(`a reply of over ${LARGEST_REPLY} bytes`)));
      const isStream = String(init?.body).includes('"stream":true');
      return new Response(isStream ? bounded.pipeThrough(ndjsonGuard(broken)) : bounded, { status: response.status });
    },
  });
}

/**
 * The server's address and the headers to send, from what OLLAMA_HOST or a configuration says. A server's bind address (0.0.0.0,
 * [::]) becomes the loopback that it can be reached by; user and password become a header, so that no message shows them.
 * @throws RagError CONFIG_INVALID
 */
export function ollamaAddress({ url: text = '', apiKey, part = 'generator' }: OllamaConnection): {
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
    throw new RagError('CONFIG_INVALID', `${part}.url: not an address; write it like http://127.0.0.1:11434`, {
      cause,
      adapter: 'ollama',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RagError('CONFIG_INVALID', `${part}.url: ${url.protocol}// is not spoken; http:// and https:// are`, {
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
export function ollamaFailure(error: unknown, connection: OllamaConnection): RagError {
  return transportFailure(error, upstreamOf(connection));
}

function upstreamOf(connection: OllamaConnection): Upstream {
  return {
    adapter: 'ollama',
    name: `Ollama at ${ollamaAddress(connection).url}`,
    advice: `start it with \`ollama serve\`, or correct \`${connection.part ?? 'generator'}.url\``,
  };
}

/** The error of a response that isn't ok. */
async function refused(response: Response, connection: OllamaConnection): Promise<RagError> {
  const { status, headers } = response;
  const part = connection.part ?? 'generator';
  const words = await errorWords(response);
  const cause = new HttpFailure(status, words, retryAfter(headers.get('retry-after'), Date.now()));
  const said = `${upstreamOf(connection).name} answered ${cause.message}`;
  const permanent = { cause, adapter: 'ollama', retryable: false };
  if (status === 401 || status === 403) return new RagError('UNAUTHORIZED', said, { cause, adapter: 'ollama' });
  if (status === 408 || status === 504) return new RagError('TIMEOUT', said, { cause, adapter: 'ollama' });
  if (/exceeds? the (available )?context/.test(words)) {
    const advice = 'ask for fewer hits (topK), or raise `generator.options.num_ctx`';
    return new RagError('UPSTREAM_FAILED', `${said}. The prompt is longer than the model's context: ${advice}`, permanent);
  }
  if (status === 404 && /model/i.test(words)) {
    const advice = `Fetch it with \`ollama pull\`, or name another one in \`${part}.model\`; \`ollama list\` shows those installed`;
    return new RagError('UPSTREAM_FAILED', `${said}. ${advice}`, permanent);
  }
  const retryable = status === 429 || (status >= 500 && status !== 501);
  return new RagError('UPSTREAM_FAILED', status === 404 ? `${said}; is it an Ollama?` : said, { ...permanent, retryable });
}

/** Fails rather than let a reply fill the memory. */
function limitBytes(tooLarge: () => Error): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(bytes, controller) {
      size += bytes.byteLength;
      if (size > LARGEST_REPLY) throw tooLarge();
      controller.enqueue(bytes);
    },
  });
}
