import { randomUUID } from 'node:crypto';
import { isInitializeRequest, type McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Principal } from '../principal.js';
import { createDrainingTransport, type DrainingTransport, duplicate } from './drain.js';
import { createEventStore } from './event-store.js';

/** Sessions of Streamable HTTP as the older generation knows it. */
export interface Sessions {
  handle(request: Request, body: unknown, principal: Principal): Promise<Response>;
  close(): Promise<void>;
}

/** More than this many clients at a time, and the one that was silent for longest has to begin anew. */
const MOST_SESSIONS = 1_000;
/** A session that nobody used for this long is over. */
const IDLE_MS = 3_600_000;
const SWEEP_MS = 60_000;
/** When clients whose stream broke come back, in milliseconds. */
const RETRY_MS = 1_000;

interface Session {
  readonly principal: Principal;
  readonly protocol: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly draining: DrainingTransport;
  lastUsed: number;
}

/** @param build a protocol server for one client */
export function createSessions(build: (principal: Principal) => Promise<McpServer>, clock = () => performance.now()): Sessions {
  /** The least recently used first. */
  const sessions = new Map<string, Session>();
  const sweeper = setInterval(() => {
    for (const [id, { lastUsed }] of sessions) if (clock() - lastUsed > IDLE_MS) end(id);
  }, SWEEP_MS);
  sweeper.unref();

  function end(id: string): Promise<void> {
    const session = sessions.get(id);
    sessions.delete(id);
    return session?.protocol.close() ?? Promise.resolve();
  }

  async function begin(request: Request, body: unknown, principal: Principal): Promise<Response> {
    const oldest = sessions.keys().next();
    if (sessions.size >= MOST_SESSIONS && oldest.done !== true) await end(oldest.value);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => {
        sessions.set(id, session);
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    const draining = createDrainingTransport(transport, () => sessions.delete(transport.sessionId ?? ''));
    const protocol = await build(principal);
    const session: Session = { principal, protocol, transport, draining, lastUsed: clock() };
    await protocol.connect(draining);
    const response = await transport.handleRequest(request, { parsedBody: body });
    if (transport.sessionId === undefined) await protocol.close();
    return response;
  }

  return {
    async handle(request, body, principal) {
      const id = request.headers.get('mcp-session-id');
      if (id === null) {
        if (isInitializeRequest(body)) return begin(request, body, principal);
        return refusal(400, 'Bad Request: begin with initialize, then send the header Mcp-Session-Id with every request');
      }
      const session = sessions.get(id);
      // Somebody else's session is answered like none: whether it exists isn't theirs to know.
      if (session === undefined || session.principal.id !== principal.id)
        return refusal(404, 'Session not found: begin anew with initialize', -32_001);
      sessions.delete(id);
      sessions.set(id, session);
      session.lastUsed = clock();
      const taken = idsOf(body).find((requestId) => session.draining.isUnderWay(requestId));
      if (taken !== undefined) return Response.json(duplicate(taken), { status: 400 });
      return session.transport.handleRequest(request, { parsedBody: body });
    },
    async close() {
      clearInterval(sweeper);
      await Promise.all([...sessions.keys()].map(end));
    },
  };
}

/** Of the requests in a message or batch. */
function idsOf(body: unknown): readonly (string | number)[] {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  return messages.flatMap((message) => {
    if (typeof message !== 'object' || message === null || !('method' in message) || !('id' in message)) return [];
    return typeof message.id === 'string' || typeof message.id === 'number' ? [message.id] : [];
  });
}

function refusal(status: number, message: string, code = -32_000): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
