import { once } from './once.js';

/**
 * True when most letters of a text belong to one of the scripts that an embedder understands, or when it has no letters at all.
 * A vector of text in an unknown script is noise that would only displace good keyword matches.
 * Looks at the first 4,096 characters.
 */
export function understands(scripts: readonly string[] | undefined, text: string): boolean {
  if (scripts === undefined) return true;
  const pattern = patternOf(scripts);
  let letters = 0;
  let known = 0;
  for (const character of text.slice(0, 4096)) {
    const code = character.charCodeAt(0);
    const ascii = code < 128;
    if (ascii ? !isAsciiLetter(code) : !letter().test(character)) continue;
    letters++;
    if (ascii ? pattern.latin : pattern.expression().test(character)) known++;
  }
  return letters === 0 || known * 2 >= letters;
}

/** Is it a Unicode script's name, long (`Latin`) or short (`Latn`)? */
export function isScript(name: string): boolean {
  if (LATIN.includes(name)) return true;
  try {
    return /^\w+$/.test(name) && new RegExp(`\\p{Script=${name}}`, 'u') instanceof RegExp;
  } catch {
    return false; // a pattern that names no script is a syntax error
  }
}

const LATIN: readonly string[] = ['Latin', 'Latn'];
const letter = once(() => /\p{L}/u);
const patterns = new Map<string, { readonly expression: () => RegExp; readonly latin: boolean }>();

function patternOf(scripts: readonly string[]) {
  const key = scripts.join(',');
  let pattern = patterns.get(key);
  if (pattern === undefined) {
    const expression = once(() => new RegExp(`[${scripts.map((script) => `\\p{Script=${script}}`).join('')}]`, 'u'));
    pattern = { expression, latin: scripts.some((script) => LATIN.includes(script)) };
    if (patterns.size < 16) patterns.set(key, pattern); // one entry an embedder
  }
  return pattern;
}

function isAsciiLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}
