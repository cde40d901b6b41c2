import { relative, sep } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { CallOptions, Watcher } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { isInside } from './paths.js';
import { codeOf } from './problems.js';

export interface WatcherOptions {
  /** Folders that are not looked at: the store's own. Absolute. @default none */
  readonly skip?: readonly string[] | undefined;
  /** Quiet that ends a burst of changes, ms: editors and checkouts write many files, and one file several times. @default 250 */
  readonly quietMs?: number | undefined;
  /** A burst that doesn't end is told of after this time all the same, ms. @default 5000 */
  readonly longestMs?: number | undefined;
}

/**
 * Tells of changes in folders and files of this machine, by what the operating system tells. Names that ingest passes over too (dot files,
 * `node_modules`) are not looked at, unless they are what is watched.
 */
export function createWatcher({ skip = [], quietMs = 250, longestMs = 5000 }: WatcherOptions = {}): Watcher {
  return {
    async *changes(paths, { signal }: CallOptions = {}) {
      signal?.throwIfAborted();
      const bursts = createBursts(quietMs, longestMs);
      const onAbort = () => bursts.fail(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      let watching: FSWatcher | undefined;
      try {
        const { watch } = await import('chokidar');
        watching = watch([...paths], { ignoreInitial: true, ignored: (path) => isIgnored(path, paths, skip) });
        watching.on('all', bursts.touch);
        watching.on('error', (error) => bursts.fail(asRagError(error)));
        watching.on('ready', bursts.now); // what happens from here on is seen; what was before, the first run finds
        for (;;) {
          await bursts.next();
          yield;
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        bursts.end();
        await watching?.close();
      }
    },
  };
}

function isIgnored(path: string, bases: readonly string[], skip: readonly string[]): boolean {
  if (skip.some((folder) => isInside(folder, path))) return true;
  const base = bases
    .filter((candidate) => isInside(candidate, path))
    .reduce((longest, one) => (one.length > longest.length ? one : longest), '');
  return relative(base, path)
    .split(sep)
    .some((name) => name === 'node_modules' || (name.startsWith('.') && name !== '.' && name !== '..'));
}

function asRagError(error: unknown): RagError {
  const code = codeOf(error);
  const cure =
    code === 'ENOSPC' || code === 'EMFILE'
      ? 'the system lets no more files be watched: watch fewer folders, or raise its limit (on Linux fs.inotify.max_user_watches)'
      : 'see that it is still there and may be read';
  return new RagError('INPUT_INVALID', `watching failed: ${error instanceof Error ? error.message : String(error)}; ${cure}`, {
    cause: error,
  });
}

/** Gathers changes into bursts. Those that come while the reader is busy are told at its next `next`, as one. */
function createBursts(quietMs: number, longestMs: number) {
  let quiet: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;
  let isDue = false;
  let failure: { readonly reason: unknown } | undefined;
  let wake: (() => void) | undefined;

  function due(): void {
    clearTimeout(quiet);
    clearTimeout(longest);
    longest = undefined;
    isDue = true;
    wake?.();
  }

  return {
    now: due,
    touch(): void {
      clearTimeout(quiet);
      quiet = setTimeout(due, quietMs);
      longest ??= setTimeout(due, longestMs);
    },
    fail(reason: unknown): void {
      failure ??= { reason };
      wake?.();
    },
    async next(): Promise<void> {
      while (!isDue && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure.reason;
      isDue = false;
    },
    end(): void {
      clearTimeout(quiet);
      clearTimeout(longest);
    },
  };
}
