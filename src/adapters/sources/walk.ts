import { type Dirent, readdir } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FoundFile } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { compareText } from '../../core/ids.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { createFoundFile } from './file.js';
import { IGNORE_FILE, type IgnoreRules } from './ignored.js';
import { isInside } from './paths.js';
import { problemOf, specialFile } from './problems.js';

/** Half the cost of the one of `node:fs/promises`. */
const list = promisify(readdir);

/** A file, or what stands in the way of one. */
export type Item = FoundFile | { readonly uri: string; readonly error: Error };

/** Where a walk goes. */
export interface Walk {
  /** The folder to walk, real, and its uri ('' for a root). */
  readonly folder: string;
  readonly uri: string;
  /** The .gitignore rules that come from above it. */
  readonly rules: IgnoreRules;
  /** Real folders that links may lead into; undefined: any. */
  readonly allowed: readonly string[] | undefined;
  readonly maxFileBytes: number;
  /** Folders that are never walked: a store's own. Absolute. */
  readonly skip: readonly string[];
  /** Levels of folders; 1: only the folder's own files. */
  readonly maxDepth: number;
  /** Whether a file is wanted, by its uri. */
  readonly wants: (uri: string) => boolean;
  /** Whether a dot name, or `node_modules`, is walked all the same. */
  readonly names: (name: string) => boolean;
}

/** A folder on the way down. */
interface Level {
  readonly real: string;
  readonly rules: IgnoreRules;
  readonly entries: readonly Entry[];
  next: number;
}

/** Something in a folder, links resolved, or why it can't be had. */
type Entry = { readonly uri: string; readonly error: Error } | Target;

interface Target {
  readonly uri: string;
  readonly kind: 'file' | 'folder' | 'special';
  readonly real: string;
  readonly linked: boolean;
}

/**
 * The files under a folder in ascending order of uri; no more than one list of entries a level is in memory. Dot names, `node_modules`
 * and what .gitignore names are passed over. Links are followed where they may lead; a folder behind links is walked once, and not at all
 * when the walk is in it already.
 */
export async function* walk(way: Walk, signal: AbortSignal | undefined): AsyncIterable<Item> {
  const levels: Level[] = [];
  const linkedFolders = new Set<string>();
  const first = await openLevel(way, way.folder, way.uri, way.rules, signal);
  if ('error' in first) yield first;
  else levels.push(first);

  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    signal?.throwIfAborted();
    if (turnIsOver()) await nextTurn(signal);
    const entry = level.entries[level.next++];
    if (entry === undefined) {
      levels.pop();
    } else if ('error' in entry) {
      if (way.wants(entry.uri)) yield entry;
    } else if (entry.kind !== 'folder') {
      if (way.wants(entry.uri)) yield fileOf(entry, way.maxFileBytes);
    } else if (levels.length < way.maxDepth && (!entry.linked || isNew(entry.real))) {
      const next = await openLevel(way, entry.real, entry.uri, level.rules, signal);
      if ('error' in next) yield next;
      else levels.push(next);
    }
  }

  function isNew(folder: string): boolean {
    if (linkedFolders.has(folder) || levels.some(({ real }) => isInside(folder, real))) return false;
    linkedFolders.add(folder);
    return true;
  }
}

function fileOf({ uri, kind, real }: Target, maxFileBytes: number): Item {
  return kind === 'file' ? createFoundFile(uri, real, maxFileBytes) : { uri, error: specialFile(uri) };
}

async function openLevel(
  way: Walk,
  folder: string,
  uri: string,
  above: IgnoreRules,
  signal: AbortSignal | undefined,
): Promise<Level | { readonly uri: string; readonly error: Error }> {
  const prefix = uri === '' ? '' : `${uri}/`;
  let listed: readonly Dirent[];
  try {
    listed = await list(folder, { withFileTypes: true });
  } catch (cause) {
    return { uri: uri || folder, error: problemOf(uri || folder, cause) };
  }
  // Looking for one in vain costs as much as listing the folder.
  const rules = listed.some(({ name }) => name === IGNORE_FILE) ? await above.below(folder, prefix) : above;
  const entries: Entry[] = [];
  for (const dirent of listed) {
    if (isHidden(dirent.name) && !way.names(dirent.name)) continue;
    if (way.skip.includes(join(folder, dirent.name))) continue;
    const entry = await entryOf(dirent, folder, prefix + dirent.name, way.allowed);
    if (!rules.ignores(sortKey(entry))) entries.push(entry);
    if (turnIsOver()) await nextTurn(signal);
  }
  entries.sort((left, right) => compareText(sortKey(left), sortKey(right)));
  return { real: folder, rules, entries, next: 0 };
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules';
}

/** A folder's files stand where `name/` does: after `name.md`. */
function sortKey(entry: Entry): string {
  return !('error' in entry) && entry.kind === 'folder' ? `${entry.uri}/` : entry.uri;
}

async function entryOf(dirent: Dirent, folder: string, uri: string, allowed: readonly string[] | undefined): Promise<Entry> {
  const path = join(folder, dirent.name);
  if (dirent.isFile()) return { uri, kind: 'file', real: path, linked: false };
  if (dirent.isDirectory()) return { uri, kind: 'folder', real: path, linked: false };
  if (dirent.isFIFO() || dirent.isSocket() || dirent.isBlockDevice() || dirent.isCharacterDevice()) {
    return { uri, kind: 'special', real: path, linked: false };
  }
  // A link; or a file system that doesn't tell in a listing what an entry is.
  try {
    const real = await realpath(path);
    if (allowed !== undefined && !allowed.some((root) => isInside(root, real))) {
      return { uri, error: new RagError('FORBIDDEN', `${uri} is a link that leads out of the allowed folders`) };
    }
    const stats = await stat(real);
    return { uri, kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'special', real, linked: true };
  } catch (cause) {
    return { uri, error: problemOf(uri, cause) };
  }
}
