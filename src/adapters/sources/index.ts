import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { FoundSource, SourceFinder } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { createFoundFile } from './file.js';
import { isGlob, parseGlob } from './globs.js';
import { createRulesAbove } from './ignored.js';
import { type Located, locate } from './locate.js';
import { isInside, parseSource, type Root, toSlashes, uriOf } from './paths.js';
import { problemOf, specialFile } from './problems.js';
import { type Item, walk } from './walk.js';

export interface SourceFinderOptions {
  /** Larger files are reported and not read. Bytes. @default 50,000,000 */
  readonly maxFileBytes?: number | undefined;
  /** What relative sources are relative to where there are no roots. @default the process's */
  readonly cwd?: string | undefined;
  /** Folders that are passed over wherever they lie: the store's own. Absolute. @default none */
  readonly skip?: readonly string[] | undefined;
}

type RulesAbove = ReturnType<typeof createRulesAbove>;

/** A source that is allowed: where it was found, and what its uris are relative to. */
interface Placed extends Located {
  readonly root: string;
  /** Of the existing part. */
  readonly uri: string;
  readonly allowed: readonly string[] | undefined;
}

/**
 * Finds files on this machine. With roots, nothing outside them is taken, whatever links say, and a relative source is looked for in one
 * after the other. Without, everything is allowed; uris are relative to the working folder for what lies in it, else to the source itself.
 */
export function createSourceFinder({
  maxFileBytes = 50_000_000,
  cwd = process.cwd(),
  skip = [],
}: SourceFinderOptions = {}): SourceFinder {
  return {
    async resolve(sources, { roots: rootPaths, signal }) {
      const roots = rootPaths && (await openRoots(rootPaths, cwd));
      const found: FoundSource[] = [];
      const rulesAbove = createRulesAbove();
      for (const source of sources) {
        signal?.throwIfAborted();
        const located = await look(parseSource(source), roots);
        found.push(await openSource(source, place(source, located, roots), rulesAbove));
      }
      return found;
    },
  };

  /** In the roots; where none has it, from the working folder, as one types it at a prompt, if that leads into a root. */
  async function look(path: string, roots: readonly Root[] | undefined): Promise<Located> {
    const first = await locateAmong(roots?.map((root) => root.path) ?? [cwd], path);
    if (roots === undefined || isFound(first)) return first;
    const typed = await locate(resolve(cwd, path));
    return isFound(typed) && roots.some(({ real }) => isInside(real, typed.real)) ? typed : first;
  }

  /** @throws RagError FORBIDDEN */
  function place(source: string, located: Located, roots: readonly Root[] | undefined): Placed {
    const { existing, real, stats } = located;
    if (roots === undefined) {
      const root = isInside(cwd, existing) ? cwd : stats.isDirectory() ? existing : dirname(existing);
      return { ...located, root, uri: uriOf(root, existing), allowed: undefined };
    }
    const allowed = roots.map((root) => root.real);
    if (!allowed.some((root) => isInside(root, real))) {
      throw new RagError(
        'FORBIDDEN',
        `source ${JSON.stringify(source)} is outside the allowed folders (${roots.map(({ path }) => path).join(', ') || 'none'})`,
      );
    }
    const named = roots.find(({ path }) => isInside(path, existing));
    if (named !== undefined) return { ...located, root: named.path, uri: uriOf(named.path, existing), allowed };
    const root = allowed.find((folder) => isInside(folder, real)) ?? real;
    return { ...located, root, uri: uriOf(root, real), allowed };
  }

  async function openSource(source: string, placed: Placed, rulesAbove: RulesAbove): Promise<FoundSource> {
    const { path: origin, existing, rest, real, uri, stats, error } = placed;
    const [missing] = rest;
    if (error !== undefined) return one(origin, existing, { uri: toSlashes(source), error: problemOf(toSlashes(source), error) });
    if (missing !== undefined && !(isGlob(missing) && stats.isDirectory()))
      return one(origin, existing, notFound(source, `is not there${lookedIn(source, placed)}`));
    if (missing !== undefined) return openGlob(source, placed, rulesAbove);
    if (stats.isFile()) return one(origin, existing, createFoundFile(uri, real, maxFileBytes));
    if (!stats.isDirectory()) return one(origin, existing, { uri, error: specialFile(uri) });
    return openFolder(placed, rulesAbove);
  }

  async function openFolder(placed: Placed, rulesAbove: RulesAbove): Promise<FoundSource> {
    const way = await wayFrom(placed, rulesAbove);
    return { origin: placed.path, base: placed.existing, files: ({ signal } = {}) => walk(way, signal) };
  }

  async function openGlob(source: string, placed: Placed, rulesAbove: RulesAbove): Promise<FoundSource> {
    const { depth, matches, names } = parseGlob(placed.rest.join('/'));
    const prefix = placed.uri === '' ? 0 : placed.uri.length + 1;
    const way = {
      ...(await wayFrom(placed, rulesAbove)),
      maxDepth: depth,
      names,
      wants: (uri: string) => matches(uri.slice(prefix)),
    };
    return {
      origin: placed.path,
      base: placed.existing,
      async *files({ signal } = {}) {
        let any = false;
        for await (const item of walk(way, signal)) {
          any = true;
          yield item;
        }
        if (!any) yield notFound(source, 'matches no file');
      },
    };
  }

  async function wayFrom({ root, real: folder, uri, allowed }: Placed, rulesAbove: RulesAbove) {
    const rules = await rulesAbove(root, uri);
    return {
      folder,
      uri,
      rules,
      allowed,
      skip,
      maxFileBytes,
      maxDepth: Number.POSITIVE_INFINITY,
      wants: () => true,
      names: () => false,
    };
  }
}

/** The place of a path in the first base that has it, or has a folder for its wildcards; else in the first. */
async function locateAmong(bases: readonly string[], path: string): Promise<Located> {
  let first: Located | undefined;
  for (const base of bases) {
    const located = await locate(resolve(base, path));
    if (isFound(located)) return located;
    first ??= located;
  }
  return first ?? locate(resolve(path));
}

/** All of it, or a folder for its wildcards. */
function isFound({ rest: [missing] }: Located): boolean {
  return missing === undefined || isGlob(missing);
}

async function openRoots(paths: readonly string[], cwd: string): Promise<readonly Root[]> {
  const roots: Root[] = [];
  for (const named of paths) {
    const path = resolve(cwd, parseSource(named));
    try {
      const real = await realpath(path);
      if (!(await stat(real)).isDirectory()) throw new Error('it is not a folder');
      roots.push({ path, real });
    } catch (cause) {
      throw new RagError('CONFIG_INVALID', `root ${JSON.stringify(named)}: ${problemOf(path, cause).message}`, { cause });
    }
  }
  return roots;
}

/** Relative sources are relative to the roots, not to where the caller stands: worth saying when nothing was found. */
function lookedIn(source: string, { path, allowed = [] }: Placed): string {
  if (allowed.length === 0 || isAbsolute(parseSource(source))) return '';
  const others = allowed.length > 1 ? `, nor in the other allowed folders (${allowed.slice(1).join(', ')})` : '';
  return `: there is no ${path}${others}; relative sources are looked for in the allowed folders, then in the working folder`;
}

function notFound(source: string, problem: string): Item {
  return { uri: toSlashes(source), error: new RagError('NOT_FOUND', `source ${JSON.stringify(source)} ${problem}`) };
}

function one(origin: string, base: string, item: Item): FoundSource {
  return {
    origin,
    base,
    async *files({ signal } = {}) {
      signal?.throwIfAborted();
      yield item;
    },
  };
}
