import { stdin } from 'node:process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { StdioServerTransport, serveStdio as serveProtocol } from '@modelcontextprotocol/server/stdio';
import { messageOf } from '../../core/errors.js';
import type { RagServer } from '../server.js';
import { createDrainingTransport } from './drain.js';
import { register } from './register.js';
import { claimStdout } from './stdout.js';

export interface ServeStdioOptions {
  /** @default stdin */
  readonly input?: Readable | undefined;
  /** @default stdout, which is then the protocol's alone: other writes to it go to stderr */
  readonly output?: Writable | undefined;
  /** Ends serving: calls under way are aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** The largest message taken, in bytes: one `ingest` of texts fits; more ends the connection. */
const LARGEST_MESSAGE = 64 * 1024 * 1024;
/** Of a line that is no message, the library tells every rule that it broke. */
const LONGEST_WARNING = 200;
/**
 * When the input ends, requests already read are still answered for this long, so that a script can pipe its requests in. Clients that
 * close the pipe to end us are left waiting less than the two seconds after which the official one sends SIGTERM.
 */
const GRACE_MS = 1_500;

/**
 * Serves one client on stdio, in whichever protocol generation it opens. Resolves when the input has ended or the signal was aborted, and
 * no call is under way any more. Signals, exit and closing the engine are the caller's.
 */
export async function serveStdio(server: RagServer, options: ServeStdioOptions = {}): Promise<void> {
  const { input = stdin, signal } = options;
  const claimed = options.output === undefined ? claimStdout() : { stream: options.output, release: () => {} };
  const running = new Set<Promise<unknown>>();
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // The library's transport closes at the end of its input at once; this one's input ends when the requests before are answered.
  const gate = new PassThrough();
  const wire = new StdioServerTransport(gate, claimed.stream, { maxBufferSize: LARGEST_MESSAGE });
  const transport = createDrainingTransport(wire, end);
  let draining = false;
  const drain = () => {
    if (!draining) transport.idle(GRACE_MS).then(end);
    draining = true;
  };

  const connect = async ({ era }: { readonly era: 'legacy' | 'modern' }) =>
    register(server, {
      instructions: await server.instructions(),
      trustClientRoots: true,
      running,
      changes: era === 'modern' ? 'all' : 'subscribed',
    });
  const onerror = (error: Error) =>
    server.logger.warn(`stdio: ${messageOf(error).replace(/\s+/g, ' ').slice(0, LONGEST_WARNING)}`);
  const connection = serveProtocol(connect, { transport, onerror });
  signal?.addEventListener('abort', end, { once: true });
  input.on('error', end).on('end', drain).on('close', drain).pipe(gate, { end: false });
  if (signal?.aborted) end();
  if (input.readableEnded) drain();

  await ended;
  signal?.removeEventListener('abort', end);
  input.unpipe(gate).off('error', end).off('end', drain).off('close', drain).pause();
  await connection.close();
  await Promise.allSettled(running);
  claimed.release();
}
