import picomatch from 'picomatch';
import { RagError } from '../../core/errors.js';

/** More wildcards than this in one pattern could keep a matcher busy for hours on a name made for it. */
const MAX_STARS = 4;

/** `* ** ? [abc] {a,b}` and nothing else, so that names with `!`, `+` or parentheses stay names. */
const OPTIONS = { noextglob: true, nonegate: true } as const;

/** What a pattern asks for. */
export interface Glob {
  /** How many levels of folders it reaches into; infinite with `**`. */
  readonly depth: number;
  /** Whether a path, relative to the pattern's folder and with `/`, matches. */
  matches(path: string): boolean;
  /** Whether the pattern names a dot name, or `node_modules`, itself. */
  names(name: string): boolean;
}

/** Whether a part of a path has a wildcard in it. */
export function isGlob(part: string): boolean {
  return picomatch.scan(part, OPTIONS).isGlob === true;
}

/**
 * A pattern with `/` between its parts.
 * @throws RagError INPUT_INVALID with more wildcards than a matcher should be given
 */
export function parseGlob(pattern: string): Glob {
  const parts = pattern.split('/');
  const deep = parts.filter((part) => part === '**').length;
  const most = Math.max(deep, ...parts.map((part) => (part === '**' ? 0 : part.split('*').length - 1)));
  if (most > MAX_STARS) {
    throw new RagError(
      'INPUT_INVALID',
      `the pattern ${JSON.stringify(pattern)} has too many wildcards: at most ${MAX_STARS} \`*\` in a name, and ${MAX_STARS} \`**\``,
    );
  }
  const named = parts.filter((part) => part.startsWith('.') || part === 'node_modules').map((part) => picomatch(part, OPTIONS));
  return {
    depth: pattern.includes('**') ? Number.POSITIVE_INFINITY : parts.length,
    matches: picomatch(pattern, OPTIONS),
    names: (name) => named.some((matches) => matches(name)),
  };
}
