import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ignore } from 'ignore';

/** A longer .gitignore is somebody's accident. Bytes. */
const MAX_BYTES = 1 << 20;

/** The .gitignore files that hold for a folder: its own first, then those above. */
export interface IgnoreRules {
  /** Whether they name an entry; `path` with `/`, relative to the walk's root; a folder's ends in `/`. */
  ignores(path: string): boolean;
  /** These with the .gitignore of a folder below, if it has one. `prefix` is the folder's path relative to the root, '' or ending in `/`. */
  below(folder: string, prefix: string): Promise<IgnoreRules>;
}

const noRules: IgnoreRules = createRules(() => undefined);

/**
 * The rules from above a folder, read from the root's .gitignore down to that of the folder's parent. When they ignore the folder itself
 * they don't hold: it was named.
 * @param uri the folder, relative to the root, with `/`
 */
export async function rulesAbove(root: string, uri: string): Promise<IgnoreRules> {
  const names = uri === '' ? [] : uri.split('/');
  let rules = noRules;
  for (const [depth] of names.entries()) {
    const above = names.slice(0, depth);
    rules = await rules.below(join(root, ...above), above.map((name) => `${name}/`).join(''));
  }
  return uri !== '' && rules.ignores(`${uri}/`) ? noRules : rules;
}

/** `decide` answers true (ignored), false (taken in again by a `!`), or undefined (nothing said). */
function createRules(decide: (path: string) => boolean | undefined): IgnoreRules {
  return {
    ignores: (path) => decide(path) ?? false,
    async below(folder, prefix) {
      const own = await readRules(join(folder, '.gitignore'));
      if (own === undefined) return this;
      // The nearest file that says anything decides, as git has it.
      return createRules((path) => verdict(own, path.slice(prefix.length)) ?? decide(path));
    },
  };
}

function verdict(rules: Ignore, path: string): boolean | undefined {
  const { ignored, unignored } = rules.test(path);
  return ignored ? true : unignored ? false : undefined;
}

async function readRules(path: string): Promise<Ignore | undefined> {
  try {
    const stats = await lstat(path); // a link may lead out of the roots, and a pipe would hang
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    const { default: ignore } = await import('ignore');
    return ignore({ ignorecase: false }).add(await readFile(path, 'utf8'));
  } catch {
    return undefined; // there is none, or it can't be read
  }
}
