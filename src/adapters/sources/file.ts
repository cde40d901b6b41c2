import { closeSync, constants, fstatSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { FoundFile } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { problemOf, specialFile } from './problems.js';

/**
 * Not through a symlink: it was resolved and found allowed, and one that stands there now was put there since. Not waiting: a pipe
 * would hold a thread until somebody writes. Windows has neither flag.
 */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/**
 * Plain file descriptors: a FileHandle of `node:fs/promises` costs more than reading a small file with one. What may wait for the disk is
 * asynchronous; looking at a file that is open, and closing one that was only read, doesn't, and takes a thirtieth of the time when synchronous.
 */
const openFile = promisify(open);
const readFile = promisify(read);
/** Read between two looks at the signal. */
const PART_BYTES = 4 << 20;

/** A file to be read later; its size is looked at then. `path` is real: absolute, symlinks resolved. */
export function createFoundFile(uri: string, path: string, maxFileBytes: number): FoundFile {
  return {
    uri,
    path,
    async read({ signal } = {}) {
      signal?.throwIfAborted();
      const file = await openFile(path, OPEN_FLAGS).catch((cause: unknown) => {
        throw problemOf(uri, cause);
      });
      try {
        const stats = fstatSync(file);
        if (!stats.isFile()) throw specialFile(uri);
        if (stats.size > maxFileBytes) {
          throw new RagError(
            'INPUT_INVALID',
            `${uri} has ${megabytes(stats.size)}, more than maxFileBytes allows (${megabytes(maxFileBytes)})`,
          );
        }
        return await readBytes(file, stats.size, signal);
      } finally {
        closeSync(file);
      }
    },
  };
}

/** As many bytes as the file had when it was opened: one that is being written to is taken as it was then. */
async function readBytes(file: number, size: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await readFile(file, bytes, length, Math.min(PART_BYTES, size - length), length);
    signal?.throwIfAborted();
    if (bytesRead === 0) break; // it was cut short meanwhile
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function megabytes(bytes: number): string {
  return `${bytes} bytes, ${(bytes / 1e6).toFixed(1)} MB`;
}
