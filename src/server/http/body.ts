import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './exchange.js';

/**
 * Reads a JSON body and no more of it than is allowed.
 * @param most bytes
 * @throws HttpProblem 400 (no JSON), 413 (too large), 415 (another kind)
 */
export async function readJson(request: IncomingMessage, most: number): Promise<unknown> {
  const kind = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (kind !== 'application/json') throw new HttpProblem(415, 'the body must be application/json');
  if (request.headers['content-encoding'] !== undefined) throw new HttpProblem(415, 'the body must not be compressed');
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge(most);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Not destroyed when left early: the answer must still go out.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const buffer: Buffer = chunk;
      bytes += buffer.length;
      if (bytes > most) throw tooLarge(most);
      chunks.push(buffer);
    }
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem(400, 'the body ended before it was complete', { code: -32_700 });
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new HttpProblem(400, 'Parse error: the body is no JSON in UTF-8', { code: -32_700 });
  }
}

function tooLarge(most: number): HttpProblem {
  // The rest of the body isn't read: the connection can't be used again.
  return new HttpProblem(413, `the body is larger than ${most} bytes; send documents in several calls`, {
    headers: { connection: 'close' },
  });
}
