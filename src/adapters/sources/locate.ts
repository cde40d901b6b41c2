import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { codeOf } from './problems.js';

/** How far a path leads. */
export interface Located {
  /** As asked for: absolute. */
  readonly path: string;
  /** The part of it that is there (all of it, or a folder above), and where that really is, symlinks resolved. */
  readonly existing: string;
  readonly real: string;
  readonly stats: Stats;
  /** The names that are missing, outermost first. */
  readonly rest: readonly string[];
  /** What else than being missing keeps the path from being looked at. */
  readonly error?: unknown;
}

/** Looks a path up; the folders above it decide whether it may be spoken of when it is missing itself. */
export async function locate(path: string): Promise<Located> {
  const rest: string[] = [];
  let error: unknown;
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      const real = await realpath(existing);
      const stats = await stat(real);
      return error === undefined ? { path, existing, real, stats, rest } : { path, existing, real, stats, rest, error };
    } catch (problem) {
      if (existing === dirname(existing)) throw problem; // not even the top folder
      if (codeOf(problem) !== 'ENOENT' && codeOf(problem) !== 'ENOTDIR') error ??= problem;
      rest.unshift(basename(existing));
    }
  }
}
