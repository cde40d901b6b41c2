import { messageOf, RagError } from '../../../core/errors.js';

/** The names of the client's error classes. By name: they come from a module that is loaded late, and maybe twice. */
const NAMES = {
  ChromaConnectionError: 'CONNECTION_FAILED',
  ChromaAuthError: 'UNAUTHORIZED',
  ChromaForbiddenError: 'UNAUTHORIZED',
  ChromaNotFoundError: 'NOT_FOUND',
  ChromaServerError: 'UPSTREAM_FAILED',
  ChromaRateLimitError: 'UPSTREAM_FAILED',
} as const;

/** The client's errors in our words; undefined: not one of the client's. */
export function translateChromaError(address: string): (error: unknown, action: string) => RagError | undefined {
  return (error, action) => {
    const name = error instanceof Error ? error.name : '';
    const options = { adapter: 'chroma', cause: error };
    const code = isKnown(name) ? NAMES[name] : isNoDatabase(error) ? 'NOT_FOUND' : undefined;
    if (code !== undefined) return new RagError(code, sentence(code, address, action, error), options);
    // The server understood and refused, so it would refuse again.
    if (name.startsWith('Chroma') || name.startsWith('Invalid')) {
      return new RagError('UPSTREAM_FAILED', `Chroma at ${address} refused to ${action}: ${messageOf(error)}`, {
        ...options,
        retryable: false,
      });
    }
    return undefined;
  };
}

/** A database or tenant that is missing is, where something is to be made in it, a bad request only. */
function isNoDatabase(error: unknown): boolean {
  return /(database|tenant) \[.*\] (does not exist|not found)/i.test(messageOf(error));
}

function isKnown(name: string): name is keyof typeof NAMES {
  return Object.hasOwn(NAMES, name);
}

function sentence(code: (typeof NAMES)[keyof typeof NAMES], address: string, action: string, error: unknown): string {
  switch (code) {
    case 'CONNECTION_FAILED':
      return `no Chroma server answers at ${address}: could not ${action}`;
    case 'UNAUTHORIZED':
      return `Chroma at ${address} refuses the token, or that it may ${action}`;
    case 'NOT_FOUND':
      return `Chroma at ${address} has no such collection, database or tenant (any more): could not ${action}`;
    case 'UPSTREAM_FAILED':
      return `Chroma at ${address} failed to ${action}: ${messageOf(error)}`;
  }
}
