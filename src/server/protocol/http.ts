import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, RagError } from '../../core/errors.js';
import { createAccess, type TokenRule } from '../access.js';
import { readJson } from '../http/body.js';
import { HttpProblem, type Route } from '../http/exchange.js';
import { createGuard, isLoopback } from '../http/guard.js';
import { healthRoutes } from '../http/health.js';
import { createLimits, type LimitOptions } from '../http/limits.js';
import { listen, type Timeouts } from '../http/listen.js';
import { SECURITY_HEADERS, sendProblem } from '../http/respond.js';
import type { RagServer } from '../server.js';
import { protocolRoutes } from './http-routes.js';
import type { Extension } from './register.js';

export interface ServeHttpOptions {
  /** Address to listen on; another than this machine's own needs a token. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0: any that is free. @default 7411 */
  readonly port?: number | undefined;
  /** Who may use it. @default everyone on this machine */
  readonly tokens?: readonly TokenRule[] | undefined;
  /** Further names that it is reached by. @default those of this machine */
  readonly hosts?: readonly string[] | undefined;
  /** Web pages that may use it from a browser. @default pages of this machine */
  readonly origins?: readonly string[] | undefined;
  /** Keep sessions for clients of 2025-11-25 and before; off where several replicas stand behind one address. @default true */
  readonly sessions?: boolean | undefined;
  /** @default 500 requests a second, 256 at a time, bodies of 16 MiB */
  readonly limits?: Partial<LimitOptions & { readonly bodyBytes: number }> | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Further paths: a page, metrics. */
  readonly routes?: readonly Route[] | undefined;
  /** Registers more than the server's tables hold, for each client. */
  readonly extend?: Extension | undefined;
}

/** A server that listens. */
export interface HttpService {
  /** @example 'http://127.0.0.1:7411' */
  readonly url: string;
  /**
   * Takes no more requests, lets those under way be answered, answers what isn't done by then with an error that says so, and ends.
   * @param graceMs how long to wait. @default 10,000
   */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

const DEFAULT_PORT = 7411;
const DEFAULT_GRACE_MS = 10_000;
/** How long the errors at the end may take to go out. */
const LAST_WORDS_MS = 1_000;
const DEFAULT_LIMITS = { requestsPerSecond: 500, concurrent: 256, bodyBytes: 16_777_216 };

/**
 * Serves over HTTP: Streamable HTTP in both protocol generations at `/mcp`, HTTP+SSE at `/sse`, `/healthz` and `/readyz`, and what `routes`
 * adds. Resolves when it listens. Closing the engine is the caller's.
 * @throws RagError CONFIG_INVALID (tokens, an address that can't be listened on, one that others reach without a token)
 */
export async function serveHttp(server: RagServer, options: ServeHttpOptions = {}): Promise<HttpService> {
  const { host = '127.0.0.1', port = DEFAULT_PORT, hosts = [], origins = [] } = options;
  const access = createAccess(options.tokens ?? []);
  if (!access.needsToken && !isLoopback(host)) {
    throw new RagError(
      'CONFIG_INVALID',
      `server.host ${host}: others could connect there, so a token is needed; set HOTRAG_SERVER_TOKEN or server.tokens, or leave the host out`,
    );
  }
  const { bodyBytes, ...limitOptions } = { ...DEFAULT_LIMITS, ...options.limits };
  const guard = createGuard({ boundTo: host, hosts, origins });
  const limits = createLimits(limitOptions);
  const ending = new AbortController();
  const running = new Set<Promise<unknown>>();
  const protocols = protocolRoutes(server, {
    running,
    stopping: ending.signal,
    sessions: options.sessions ?? true,
    extend: options.extend,
    stallMs: options.timeouts?.stallMs,
    readBody: (request) => readJson(request, bodyBytes),
  });
  const routes = new Map(
    [...healthRoutes(server), ...protocols.routes, ...(options.routes ?? [])].map((route) => [route.path, route]),
  );
  const underWay = new Set<Promise<void>>();
  let stopping = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const readable = guard.check(request.headers.host, request.headers.origin);
    if (readable) allowPage(request, response);
    const url = urlOf(request);
    const route = routes.get(url.pathname);
    if (route === undefined) throw new HttpProblem(404, 'Not found');
    const method = request.method ?? 'GET';
    if (method === 'OPTIONS' && readable) return void response.writeHead(204).end();
    if (!route.methods.includes(method))
      throw new HttpProblem(405, 'Method not allowed.', { headers: { allow: route.methods.join(', ') } });
    if (stopping) throw new HttpProblem(503, 'the server is stopping', { headers: { connection: 'close', 'retry-after': '5' } });
    const principal = access.identify(request.headers.authorization);
    if (principal === undefined && route.open !== true) {
      throw new HttpProblem(401, 'a token is needed: send the header Authorization: Bearer TOKEN', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    const caller = principal ?? { id: 'nobody', name: 'nobody', access: 'read', collections: [] };
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client is gone'));
    });
    // What needs no token costs next to nothing, and a flood by strangers must not turn a probe away.
    const leave = route.open === true ? () => {} : limits.enter(caller);
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    underWay.add(over);
    const release = () => {
      leave();
      underWay.delete(over);
      end();
    };
    return route.handle({ request, response, url, principal: caller, signal: gone.signal, stand: release }).finally(release);
  }

  const { server: http, address } = await listen({ host, port, timeouts: options.timeouts }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof HttpProblem) return sendProblem(response, error);
      server.logger.error(`http: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`);
      sendProblem(response, new HttpProblem(500, 'Internal server error', { code: -32_603 }));
    });
  });

  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async close({ graceMs = DEFAULT_GRACE_MS } = {}) {
      stopping = true;
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeIdleConnections();
      const done = async () => {
        await protocols.idle(graceMs + LAST_WORDS_MS);
        while (underWay.size + running.size > 0) await Promise.allSettled([...underWay, ...running]);
      };
      const finished = done();
      await Promise.race([finished, delay(graceMs, undefined, { ref: false })]);
      ending.abort(new Error('the server is stopping'));
      await Promise.race([finished, delay(LAST_WORDS_MS, undefined, { ref: false })]);
      await protocols.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

/** @throws HttpProblem 400 for a target that is no address, such as `//` */
function urlOf({ url = '/' }: IncomingMessage): URL {
  if (!URL.canParse(url, 'http://local')) throw new HttpProblem(400, 'Bad Request: the target is no address');
  return new URL(url, 'http://local');
}

/** Lets a page of an allowed origin read the answer and send our headers. */
function allowPage(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', request.headers.origin ?? '');
  response.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  response.setHeader(
    'access-control-allow-headers',
    'authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id',
  );
  response.setHeader('access-control-expose-headers', 'mcp-session-id');
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
  response.setHeader('vary', 'origin');
}
