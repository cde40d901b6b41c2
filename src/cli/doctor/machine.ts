import { access, constants, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Outcome } from './check.js';

/** The oldest Node that package.json's `engines` allows; main.ts refuses older ones before anything runs. */
const OLDEST = '20.19';

const MEGABYTE = 1024 * 1024;
/** Below this the next ingest may fail; and below that, soon. */
const LITTLE_SPACE = { failing: 100 * MEGABYTE, warning: 1024 * MEGABYTE };

/** The Node that runs this. */
export function lookAtNode(version: string, platform: string, architecture: string): Outcome {
  return { state: 'ok', message: `${version} on ${platform} ${architecture}; ${OLDEST} or newer is needed` };
}

/** Room and permission where the store is, or would be made. */
export async function lookAtDisk(folder: string): Promise<Outcome> {
  const existing = await nearestExisting(folder);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const message = `${(free / MEGABYTE / 1024).toFixed(1)} GB free at ${existing}`;
  const writable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    const advice = 'Give this user the right to write there, or name another folder with --path.';
    if (existing === folder)
      return { state: 'warning', message: `${existing} can be read only: searches work, ingests don't`, advice };
    return { state: 'failing', message: `${folder} can't be made: ${existing} can't be written`, advice };
  }
  if (free >= LITTLE_SPACE.warning) return { state: 'ok', message };
  const state = free < LITTLE_SPACE.failing ? 'failing' : 'warning';
  return { state, message: `only ${message}`, advice: 'Make room, or put the store elsewhere with --path.' };
}

/** Whether `hotrag serve --transport http` could listen. */
export async function lookAtPort(host: string, port: number, signal: AbortSignal): Promise<Outcome> {
  const address = `${host}:${port}`;
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, signal, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (problem === undefined) return { state: 'ok', message: `${address} is free for serve --transport http` };
  const advice = 'It is needed by serve --transport http only: take another with --port there, or end the program that has it.';
  return { state: 'warning', message: `${address} can't be listened on (${problem.code ?? problem.message})`, advice };
}

async function nearestExisting(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined || dirname(path) === path) return path;
  }
}
