import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';

export interface DrainingTransport extends Transport {
  /** Resolves when every request that came in is answered or cancelled, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void>;
  /** Whether a request of this id waits for its answer. */
  isUnderWay(id: unknown): boolean;
}

/** JSON-RPC's own code. */
const INVALID_REQUEST = -32_600;

/**
 * Wraps a transport to know which requests are still unanswered. A second request under the id of one of them is refused: whose answer
 * came would be chance.
 * @param onClosed called when the connection is gone, for whatever reason
 */
export function createDrainingTransport(inner: Transport, onClosed: () => void): DrainingTransport {
  const unanswered = new Set<unknown>();
  let wake = () => {};

  const settle = (id: unknown) => {
    if (unanswered.delete(id) && unanswered.size === 0) wake();
  };

  const outer: DrainingTransport = {
    get sessionId() {
      return inner.sessionId;
    },
    async start() {
      inner.onclose = () => {
        onClosed();
        outer.onclose?.();
      };
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onmessage = (message, extra) => {
        if (note(message)) outer.onmessage?.(message, extra);
      };
      await inner.start();
    },
    async send(message, options) {
      await inner.send(message, options);
      if (!('method' in message)) settle(message.id);
    },
    close: () => inner.close(),
    isUnderWay: (id) => unanswered.has(id),
    idle: (timeoutMs) =>
      new Promise((resolve) => {
        if (unanswered.size === 0) return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };

  /** false: the message goes no further. */
  function note(message: JSONRPCMessage): boolean {
    if (!('method' in message)) return true;
    if (!('id' in message)) {
      // A cancelled request gets no answer.
      if (message.method === 'notifications/cancelled') settle(message.params?.requestId);
      return true;
    }
    if (unanswered.has(message.id)) {
      inner.send(duplicate(message.id)).catch((error: unknown) => outer.onerror?.(error as Error)); // what a transport rejects with
      return false;
    }
    unanswered.add(message.id);
    return true;
  }

  return outer;
}

/** The answer to a request whose id is taken. */
export function duplicate(
  id: string | number,
): JSONRPCMessage & { readonly error: { readonly code: number; readonly message: string } } {
  const message = `the request id ${JSON.stringify(id)} is that of a request under way; each needs one of its own`;
  return { jsonrpc: '2.0', id, error: { code: INVALID_REQUEST, message } };
}
