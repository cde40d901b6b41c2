import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
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

/** A frame is closed when its rows come to more. */
const FRAME_BYTES = 1_048_576;

export interface BackupWriter {
  add(collection: number, row: BackupRow): Promise<void>;
  /** Makes the file appear under its name, complete and on the disk. @returns its length in bytes */
  finish(): Promise<number>;
  /** Leaves nothing behind; after `finish`, does nothing. */
  abort(): Promise<void>;
}

/** Starts a backup file, beside its place until it is complete. */
export async function createBackupFile(path: string, head: Omit<BackupHead, 'format'>): Promise<BackupWriter> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  let bytes = 0;
  let rows = 0;
  let checksum = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let pendingOf = 0;
  let unfinished = true;

  const writer: BackupWriter = {
    async add(collection, { kind, rest, value }) {
      if (collection !== pendingOf || pendingBytes > FRAME_BYTES) await flush();
      pendingOf = collection;
      const start = Buffer.alloc(ROW_HEAD);
      start.writeUInt8(kind, 0);
      start.writeUInt16LE(rest.length, 1);
      start.writeUInt32LE(value.length, 3);
      pending.push(start, rest, value);
      pendingBytes += ROW_HEAD + rest.length + value.length;
      rows++;
    },
    async finish() {
      await flush();
      await writeFrame(FRAME_KIND.end, [Buffer.from(JSON.stringify({ rows, checksum } satisfies BackupEnd))]);
      await file.sync();
      await file.close();
      unfinished = false;
      await rename(temporary, path);
      await syncFolder(dirname(path));
      return bytes;
    },
    async abort() {
      if (!unfinished) return;
      unfinished = false;
      await file.close().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
  try {
    await write([MAGIC]);
    await writeFrame(FRAME_KIND.head, [Buffer.from(JSON.stringify({ format: FORMAT, ...head } satisfies BackupHead))]);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer;

  async function flush(): Promise<void> {
    if (pending.length === 0) return;
    const collection = Buffer.alloc(ROWS_HEAD - 1);
    collection.writeUInt32LE(pendingOf);
    await writeFrame(FRAME_KIND.rows, [collection, ...pending]);
    pending = [];
    pendingBytes = 0;
  }

  async function writeFrame(kind: number, parts: readonly Buffer[]): Promise<void> {
    const body = Buffer.concat([Buffer.from([kind]), ...parts]);
    const start = Buffer.alloc(FRAME_HEAD);
    start.writeUInt32LE(body.length, 0);
    start.writeUInt32LE(crc32(body), 4);
    checksum = crc32(start, checksum);
    await write([start, body]);
  }

  async function write(parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) {
      for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
      bytes += part.length;
    }
  }
}

/** So that the new name survives a power loss too. Not every file system takes it for a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
