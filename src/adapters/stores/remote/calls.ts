import { isRagError, messageOf, RagError } from '../../../core/errors.js';

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
    try {
      return await withinLimits(call(), signal, rules.timeoutMs, () => timeout(rules, action));
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (isRagError(error)) throw error;
      throw rules.translate(error, action) ?? upstreamFailed(rules, action, error);
    }
  };
}

/** Waits for `work` as long as the signal and the time allow. One listener and one timer: a signal of its own costs ten times as much. */
function withinLimits<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
  timeoutMs: number,
  late: () => RagError,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = () => end(() => reject(signal?.reason));
    const timer = setTimeout(() => end(() => reject(late())), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    work.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    );
  });
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
