import { crc32 } from 'node:zlib';
import { RagError } from '../../../core/errors.js';

/** A value with its checksum behind it, by which a flipped byte is noticed when it is read. */
export function seal(bytes: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(bytes.length + 4);
  sealed.set(bytes);
  sealed.writeUInt32LE(crc32(bytes), bytes.length);
  return sealed;
}

/** The value that was sealed; undefined when it is damaged. */
export function sealedIn(sealed: Buffer): Buffer | undefined {
  const bytes = sealed.subarray(0, Math.max(0, sealed.length - 4));
  return sealed.length < 4 || crc32(bytes) !== sealed.readUInt32LE(bytes.length) ? undefined : bytes;
}

/**
 * The value that was sealed.
 * @param what names it for the error
 * @throws RagError STORE_CORRUPT
 */
export function unseal(sealed: Buffer, what: string): Buffer {
  const bytes = sealedIn(sealed);
  if (bytes === undefined) {
    throw new RagError('STORE_CORRUPT', `${what}: damaged (its checksum is wrong)`, { adapter: 'memory' });
  }
  return bytes;
}

export function packRow(row: object): Buffer {
  return seal(Buffer.from(JSON.stringify(row), 'utf8'));
}

/** @throws RagError STORE_CORRUPT */
export function unpackRow<Row>(sealed: Buffer, what: string): Row {
  // The checksum vouches for it: it is what `packRow` was given.
  return JSON.parse(unseal(sealed, what).toString('utf8')) as Row;
}
