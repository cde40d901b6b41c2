import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { isRagError, messageOf } from '../../core/errors.js';
import { toToolFailure } from '../errors.js';
import type { RagServer } from '../server.js';

/** What a request that is no tool call is answered with: the same words and codes, as an error of the protocol. */
export function asProtocolError(error: unknown, server: RagServer, where: string): unknown {
  if (error instanceof ProtocolError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (!isRagError(error))
    server.logger.error(`${where}: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`);
  const { code, retryable, text } = toToolFailure(error);
  const protocolCode =
    code === 'INPUT_INVALID' || code === 'NOT_FOUND' ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
  return new ProtocolError(protocolCode, text, { 'hotrag/error': code, 'hotrag/retryable': retryable });
}
