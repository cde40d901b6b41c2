import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { type RagServer, serveStdio } from '../../src/server/index.js';

export interface Connection {
  readonly client: Client;
  /** Resolves when the server has ended. */
  readonly served: Promise<void>;
  /** Aborts the server. */
  readonly stop: AbortController;
  /** Every line that the server wrote. */
  readonly lines: readonly string[];
  /** Ends the client's side and waits for the server's. */
  readonly close: () => Promise<void>;
}

/** Connects the official client of the older generation with a server, through the same bytes as over a pipe. */
export async function connect(
  server: RagServer,
  capabilities: ClientCapabilities = {},
  prepare?: (client: Client) => void,
): Promise<Connection> {
  const toServer = new PassThrough();
  const fromServer = new PassThrough();
  const lines: string[] = [];
  const stop = new AbortController();
  const served = serveStdio(server, { input: toServer, output: fromServer, signal: stop.signal });
  const client = new Client({ name: 'test', version: '1' }, { capabilities });
  prepare?.(client);
  await client.connect(streamTransport(fromServer, toServer, lines));
  return {
    client,
    served,
    stop,
    lines,
    async close() {
      await client.close();
      await served;
    },
  };
}

/** Talks to a server in raw lines. */
export function connectRaw(server: RagServer) {
  const toServer = new PassThrough();
  const fromServer = new PassThrough();
  const served = serveStdio(server, { input: toServer, output: fromServer });
  return {
    toServer,
    send: (message: object) => toServer.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    /** Ends the input, and gives every message that the server wrote. */
    async finish(): Promise<readonly Readonly<Record<string, unknown>>[]> {
      toServer.end();
      await served;
      const text = String(fromServer.read() ?? '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    },
  };
}

function streamTransport(input: PassThrough, output: PassThrough, lines: string[]): Transport {
  const buffer = new ReadBuffer();
  const transport: Transport = {
    async start() {
      input.on('data', (chunk: Buffer) => {
        lines.push(...String(chunk).split('\n').filter(Boolean));
        buffer.append(chunk);
        for (let message = buffer.readMessage(); message !== null; message = buffer.readMessage()) transport.onmessage?.(message);
      });
    },
    async send(message) {
      output.write(serializeMessage(message));
    },
    async close() {
      output.end();
      transport.onclose?.();
    },
  };
  return transport;
}
