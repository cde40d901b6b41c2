import { isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, RagError } from '../../core/errors.js';

/** A folder that files may be taken from. */
export interface Root {
  /** Absolute, as it was named. */
  readonly path: string;
  /** Symlinks resolved. */
  readonly real: string;
}

/**
 * The path that a source names, with the system's separators; nothing is looked up.
 * @throws RagError INPUT_INVALID for what is no path of this machine
 */
export function parseSource(source: string): string {
  if (typeof source !== 'string' || source.trim() === '') {
    throw new RagError('INPUT_INVALID', 'a source is empty: name a file, folder or glob');
  }
  const shown = JSON.stringify(source);
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(source)) {
    throw new RagError('INPUT_INVALID', `source ${shown}: nothing is fetched from the network; save it to a file and name that`);
  }
  const path = /^file:/i.test(source) ? parseFileUrl(source) : source;
  // The system's calls end a path at NUL: what was checked would not be what is opened.
  if (path.includes('\0')) throw new RagError('INPUT_INVALID', `source ${shown} holds a NUL character`);
  // Opening \\server\share makes Windows send the user's credentials to that server.
  if (/^(?:\\\\|\/\/)/.test(path))
    throw new RagError('INPUT_INVALID', `source ${shown} is a network path; only local ones are read`);
  return path;
}

function parseFileUrl(source: string): string {
  try {
    const url = new URL(source);
    if (url.hostname !== '') throw new Error('it names another machine');
    return fileURLToPath(url);
  } catch (cause) {
    throw new RagError('INPUT_INVALID', `source ${JSON.stringify(source)}: ${messageOf(cause)}`, { cause });
  }
}

/** Whether a path is a folder or lies under it. Both absolute; nothing is looked up. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** The path relative to a root, with `/`: what documents are called by. */
export function uriOf(root: string, path: string): string {
  return toSlashes(relative(root, path));
}

/** With `/`, whatever the system writes. On systems where `\` is a letter like others, it stays. */
export function toSlashes(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}
