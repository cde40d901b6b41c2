import type { Hit } from './types.js';

/**
 * The one table of what can go wrong: may the same call work later, and what to do.
 * The message of an error says what failed and on what; the hint is added where errors are shown.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: {
    retryable: false,
    hint: 'Correct the option that the message names; `hotrag --help` and docs/config.md list them all.',
  },
  DEPENDENCY_MISSING: { retryable: false, hint: 'Install the package that the message names beside hotrag.' },
  INPUT_INVALID: { retryable: false, hint: 'Correct the value at the path that the message names.' },
  NOT_FOUND: { retryable: false, hint: 'List what is there first (`documents.list`, `collections.list`), or ingest it.' },
  UNSUPPORTED: { retryable: false, hint: 'This part cannot do that; choose another one or leave the option out.' },
  FINGERPRINT_MISMATCH: {
    retryable: false,
    hint: 'Use the embedder that the collection was made with, or ingest into another collection, or drop this one and ingest again.',
  },
  CONNECTION_FAILED: { retryable: true, hint: 'Check that the server runs and that its address is right.' },
  TIMEOUT: { retryable: true, hint: 'Try again, or allow more time.' },
  UNAUTHORIZED: { retryable: false, hint: 'Give the right token or key.' },
  UPSTREAM_FAILED: { retryable: true, hint: 'The server behind this call failed; its own words are in the message.' },
  NO_ENGINE: {
    retryable: false,
    hint: 'Start Ollama (https://ollama.com) and pull a model, for example `ollama pull qwen3:4b`, or configure `generator`. The search hits are still there.',
  },
  STORE_LOCKED: { retryable: true, hint: 'Another process is writing; try again when it is done.' },
  STORE_CORRUPT: { retryable: false, hint: 'Restore a backup, or move the store away and ingest again.' },
  FORBIDDEN: { retryable: false, hint: 'Name a path under an allowed root, or allow its folder with `--root`.' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

const BRAND = Symbol.for('hotrag.RagError');

export interface RagErrorOptions {
  readonly cause?: unknown;
  /** The part that failed, such as `milvus` or `ollama`. */
  readonly adapter?: string | undefined;
  /** Over the table's word for this code. */
  readonly retryable?: boolean | undefined;
  /** What retrieval had found when generation failed. */
  readonly hits?: readonly Hit[] | undefined;
}

/**
 * Every failure that hotrag speaks of. An abort is not one: that rejects with `signal.reason`.
 * @example if (isRagError(error) && error.code === 'NO_ENGINE') show(error.hits)
 */
export class RagError extends Error {
  override readonly name = 'RagError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly adapter: string | undefined;
  readonly hits: readonly Hit[] | undefined;

  constructor(code: ErrorCode, message: string, options: RagErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.adapter = options.adapter;
    this.hits = options.hits;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** What to do about it. */
  get hint(): string {
    return ERROR_CODES[this.code].hint;
  }
}

/** Works across several copies of the package, where `instanceof` doesn't. */
export function isRagError(error: unknown): error is RagError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** The words of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An INPUT_INVALID that names the path of the value. */
export function invalidInput(path: string, problem: string): RagError {
  return new RagError('INPUT_INVALID', `${path}: ${problem}`);
}

/** The candidate nearest to a misspelt name, or undefined when none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, or anything ≥ `bound` once it cannot be smaller. */
function editDistance(left: string, right: string, bound: number): number {
  if (Math.abs(left.length - right.length) >= bound) return bound;
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? bound;
}
