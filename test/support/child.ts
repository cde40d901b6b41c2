import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A TypeScript file made ready to run in processes of its own. */
export interface ChildProgram {
  /** Where it lies. */
  readonly file: string;
  /** Starts it; messages go both ways. */
  start(...args: readonly string[]): ChildProcess;
  remove(): Promise<void>;
}

/** Bundles a file of this folder; packages stay where they are installed. */
export async function bundleChild(name: string): Promise<ChildProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'hotrag-child-'));
  const outfile = join(folder, 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    plugins: [
      {
        name: 'packages-by-address',
        setup({ onResolve }) {
          onResolve({ filter: /^(lmdb|@keyv\/redis)$/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true }));
        },
      },
    ],
  });
  return {
    file: outfile,
    start: (...args) => fork(outfile, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Ends a child with SIGKILL and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The child's next message. @throws when it ends without one */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const waiting = new AbortController();
  try {
    const ended = once(child, 'exit', { signal: waiting.signal }).then(() => {
      throw new Error('the child ended');
    });
    const [message] = await Promise.race([once(child, 'message', { signal: waiting.signal }), ended]);
    return message;
  } finally {
    waiting.abort();
  }
}
