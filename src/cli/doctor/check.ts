import { isRagError, messageOf } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';

export type State = 'ok' | 'warning' | 'failing';

/** What a look came to. */
export interface Outcome {
  readonly state: State;
  /** In one sentence; secrets are masked. */
  readonly message: string;
  /** What to do; there unless all is well. */
  readonly advice?: string | undefined;
}

export interface Finding extends Outcome {
  readonly name: string;
}

/** One look at a thing that hotrag needs. What it throws is a failing thing; a RagError brings its own advice. */
export interface Check {
  readonly name: string;
  readonly look: (signal: AbortSignal) => Promise<Outcome>;
}

/** A server that is well answers sooner; nobody waits longer for a diagnosis. */
const TIMEOUT_MS = 5_000;

/**
 * Looks at everything at once, each thing for a bounded time.
 * @returns one finding a check, in their order
 * @throws `signal.reason` once aborted
 */
export async function runChecks(
  checks: readonly Check[],
  { signal, timeoutMs = TIMEOUT_MS }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    checks.map(async ({ name, look }): Promise<Finding> => {
      const deadline = AbortSignal.timeout(timeoutMs);
      const either = AbortSignal.any([signal, deadline]);
      try {
        return { name, ...(await abortable(look(either), either)) };
      } catch (error) {
        if (deadline.aborted && !signal.aborted) {
          return failing(
            name,
            `no answer within ${timeoutMs / 1000} s`,
            'See whether it is overloaded or hangs, and look again.',
          );
        }
        return failing(name, messageOf(error), isRagError(error) ? error.hint : undefined);
      }
    }),
  );
  signal.throwIfAborted();
  return findings;
}

function failing(name: string, message: string, advice: string | undefined): Finding {
  return { name, state: 'failing', message, advice };
}
