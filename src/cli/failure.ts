import { type ErrorCode, isRagError } from '../core/errors.js';

/** A command line that can't be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** What a thrown value comes to: lines for stderr, and the exit status. */
export interface Failure {
  readonly text: string;
  readonly status: 1 | 2 | 130;
}

/** An INPUT_INVALID or CONFIG_INVALID is wrong usage too: what was typed, or set, can't be done. */
const USAGE_CODES: readonly ErrorCode[] = ['INPUT_INVALID', 'CONFIG_INVALID'];

export function describeFailure(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { text: 'hotrag: interrupted\n', status: 130 };
  if (error instanceof UsageError) return { text: lines('INPUT_INVALID', error.message, error.hint), status: 2 };
  if (isRagError(error))
    return { text: lines(error.code, error.message, error.hint), status: USAGE_CODES.includes(error.code) ? 2 : 1 };
  // Nothing that was foreseen: the stack is what a report of it needs.
  return { text: `hotrag: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, status: 1 };
}

function lines(code: string, message: string, hint: string): string {
  return `hotrag: ${code} ${message}\n  ${hint}\n`;
}
