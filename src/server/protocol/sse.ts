import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type JSONRPCMessage, type McpServer, parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/server';
import { HttpProblem } from '../http/exchange.js';
import { drained } from '../http/respond.js';
import type { Principal } from '../principal.js';
import { createDrainingTransport, type DrainingTransport } from './drain.js';

/** HTTP+SSE, the transport of 2024-11-05: one stream for all answers, and an address to post messages to. */
export interface SseSessions {
  /** Opens a client's stream; resolves when it has ended. */
  open(response: ServerResponse, principal: Principal): Promise<void>;
  /** Takes a message. @throws HttpProblem 400 (no message), 404 (no such stream, or another caller's) */
  post(sessionId: string | null, body: unknown, principal: Principal): void;
  /** Waits until all that was asked is answered. */
  idle(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Where clients post to; the stream's first event tells them. */
export const SSE_MESSAGES_PATH = '/messages';

const MOST_STREAMS = 1_000;
/** Proxies end connections that are silent for longer. */
const KEEP_ALIVE_MS = 15_000;

interface Stream {
  readonly principal: Principal;
  readonly protocol: McpServer;
  readonly draining: DrainingTransport;
  readonly take: (message: JSONRPCMessage) => void;
}

/** @param build a protocol server for one client */
export function createSseSessions(build: (principal: Principal) => Promise<McpServer>, stallMs?: number): SseSessions {
  const streams = new Map<string, Stream>();

  return {
    async open(response, principal) {
      if (streams.size >= MOST_STREAMS) {
        throw new HttpProblem(503, `${MOST_STREAMS} streams are open already`, { headers: { 'retry-after': '10' } });
      }
      const sessionId = randomUUID();
      const { transport, take } = createSseTransport(response, sessionId, stallMs);
      const ended = new Promise<void>((resolve) => response.once('close', resolve));
      const draining = createDrainingTransport(transport, () => streams.delete(sessionId));
      const protocol = await build(principal);
      streams.set(sessionId, { principal, protocol, draining, take });
      await protocol.connect(draining);
      await ended;
      await protocol.close();
    },
    post(sessionId, body, principal) {
      const stream = streams.get(sessionId ?? '');
      if (stream === undefined || stream.principal.id !== principal.id)
        throw new HttpProblem(404, 'Session not found: open the stream anew');
      stream.take(messageOf(body));
    },
    async idle(timeoutMs) {
      await Promise.all([...streams.values()].map(({ draining }) => draining.idle(timeoutMs)));
    },
    async close() {
      await Promise.all([...streams.values()].map(({ protocol }) => protocol.close()));
    },
  };
}

function createSseTransport(response: ServerResponse, sessionId: string, stallMs: number | undefined) {
  let keepAlive: NodeJS.Timeout | undefined;
  const transport: Transport = {
    sessionId,
    async start() {
      response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'keep-alive', 'x-accel-buffering': 'no' });
      response.write(`event: endpoint\ndata: ${SSE_MESSAGES_PATH}?sessionId=${sessionId}\n\n`);
      keepAlive = setInterval(() => response.write(': keepalive\n\n'), KEEP_ALIVE_MS);
      response.once('close', () => {
        clearInterval(keepAlive);
        transport.onclose?.();
      });
    },
    async send(message) {
      if (response.writableEnded || response.destroyed) throw new Error('the client has closed its stream');
      // Who writes waits for a client that reads slowly, and one that never reads is cut off: nothing piles up here.
      if (!response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)) await drained(response, stallMs);
    },
    async close() {
      clearInterval(keepAlive);
      response.end();
    },
  };
  return { transport, take: (message: JSONRPCMessage) => transport.onmessage?.(message) };
}

function messageOf(body: unknown): JSONRPCMessage {
  try {
    return parseJSONRPCMessage(body);
  } catch {
    throw new HttpProblem(400, 'Invalid Request: the body is no JSON-RPC message', { code: -32_600 });
  }
}
