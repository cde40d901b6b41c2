import { isDeepStrictEqual } from 'node:util';
import { RagError } from '../../core/errors.js';
import type { Entry } from './entry.js';
import { insertMember, replaceValue } from './json-edit.js';
import { type JsonObject, memberOf, plainValue, readTree, type TreeReading } from './json-tree.js';

export interface MergeRequest {
  /** The file, for messages. */
  readonly file: string;
  /** What is in it; undefined: it isn't there. */
  readonly text: string | undefined;
  /** The object that holds the servers. */
  readonly key: string;
  readonly name: string;
  readonly entry: Entry;
  /** Put it in the place of another entry of that name. */
  readonly replace: boolean;
}

/**
 * The text of a client's file with an entry more. Everything else in it stays, letter by letter.
 * @returns undefined when the very entry is there already
 * @throws RagError INPUT_INVALID (no JSON, with line and column; not the shape of such a file; another entry of that name)
 */
export function mergeEntry({ file, text = '', key, name, entry, replace }: MergeRequest): string | undefined {
  if (text.trim().replace(/^\uFEFF/, '') === '') return `${JSON.stringify({ [key]: { [name]: entry } }, undefined, 2)}\n`;
  const reading = readTree(text);
  if (!reading.ok) throw refused(file, `is no valid JSON: ${reading.problem}; mend it first`);
  const { root } = reading;
  if (root.kind !== 'object') throw refused(file, 'must hold an object');
  const servers = memberOf(root, key);
  if (servers === undefined) return checked(text, insertMember(text, root, key, { [name]: entry }), { file, key, name, entry });
  if (servers.kind !== 'object') throw refused(file, `"${key}" in it must be an object`);
  const before = memberOf(servers, name);
  if (before === undefined) return checked(text, insertMember(text, servers, name, entry), { file, key, name, entry });
  if (isDeepStrictEqual(plainValue(before), entry)) return undefined;
  if (!replace) {
    const advice = 'take another --name, or put the new one in its place with --replace';
    throw refused(file, `has another entry ${JSON.stringify(name)} already; ${advice}`);
  }
  return checked(text, replaceValue(text, before, entry), { file, key, name, entry });
}

/** A last look, since this is somebody else's file: all that was in it must still be, and the entry with it. */
function checked(
  before: string,
  after: string,
  { file, key, name, entry }: Pick<MergeRequest, 'file' | 'key' | 'name' | 'entry'>,
): string {
  const old = plainOf(readTree(before));
  const servers = typeof old[key] === 'object' ? old[key] : {};
  if (!isDeepStrictEqual(plainOf(readTree(after)), { ...old, [key]: { ...servers, [name]: entry } })) {
    throw refused(file, 'is laid out in a way that an entry can’t be added to safely; see --print, and add it yourself');
  }
  return after;
}

function plainOf(reading: TreeReading): Record<string, unknown> {
  const isObject = reading.ok && reading.root.kind === 'object';
  return isObject ? (plainValue(reading.root as JsonObject) as Record<string, unknown>) : {}; // as was just asked
}

function refused(file: string, problem: string): RagError {
  return new RagError('INPUT_INVALID', `${file}: ${problem}. The file is untouched.`);
}
