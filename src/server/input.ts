import type * as z from 'zod';
import { nearestName, RagError } from '../core/errors.js';
import { describeValue, pathTo, shown } from '../core/values.js';

/**
 * Checks a tool's input by its schema, in words that a model can act on: every problem with its path, and the nearest right name.
 * @throws RagError INPUT_INVALID
 */
export function parseInput<Schema extends z.ZodObject>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input ?? {}, { error: wordsOf });
  if (result.success) return result.data;
  throw new RagError('INPUT_INVALID', result.error.issues.map(describe).join('; '));
}

/** What a strict object says of keys that it doesn't know. */
export function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys.map((key) => `unknown key '${key}'${suggestion(key, known)}`).join(', ');
}

function describe(issue: z.core.$ZodIssue): string {
  const nested = issue.code === 'invalid_union' ? closestBranch(issue.errors) : undefined;
  const path = issue.path.reduce<string>(joinPath, '');
  if (nested !== undefined) return nested.map((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] })).join('; ');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** The one alternative whose kind was right and whose content wasn't, if there is one. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  return branches.find((issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0));
}

function joinPath(path: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? String(key) : pathTo(path, String(key));
}

/** undefined: the library's own words. */
function wordsOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is required';
    const kind = KINDS[issue.expected] ?? issue.expected;
    return `must be ${kind}, got ${shownValue(issue.input)}`;
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const near = typeof issue.input === 'string' ? nearestName(issue.input, values) : undefined;
    return `must be one of ${values.join(', ')}, got ${shownValue(issue.input)}${near === undefined ? '' : `; did you mean '${near}'?`}`;
  }
  if (issue.code === 'too_big') {
    const unit = UNITS[issue.origin];
    return `must be at most ${issue.maximum}${unit === undefined ? `, got ${shownValue(issue.input)}` : ` ${unit}`}`;
  }
  if (issue.code === 'too_small') {
    return UNITS[issue.origin] === undefined
      ? `must be at least ${issue.minimum}, got ${shownValue(issue.input)}`
      : 'must not be empty';
  }
  return undefined;
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'items' };

function shownValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? shown(value) : describeValue(value);
}

function suggestion(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === undefined ? `; known: ${known.join(', ')}` : `; did you mean '${near}'?`;
}
