import { isRagError, messageOf, RagError } from '../../../core/errors.js';
import { abortable } from '../../../core/flow.js';

export interface CallRules {
  /** Of the product, for errors. */
  readonly adapter: string;
  /** Where the server is, without secrets. */
  readonly address: string;
  /** The longest that one call may take. */
  readonly timeoutMs: number;
  /** The client's own errors into ours; undefined: not one that it knows. */
  readonly translate: (error: unknown, action: string) => RagError | undefined;
}

/** Runs one call to the server. `action` says what it does, for messages: `search collection "docs"`. */
export type RunCall = <Value>(action: string, call: () => Promise<Value>, signal: AbortSignal | undefined) => Promise<Value>;

/**
 * The one edge to a server: a time limit, the caller's abort, errors translated.
 * Clients that take no signal leave their request to end by itself; nobody waits for it.
 * @throws RagError TIMEOUT, what `translate` makes, or UPSTREAM_FAILED · the signal's reason
 */
export function createCalls(rules: CallRules): RunCall {
  return async (action, call, signal) => {
    signal?.throwIfAborted();
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(timeout(rules, action)), rules.timeoutMs);
    try {
      return await abortable(abortable(call(), deadline.signal), signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (isRagError(error)) throw error;
      throw rules.translate(error, action) ?? upstreamFailed(rules, action, error);
    } finally {
      clearTimeout(timer);
    }
  };
}

function timeout(rules: CallRules, action: string): RagError {
  const message = `${rules.adapter} at ${rules.address} did not answer within ${rules.timeoutMs} ms: ${action}`;
  return new RagError('TIMEOUT', message, { adapter: rules.adapter });
}

/** A server or client said something that the adapter has no word for. */
function upstreamFailed(rules: CallRules, action: string, error: unknown): RagError {
  const message = `${rules.adapter} at ${rules.address} failed: ${action}: ${messageOf(error)}`;
  return new RagError('UPSTREAM_FAILED', message, { adapter: rules.adapter, cause: error });
}
