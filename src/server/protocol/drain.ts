import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';

export interface DrainingTransport extends Transport {
  /** Resolves when every request that came in is answered or cancelled, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void>;
}

/**
 * Wraps a transport to know which requests are still unanswered.
 * @param onClosed called when the connection is gone, for whatever reason
 */
export function createDrainingTransport(inner: Transport, onClosed: () => void): DrainingTransport {
  const unanswered = new Set<string | number>();
  let wake = () => {};

  const settle = (id: unknown) => {
    if ((typeof id === 'string' || typeof id === 'number') && unanswered.delete(id) && unanswered.size === 0) wake();
  };

  const outer: DrainingTransport = {
    async start() {
      inner.onclose = () => {
        onClosed();
        outer.onclose?.();
      };
      inner.onerror = (error) => outer.onerror?.(error);
      inner.onmessage = (message, extra) => {
        note(message);
        outer.onmessage?.(message, extra);
      };
      await inner.start();
    },
    async send(message, options) {
      await inner.send(message, options);
      if (!('method' in message)) settle(message.id);
    },
    close: () => inner.close(),
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

  function note(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    if ('id' in message) unanswered.add(message.id);
    // A cancelled request gets no answer.
    else if (message.method === 'notifications/cancelled') settle(message.params?.requestId);
  }

  return outer;
}
