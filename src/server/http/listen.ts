import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RagError } from '../../core/errors.js';

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly timeouts?: Partial<Timeouts> | undefined;
}

/** Milliseconds. */
export interface Timeouts {
  /** From the connection until the last header. @default 10,000 */
  readonly headersMs: number;
  /** From the connection until the last byte of the body. @default 60,000 */
  readonly requestMs: number;
  /** Between two requests. @default 5,000 */
  readonly keepAliveMs: number;
  /** Without the client taking anything of what is written to it. @default 60,000 */
  readonly stallMs: number;
}

/** Far more than real clients send, and too little to fill memory with. */
const MOST_HEADER_BYTES = 16_384;
const MOST_HEADERS = 100;
const MOST_CONNECTIONS = 4_096;

/**
 * A listening HTTP server that slow and overlong requests can't hold.
 * @throws RagError CONFIG_INVALID where the address can't be listened on
 */
export async function listen(
  { host, port, timeouts = {} }: ListenOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly server: Server; readonly address: AddressInfo }> {
  const { headersMs = 10_000, requestMs = 60_000, keepAliveMs = 5_000 } = timeouts;
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(headersMs, 5_000) / 2,
    },
    handle,
  );
  server.maxHeadersCount = MOST_HEADERS;
  server.maxConnections = MOST_CONNECTIONS;
  server.on('clientError', refuse);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error)));
    server.listen({ host, port }, resolve);
  });
  return { server, address: server.address() as AddressInfo }; // a string only for pipes
}

/** Bytes that are no request, or come too slowly or too many: a short answer, and the end. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS_OF[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}

const STATUS_OF: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): RagError {
  const at = `server.host ${host}, server.port ${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new RagError(
        'CONFIG_INVALID',
        `${at}: the port is in use; stop what listens there (another hotrag?), or choose another with --port`,
        { cause: error },
      );
    case 'EACCES':
      return new RagError('CONFIG_INVALID', `${at}: this user may not listen there; choose a port above 1023 with --port`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new RagError('CONFIG_INVALID', `${at}: this machine has no such address; choose one of its own with --host`, {
        cause: error,
      });
    default:
      return new RagError('CONFIG_INVALID', `${at}: can't be listened on (${error.message})`, { cause: error });
  }
}
