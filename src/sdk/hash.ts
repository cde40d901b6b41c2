import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** How much is hashed before others may run: some 3 ms. */
const SLICE_BYTES = 4_194_304;

/** SHA-256 of a short text, in hex. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** CRC-32 of any bytes. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** SHA-256 of parts of any size, each preceded by its length so that no two lists of parts look alike, in hex. */
export async function hash(parts: readonly (string | Uint8Array)[]): Promise<string> {
  const sha256 = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    sha256.update(`${bytes.length}:`);
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      if (start > 0) await new Promise((resolve) => setImmediate(resolve));
      sha256.update(bytes.subarray(start, start + SLICE_BYTES));
    }
  }
  return sha256.digest('hex');
}
