import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { messageOf, RagError } from '../../../core/errors.js';
import {
  type BackupEnd,
  type BackupHead,
  type BackupRow,
  FORMAT,
  FRAME_HEAD,
  FRAME_KIND,
  MAGIC,
  ROW_HEAD,
  ROWS_HEAD,
} from './backup-format.js';

/** Some rows of one collection, counted in the order of the head. */
export interface BackupRows {
  readonly collection: number;
  readonly rows: readonly BackupRow[];
  /** Where in the file, for errors. */
  readonly place: string;
}

export interface BackupReader {
  readonly head: BackupHead;
  readonly bytes: number;
  /** All rows from the first on; complete when it ends without an error. @throws RagError STORE_CORRUPT */
  rows(): AsyncGenerator<BackupRows>;
  close(): Promise<void>;
}

/**
 * @throws RagError NOT_FOUND · INPUT_INVALID (no backup of hotrag's) · UNSUPPORTED (of another version) · STORE_CORRUPT (damaged)
 */
export async function openBackupFile(path: string): Promise<BackupReader> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    const code = error.code === 'ENOENT' ? 'NOT_FOUND' : 'INPUT_INVALID';
    throw new RagError(code, `the backup ${path} can't be read (${messageOf(error)})`, { cause: error });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new RagError('INPUT_INVALID', `${path} is no file, so no backup of hotrag's`);
    const magic = await readAt(file, 0, Math.min(stat.size, MAGIC.length));
    if (!magic.equals(MAGIC)) throw new RagError('INPUT_INVALID', `${path} is no backup of hotrag's: it starts otherwise`);
    const first = await readFrame(file, path, MAGIC.length, stat.size);
    if (first.body[0] !== FRAME_KIND.head) throw damaged(path, MAGIC.length, 'it has no head');
    const head = parse<BackupHead>(first.body);
    if (head.format !== FORMAT) {
      throw new RagError(
        'UNSUPPORTED',
        `the backup ${path} has format ${head.format}, and this hotrag reads format ${FORMAT}: restore it with the version that made it`,
      );
    }
    return {
      head,
      bytes: stat.size,
      rows: () => readRows(file, path, first, head.collections.length, stat.size),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Frame {
  readonly start: Buffer;
  readonly body: Buffer;
  readonly end: number;
}

async function* readRows(
  file: FileHandle,
  path: string,
  head: Frame,
  collections: number,
  size: number,
): AsyncGenerator<BackupRows> {
  let checksum = crc32(head.start);
  let count = 0;
  for (let at = head.end; ; ) {
    const { start, body, end } = await readFrame(file, path, at, size);
    const kind = body[0];
    if (kind === FRAME_KIND.end) {
      const told = parse<BackupEnd>(body);
      if (told.rows !== count || told.checksum !== checksum) throw damaged(path, at, 'rows are missing before its end');
      if (end !== size) throw damaged(path, end, `${size - end} bytes follow its end`);
      return;
    }
    checksum = crc32(start, checksum);
    const collection = body.length < ROWS_HEAD ? collections : body.readUInt32LE(1);
    if (kind !== FRAME_KIND.rows || collection >= collections) throw damaged(path, at, 'it holds what no backup holds');
    const rows = splitRows(body);
    count += rows.length;
    yield { collection, rows, place: `${path} at byte ${at}` };
    at = end;
  }
}

function splitRows(body: Buffer): readonly BackupRow[] {
  const rows: BackupRow[] = [];
  for (let at = ROWS_HEAD; at < body.length; ) {
    const rest = at + ROW_HEAD;
    const value = rest + body.readUInt16LE(at + 1);
    const end = value + body.readUInt32LE(at + 3);
    rows.push({ kind: body.readUInt8(at), rest: body.subarray(rest, value), value: body.subarray(value, end) });
    at = end;
  }
  return rows;
}

async function readFrame(file: FileHandle, path: string, at: number, size: number): Promise<Frame> {
  const left = size - at - FRAME_HEAD;
  if (left < 0) throw damaged(path, size, 'it was truncated: its end is missing');
  const start = await readAt(file, at, FRAME_HEAD);
  const length = start.readUInt32LE(0);
  if (length === 0 || length > left)
    throw damaged(path, at, `it was truncated, or is damaged: ${length} bytes should follow, and ${left} do`);
  const body = await readAt(file, at + FRAME_HEAD, length);
  if (crc32(body) !== start.readUInt32LE(4)) throw damaged(path, at, `the checksum of these ${length} bytes is wrong`);
  return { start, body, end: at + FRAME_HEAD + length };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

function parse<Value>(body: Buffer): Value {
  // The checksum vouches for it: it is what the writer was given.
  return JSON.parse(body.toString('utf8', 1)) as Value;
}

function damaged(path: string, at: number, problem: string): RagError {
  return new RagError('STORE_CORRUPT', `the backup ${path} is damaged at byte ${at}: ${problem}; use another backup`);
}
