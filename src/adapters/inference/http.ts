import { RagError } from '../../core/errors.js';
import { createDeadline } from './deadline.js';
import { refusal, transportFailure, type Upstream } from './http-failure.js';

/** A reply that is no stream: 256 vectors of 4,096 numbers as text are 25 MB. */
const LARGEST_REPLY = 64 * 1024 * 1024;

export interface HttpOptions {
  /** Up to and including `/v1`, without a slash at the end. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly upstream: Upstream;
  /** @default the global one */
  readonly fetch?: typeof fetch | undefined;
}

export interface HttpCall {
  readonly signal?: AbortSignal | undefined;
  /** Sent as JSON by POST; without one it is a GET. */
  readonly body?: unknown;
}

/** Requests to one server; connections are kept alive between them. */
export interface Http {
  readonly base: string;
  readonly upstream: Upstream;
  /** Resolves with the head of a response that is ok. @throws RagError · `signal.reason` once aborted */
  send(path: string, call: HttpCall): Promise<Response>;
  /** A whole reply. @throws as `send` · RagError TIMEOUT · UPSTREAM_FAILED (over 64 MB, not UTF-8) */
  text(path: string, call: HttpCall & { readonly timeoutMs: number }): Promise<string>;
  /** A whole reply, which must be a JSON object. */
  json(path: string, call: HttpCall & { readonly timeoutMs: number }): Promise<Readonly<Record<string, unknown>>>;
}

/** @param options.base `path` is appended to it; a path that begins with `/../` is taken beside `/v1` (`/health`, `/metrics`) */
export function createHttp({ base, headers, upstream, fetch: send = fetch }: HttpOptions): Http {
  const address = (path: string) => (path.startsWith('/../') ? `${base.replace(/\/v1$/, '')}${path.slice(3)}` : `${base}${path}`);

  const http: Http = {
    base,
    upstream,

    async send(path, { body, signal }) {
      const init: RequestInit = { headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' } };
      if (body !== undefined) Object.assign(init, { method: 'POST', body: JSON.stringify(body) });
      if (signal !== undefined) init.signal = signal;
      let response: Response;
      try {
        response = await send(address(path), init);
      } catch (error) {
        throw signal?.aborted ? signal.reason : transportFailure(error, upstream);
      }
      if (!response.ok) throw await refusal(response, upstream).catch((error) => transportFailure(error, upstream));
      return response;
    },

    async text(path, { timeoutMs, ...call }) {
      const deadline = createDeadline(call.signal);
      deadline.arm(
        timeoutMs,
        () => new RagError('TIMEOUT', `${upstream.name} did not answer within ${timeoutMs} ms`, { adapter: upstream.adapter }),
      );
      try {
        return await readText(await http.send(path, { ...call, signal: deadline.signal }), upstream);
      } catch (error) {
        throw deadline.signal.aborted ? deadline.signal.reason : transportFailure(error, upstream);
      } finally {
        deadline.close();
      }
    },

    async json(path, call) {
      const text = await http.text(path, call);
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        throw broken(upstream, `something that is not JSON: ${JSON.stringify(text.slice(0, 80))}`);
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(upstream, 'JSON that is no object');
      return value as Record<string, unknown>; // any object is one
    },
  };
  return http;
}

/** What a server sent is not what it should be: told, and not retried. */
export function broken({ name, adapter }: Upstream, what: string): RagError {
  return new RagError('UPSTREAM_FAILED', `${name} sent ${what}`, { adapter, retryable: false });
}

async function readText(response: Response, upstream: Upstream): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw broken(upstream, 'bytes that are not UTF-8');
    }
  };
  const parts: string[] = [];
  let size = 0;
  for await (const bytes of response.body ?? []) {
    size += bytes.byteLength;
    if (size > LARGEST_REPLY) throw broken(upstream, `a reply of over ${LARGEST_REPLY} bytes`);
    parts.push(decode(bytes));
  }
  return parts.join('') + decode();
}
