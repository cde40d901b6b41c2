import type { ServerResponse } from 'node:http';
import type { HttpProblem } from './exchange.js';

/** A client that takes nothing for this long is cut off: what waits for it would fill our memory. */
const STALL_MS = 60_000;

/** Set on every answer; a page of its own sets others over them. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** As an error of JSON-RPC, which clients of the protocol can read. */
export function sendProblem(response: ServerResponse, { status, message, code, headers }: HttpProblem): void {
  if (response.headersSent) response.destroy();
  else sendJson(response, status, { jsonrpc: '2.0', error: { code, message }, id: null }, headers);
}

/**
 * Writes an answer of the protocol library, as fast as the client takes it; resolves when the client has all of it, or is gone.
 * @param stallMs @default 60,000
 */
export async function sendResponse(response: ServerResponse, answer: Response, stallMs = STALL_MS): Promise<void> {
  const headers = Object.fromEntries(answer.headers);
  const { 'cache-control': _, ...others } = headers; // its own allows a client to keep what it must not
  if (answer.body === null) {
    response.writeHead(answer.status, others).end();
    return;
  }
  if (headers['content-type'] === 'application/json') {
    const bytes = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { ...others, 'content-length': bytes.length }).end(bytes);
  } else {
    response.writeHead(answer.status, others);
    response.flushHeaders(); // a stream may have nothing to say for a long time
    await pump(answer.body, response, stallMs);
  }
  await taken(response, 'finish', stallMs);
}

/** Resolves when the client has taken what was written, or is gone. */
export function drained(response: ServerResponse, stallMs = STALL_MS): Promise<void> {
  return taken(response, 'drain', stallMs);
}

async function pump(body: ReadableStream<Uint8Array>, response: ServerResponse, stallMs: number): Promise<void> {
  const reader = body.getReader();
  const leave = () => void reader.cancel().catch(() => {});
  response.once('close', leave);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (!response.write(value)) await drained(response, stallMs);
    }
  } catch {
    response.destroy(); // half an answer must not look like a whole one
  } finally {
    response.off('close', leave);
    response.end();
  }
}

/** The socket's own clock is used, because it starts anew whenever the client takes a part: who reads slowly isn't cut off. */
function taken(response: ServerResponse, event: 'drain' | 'finish', stallMs: number): Promise<void> {
  const { socket } = response;
  if (socket === null || response.destroyed || response.writableFinished) return Promise.resolve();
  return new Promise((resolve) => {
    const cut = () => socket.destroy();
    const end = () => {
      socket.off('timeout', cut).setTimeout(0);
      response.off(event, end).off('close', end);
      resolve();
    };
    socket.setTimeout(stallMs).on('timeout', cut);
    response.on(event, end).on('close', end);
  });
}
