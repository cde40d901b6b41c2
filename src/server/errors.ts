import { type ErrorCode, isRagError } from '../core/errors.js';
import { renderHits } from './render.js';

/** A failed call as every protocol tells it: text for the model, code and retryable for the program around it. */
export interface ToolFailure {
  readonly code: ErrorCode | 'INTERNAL';
  readonly retryable: boolean;
  readonly text: string;
}

/** What to do in terms of the tools, where the engine's own hint speaks of the SDK or the command line. */
const TOOL_HINTS: Partial<Record<ErrorCode, string>> = {
  INPUT_INVALID: 'Correct the value at the path named above and call again.',
  NOT_FOUND: 'See what is there with list-documents, or add it with ingest.',
  FORBIDDEN: 'Name a path under an allowed folder, or ask the user to open its folder by `hotrag serve --root FOLDER`.',
};

/**
 * The one mapping of errors to tool results. What isn't a `RagError` is a fault of ours: its words may hold anything, so they go to the
 * log and not to the client.
 */
export function toToolFailure(error: unknown): ToolFailure {
  if (!isRagError(error)) {
    const text = 'INTERNAL: the server failed in a way that it does not know; its log (stderr) tells more.';
    return { code: 'INTERNAL', retryable: false, text };
  }
  const { code, retryable, message, hits } = error;
  const advice = [TOOL_HINTS[code] ?? error.hint, ...(retryable ? ['The same call may work later.'] : [])].join(' ');
  const found = hits === undefined || hits.length === 0 ? [] : [`What the search had found:\n\n${renderHits(hits)}`];
  return { code, retryable, text: [`${code}: ${message}`, advice, ...found].join('\n\n') };
}
