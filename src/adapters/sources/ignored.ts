import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ignore } from 'ignore';

export const IGNORE_FILE = '.gitignore';

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
 * Finds the rules from above a folder, read from the root's .gitignore down to that of the folder's parent. When they ignore the folder
 * itself they don't hold: it was named. What was read is remembered, for one call with many sources.
 */
export function createRulesAbove(): (root: string, uri: string) => Promise<IgnoreRules> {
  const known = new Map<string, Promise<IgnoreRules>>();

  /** @param names the folder whose .gitignore is the last one read, relative to the root */
  function rulesOf(root: string, names: readonly string[]): Promise<IgnoreRules> {
    const folder = join(root, ...names);
    const key = `${root}\0${folder}`;
    let rules = known.get(key);
    if (rules === undefined) {
      const above = names.length === 0 ? Promise.resolve(noRules) : rulesOf(root, names.slice(0, -1));
      rules = above.then((outer) => outer.below(folder, names.map((name) => `${name}/`).join('')));
      known.set(key, rules);
    }
    return rules;
  }

  return async (root, uri) => {
    if (uri === '') return noRules;
    const rules = await rulesOf(root, uri.split('/').slice(0, -1));
    return rules.ignores(`${uri}/`) ? noRules : rules;
  };
}

/** `decide` answers true (ignored), false (taken in again by a `!`), or undefined (nothing said). */
function createRules(decide: (path: string) => boolean | undefined): IgnoreRules {
  return {
    ignores: (path) => decide(path) ?? false,
    async below(folder, prefix) {
      const own = await readRules(join(folder, IGNORE_FILE));
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
