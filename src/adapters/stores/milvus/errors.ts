import { type ErrorCode, isRagError, messageOf, RagError } from '../../../core/errors.js';

/** An answer of the server that is no success, or no answer that the client knows. */
export class MilvusFailure extends Error {
  override readonly name = 'MilvusFailure';
  readonly status: MilvusStatus;
  constructor(status: MilvusStatus) {
    super(status.reason === '' ? status.error_code : status.reason);
    this.status = status;
  }
}

export interface MilvusStatus {
  /** A word; the same failure has different ones on different versions. */
  readonly error_code: string;
  readonly reason: string;
  /** A number; 0 on versions before 2.3. */
  readonly code: number;
}

/** Numbers of Milvus's own errors (merr) that mean something to us. */
export const MILVUS_CODES = {
  collectionNotFound: 100,
  collectionNotLoaded: 101,
  indexNotFound: 700,
  databaseNotFound: 800,
} as const;

/** Numbers of gRPC. */
const GRPC: Readonly<Record<number, ErrorCode>> = {
  1: 'CONNECTION_FAILED', // cancelled: the connection was closed
  4: 'TIMEOUT',
  7: 'UNAUTHORIZED',
  14: 'CONNECTION_FAILED',
  16: 'UNAUTHORIZED',
};

/**
 * Whatever the client threw, as ours. The client throws Errors of gRPC, bare status objects, and TypeErrors where a failed answer
 * lacks what it reads next.
 */
export function translateMilvus(address: string): (error: unknown, action: string) => RagError {
  return (error, action) => {
    const make = (code: ErrorCode, said: string, retryable?: boolean) =>
      new RagError(code, `Milvus at ${address}: ${action}: ${said}`, { adapter: 'milvus', cause: error, retryable });
    const status = error instanceof MilvusFailure ? error.status : statusOf(error);
    if (status !== undefined) return make(codeOfStatus(status), status.reason || status.error_code, retryableOf(status));
    if (error instanceof TypeError) return make('UPSTREAM_FAILED', `the client could not read the answer (${error.message})`);
    const grpc = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : undefined;
    if (grpc !== undefined && GRPC[grpc] !== undefined) return make(GRPC[grpc], explained(messageOf(error)));
    return make('UPSTREAM_FAILED', messageOf(error));
  };
}

/** True for a failure that says that the collection is not there (and not, say, its database). */
export function isCollectionMissing(error: unknown): boolean {
  if (!isRagError(error) || !(error.cause instanceof MilvusFailure)) return false;
  const { code, error_code } = error.cause.status;
  return code === MILVUS_CODES.collectionNotFound || error_code === 'CollectionNotExists';
}

/** True when the client had no connection to send the call by: it may be made again, whatever it does. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 14 && error.message.includes('No connection established');
}

/** The status in an answer: beside the data, or the answer itself; undefined: there is none. */
export function statusOf(answer: unknown): MilvusStatus | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  if ('status' in answer) return statusOf(answer.status);
  if (!('error_code' in answer)) return undefined;
  return {
    error_code: String(answer.error_code),
    reason: 'reason' in answer && typeof answer.reason === 'string' ? answer.reason : '',
    code: 'code' in answer ? Number(answer.code) : 0,
  };
}

function codeOfStatus({ code, error_code, reason }: MilvusStatus): ErrorCode {
  if (code === MILVUS_CODES.collectionNotFound || error_code === 'CollectionNotExists') return 'NOT_FOUND';
  if (code === MILVUS_CODES.databaseNotFound || /database\b.*(not found|does not exist)/i.test(reason)) return 'NOT_FOUND';
  if (/auth check fail|permission ?den|privilege|unauthenticated/i.test(reason)) return 'UNAUTHORIZED';
  return 'UPSTREAM_FAILED';
}

/** What the server refuses as malformed (1100–1199) it will refuse again. */
function retryableOf({ code }: MilvusStatus): boolean | undefined {
  return code >= 1100 && code < 1200 ? false : undefined;
}

function explained(message: string): string {
  return /wrong version number|EPROTO|packet length too long/i.test(message)
    ? `${message} (the server speaks no TLS there: leave \`tls\` out or use an http:// address)`
    : message;
}
