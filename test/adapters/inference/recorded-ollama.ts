import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  /** Of the client: requests with the same one came over the same connection. */
  readonly port: number | undefined;
  /** Resolves when the client closes the connection before the reply was complete. */
  readonly hungUp: Promise<void>;
}

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent one by one. */
  readonly body: readonly (string | Uint8Array)[];
  /** After the body: end it, say nothing more, or drop the connection. @default 'end' */
  readonly after?: 'end' | 'hang' | 'drop';
}

export interface RecordedOllama {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A local server that gives recorded replies. */
export async function serveRecorded(replyTo: (request: SeenRequest) => Reply): Promise<RecordedOllama> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const hungUp = new Promise<void>((resolve) => {
        response.once('close', () => {
          if (!response.writableFinished) resolve();
        });
      });
      const { method = '', url: path = '', headers } = request;
      const one: SeenRequest = { method, path, headers, body, port: request.socket.remotePort, hungUp };
      seen.push(one);
      await send(response, replyTo(one));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/inference/${name}`, import.meta.url), 'utf8');
}

/** A recorded stream, a line at a time. */
export function stream(name: string, after: Reply['after'] = 'end'): Reply {
  return { type: 'application/x-ndjson', body: fixture(name).match(/.*\n/g) ?? [], after };
}

export function json(body: unknown, status = 200): Reply {
  return { status, type: 'application/json; charset=utf-8', body: [typeof body === 'string' ? body : JSON.stringify(body)] };
}

/** What a healthy server with the models of tags.json answers. */
export function healthy(request: SeenRequest): Reply {
  switch (request.path) {
    case '/api/tags':
      return json(fixture('tags.json'));
    case '/api/show': {
      const [name] = String(request.body.model).split(':');
      const known = ['smollm2', 'qwen3', 'minilm'].find((model) => model === name);
      return known === undefined
        ? json({ error: `model '${request.body.model}' not found` }, 404)
        : json(fixture(`show-${known}.json`));
    }
    case '/api/chat': {
      const { num_predict, num_ctx } = request.body.options as { num_predict?: number; num_ctx: number }; // our own request
      const length = JSON.stringify(request.body.messages).length;
      if (length > num_ctx * 8) return json({ error: 'the input length exceeds the context length' }, 400);
      return stream(num_predict === 1 ? 'chat-length.ndjson' : 'chat-answer.ndjson');
    }
    default:
      return { status: 404, type: 'text/plain', body: ['404 page not found'] };
  }
}

async function send(
  response: ServerResponse,
  { status = 200, type = 'application/json', headers, body, after = 'end' }: Reply,
): Promise<void> {
  response.writeHead(status, { 'content-type': type, ...headers });
  response.flushHeaders();
  for (const part of body) {
    if (response.destroyed) return;
    await new Promise<void>((resolve) => response.write(part, () => resolve()));
    await new Promise((resolve) => setImmediate(resolve)); // a chunk of its own on the wire
  }
  if (after === 'end') response.end();
  if (after === 'drop') response.socket?.resetAndDestroy();
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>); // the client sends objects
}
