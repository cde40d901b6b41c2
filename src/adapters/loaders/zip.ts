// Loaded for office documents only.
import { inflateRawSync } from 'node:zlib';
import { RagError } from '../../core/errors.js';

/** Of the ZIP format (APPNOTE 6.3): signatures and sizes of its records. */
const END = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/**
 * Makes sure that an archive unfolds to no more than `maxBytes` before anyone unfolds it: by the sizes that it states, and then, because
 * these may lie, by unfolding each entry to no more than it states.
 * @throws RagError INPUT_INVALID naming the limit, or what is broken
 */
export function checkArchive(uri: string, bytes: Uint8Array, maxBytes: number): void {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = entriesOf(uri, archive);
  const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (total > maxBytes) {
    throw new RagError(
      'INPUT_INVALID',
      `${uri} unpacks to ${total} bytes, more than ingest.maxUnpackedBytes allows (${maxBytes})`,
    );
  }
  for (const entry of entries) checkEntry(uri, archive, entry);
}

function entriesOf(uri: string, archive: Buffer): readonly Entry[] {
  const end = endOf(archive);
  if (end === -1) throw broken(uri, 'its end is missing');
  const count = archive.readUInt16LE(end + 10);
  const entries: Entry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (at + ENTRY_BYTES > archive.length || archive.readUInt32LE(at) !== ENTRY) throw broken(uri, 'its directory is damaged');
    const nameBytes = archive.readUInt16LE(at + 28);
    entries.push({
      name: archive.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: archive.readUInt16LE(at + 10),
      encrypted: (archive.readUInt16LE(at + 8) & 1) === 1,
      packedBytes: archive.readUInt32LE(at + 20),
      bytes: archive.readUInt32LE(at + 24),
      offset: archive.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

/** Of the end record, looked for from the end: a comment may follow it. */
function endOf(archive: Buffer): number {
  const last = archive.length - END_BYTES;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
    if (archive.readUInt32LE(at) === END) return at;
  }
  return -1;
}

function checkEntry(uri: string, archive: Buffer, { name, method, encrypted, packedBytes, bytes, offset }: Entry): void {
  if (encrypted) throw new RagError('INPUT_INVALID', `${uri} is encrypted: save it without a password`);
  if (offset + LOCAL_BYTES > archive.length || archive.readUInt32LE(offset) !== LOCAL) throw broken(uri, `${name} is missing`);
  const start = offset + LOCAL_BYTES + archive.readUInt16LE(offset + 26) + archive.readUInt16LE(offset + 28);
  const packed = archive.subarray(start, start + packedBytes);
  if (method !== STORED && method !== DEFLATED) throw broken(uri, `${name} is packed in a way that isn't known`);
  if (packed.length < packedBytes || bytes === 0) {
    if (bytes === 0) return;
    throw broken(uri, `${name} ends too early`);
  }
  try {
    const length = method === STORED ? packed.length : inflateRawSync(packed, { maxOutputLength: bytes }).length;
    if (length !== bytes) throw broken(uri, `${name} has another size than it states`);
  } catch (cause) {
    throw cause instanceof RagError ? cause : broken(uri, `${name} can't be unpacked, or has another size than it states`, cause);
  }
}

function broken(uri: string, problem: string, cause?: unknown): RagError {
  return new RagError('INPUT_INVALID', `${uri} is not a whole Word document: ${problem}`, { cause });
}
