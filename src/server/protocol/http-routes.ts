import type { IncomingMessage } from 'node:http';
import type { Exchange, Route } from '../http/exchange.js';
import { sendResponse } from '../http/respond.js';
import type { RagServer } from '../server.js';
import { register } from './register.js';
import { createSseSessions, SSE_MESSAGES_PATH } from './sse.js';
import { createStreamable, type StreamableOptions } from './streamable.js';

export interface ProtocolRoutesOptions extends StreamableOptions {
  readonly stallMs: number | undefined;
  readonly readBody: (request: IncomingMessage) => Promise<unknown>;
}

export interface ProtocolRoutes {
  readonly routes: readonly Route[];
  /** Resolves when what came over streams is answered. */
  idle(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** The paths at which clients of the protocol connect. */
export function protocolRoutes(server: RagServer, options: ProtocolRoutesOptions): ProtocolRoutes {
  const { readBody, running, stopping, extend, stallMs } = options;
  const streamable = createStreamable(server, options);
  const sse = createSseSessions(
    async (principal) =>
      register(server, {
        instructions: await server.instructions(principal),
        trustClientRoots: false,
        running,
        principal,
        stopping,
        changes: 'subscribed',
        extend,
      }),
    stallMs,
  );

  return {
    routes: [
      {
        path: '/mcp',
        methods: ['GET', 'POST', 'DELETE'],
        async handle(exchange) {
          const { request, response, principal, stand } = exchange;
          const body = request.method === 'POST' ? await readBody(request) : undefined;
          if (request.method === 'GET' || isListening(body)) stand();
          await sendResponse(response, await streamable.handle(toWebRequest(exchange), body, principal), stallMs);
        },
      },
      {
        path: '/sse',
        methods: ['GET'],
        async handle({ response, principal, stand }) {
          stand();
          await sse.open(response, principal);
        },
      },
      {
        path: SSE_MESSAGES_PATH,
        methods: ['POST'],
        async handle({ request, response, url, principal }) {
          sse.post(url.searchParams.get('sessionId'), await readBody(request), principal);
          response.writeHead(202).end();
        },
      },
    ],
    idle: (timeoutMs) => sse.idle(timeoutMs),
    async close() {
      await Promise.all([streamable.close(), sse.close()]);
    },
  };
}

/** How clients of 2026-07-28 open the stream of what changes. */
function isListening(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen';
}

/** Without its body, which has been read. */
function toWebRequest({ request, url, signal }: Exchange): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one);
  }
  return new Request(url, { method: request.method ?? 'GET', headers, signal });
}
