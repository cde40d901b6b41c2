import type { CallOptions } from '../../core/contracts.js';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';

/**
 * How long a server keeps what has no lifetime of its own, ms: a day. Entries of older versions of a collection are never asked for
 * again, and a server without a limit of memory would keep them for ever.
 */
export const DEFAULT_TTL_MS = 86_400_000;

export interface LinkParts<Client> {
  readonly name: string;
  /** For messages: without user and password. */
  readonly shown: string;
  readonly connect: () => Promise<Client>;
  readonly isUsable: (client: Client) => boolean;
  readonly discard: (client: Client) => void;
  /** The client's own errors into ours; undefined: the connection is lost. */
  readonly translate: (error: unknown) => RagError | undefined;
}

/** A connection that is made when it is needed. */
export interface Link<Client> {
  /** @throws RagError UNAUTHORIZED · UPSTREAM_FAILED (it answered that it can't) · CONNECTION_FAILED · the signal's reason */
  use<Value>(work: (client: Client) => Promise<Value>, options?: CallOptions): Promise<Value>;
  close(): Promise<void>;
}

/**
 * One that was lost, or on which a call was given up, is thrown away, and the next call makes another: so nothing has to be known of
 * how a client tries again by itself, nor for how long, and no call waits behind those of a connection that is dead.
 */
export function createLink<Client>(parts: LinkParts<Client>): Link<Client> {
  let connecting: Promise<Client> | undefined;
  let current: Client | undefined;
  let closed = false;

  async function connection(): Promise<Client> {
    if (closed) throw failed('it was closed');
    if (current !== undefined && parts.isUsable(current)) return current;
    if (current !== undefined) leave(current);
    connecting ??= connect();
    return connecting;
  }

  async function connect(): Promise<Client> {
    try {
      const client = await parts.connect();
      if (closed) parts.discard(client);
      else current = client;
      return client;
    } finally {
      connecting = undefined;
    }
  }

  function leave(client: Client): void {
    if (current !== client) return;
    current = undefined;
    parts.discard(client);
  }

  function failed(problem: string, cause?: unknown): RagError {
    return new RagError('CONNECTION_FAILED', `${parts.shown} can't be reached (${problem})`, { adapter: parts.name, cause });
  }

  function translate(error: unknown): RagError {
    return isRagError(error) ? error : (parts.translate(error) ?? failed(messageOf(error), error));
  }

  return {
    async use(work, { signal } = {}) {
      signal?.throwIfAborted();
      let client: Client;
      try {
        // A call that is given up leaves the connecting be: another one will find the connection made.
        client = await abortable(connection(), signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw translate(error);
      }
      const onAbort = () => leave(client);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        return await work(client);
      } catch (error) {
        signal?.throwIfAborted();
        const translated = translate(error);
        if (translated.code !== 'UPSTREAM_FAILED') leave(client);
        throw translated;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    },
    async close() {
      closed = true;
      if (current !== undefined) leave(current);
      await connecting?.catch(() => {}); // nobody waits for it any more
    },
  };
}
