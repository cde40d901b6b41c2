import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, RagError } from '../core/errors.js';

/** Read at each end of a file: a GGUF begins with its metadata, and both kinds of file end in the middle of weights. */
const SAMPLE_BYTES = 1 << 20;

/** A model's file as it is known before anything loads it. */
export interface ModelFile {
  /** Its first bytes, 1 MiB at most. */
  readonly head: Buffer;
  /** Hex. Of its length, its beginning and its end: another model or quantisation has another one, another name has not. */
  readonly digest: string;
}

/**
 * Looks at a model's file without reading all of its gigabytes.
 * @param option where the path was given, for messages @example 'generator.path'
 * @throws RagError CONFIG_INVALID when there is no such file or it can't be read
 */
export async function readModelFile(path: string, option: string): Promise<ModelFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const head = await read(handle, 0, Math.min(size, SAMPLE_BYTES));
    const tail = await read(handle, Math.max(0, size - SAMPLE_BYTES), Math.min(size, SAMPLE_BYTES));
    const digest = createHash('sha256').update(`${size}\n`).update(head).update(tail).digest('hex').slice(0, 16);
    return { head, digest };
  } catch (cause) {
    throw new RagError('CONFIG_INVALID', `${option}: the model ${path} can't be read: ${messageOf(cause)}`, { cause });
  } finally {
    await handle?.close();
  }
}

async function read(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
