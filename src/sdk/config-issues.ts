import type * as z from 'zod';
import { nearestName, RagError } from '../core/errors.js';
import { describeValue, isPlainObject, shown } from '../core/values.js';
import { alternativesOf, configJsonSchema, type SchemaNode, typeOf } from './config-options.js';

export type ConfigPath = readonly PropertyKey[];

/** Names where the value at a path was set, such as `HOTRAG_STORE_PATH`; undefined: in the caller's own object. */
export type OriginOf = (path: ConfigPath) => string | undefined;

/** One CONFIG_INVALID of everything that the schema found wrong, each with its path and, where near, the right name. */
export function configInvalid(error: z.ZodError, input: unknown, originOf: OriginOf): RagError {
  const problems = error.issues.flatMap((issue) => problemsOf(innermost(issue), input, originOf));
  return new RagError('CONFIG_INVALID', problems.join('; '), { cause: error });
}

/** @example showPath(['generator', 0, 'model']) // 'generator[0].model' */
export function showPath(path: ConfigPath): string {
  return path.reduce<string>((shownSoFar, key) => {
    if (typeof key === 'number') return `${shownSoFar}[${key}]`;
    return shownSoFar === '' ? String(key) : `${shownSoFar}.${String(key)}`;
  }, '');
}

type Issue = z.core.$ZodIssue;

/** Of a choice's alternatives, the one that the value came nearest to: whose issue lies deepest. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const candidates = issue.errors.flatMap((issues) =>
    issues.map((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] })),
  );
  const deepest = Math.max(...candidates.map(({ path }) => path.length));
  if (deepest === issue.path.length && candidates.length > 1) return issue;
  return candidates.find(({ path }) => path.length === deepest) ?? issue;
}

function problemsOf(issue: Issue, input: unknown, originOf: OriginOf): readonly string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownOption([...issue.path, key], input, originOf));
  const origin = originOf(issue.path);
  const where = showPath(issue.path) || 'configuration';
  return [`${origin === undefined ? where : `${origin} (${where})`}: ${wordsOf(issue, valueAt(input, issue.path))}`];
}

function wordsOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_value':
      return noneOf(value, issue.values);
    case 'invalid_union':
      if ('options' in issue && Array.isArray(issue.options)) return noneOf(value, issue.options);
      return `${value === undefined ? 'is missing' : `${typeof value === 'string' ? shown(value) : describeValue(value)} can't stand here`}; needed: ${alternatives(issue)}`;
    case 'invalid_type':
      if (value === undefined) return `is missing; needed: ${expected(issue.expected)}`;
      return `must be ${expected(issue.expected)}, not ${issue.expected === 'int' ? String(value) : describeValue(value)}`;
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' long' : '';
}

function noneOf(value: unknown, allowed: readonly unknown[]): string {
  const names = allowed.map(String);
  if (value === undefined) return `is missing; one of ${names.join(', ')}`;
  const near = typeof value === 'string' ? nearestName(value, names) : undefined;
  const got = typeof value === 'string' ? shown(value) : describeValue(value);
  const known = names.length === 1 ? `is not known; known is ${names.join()}` : `is none of ${names.join(', ')}`;
  return `${got} ${known}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function alternatives(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const named = issue.errors.flat().map((inner) => {
    if (inner.code === 'invalid_value') return inner.values.map(String).join(', ');
    return inner.code === 'invalid_type' ? expected(inner.expected) : inner.message;
  });
  return [...new Set(named)].join(' or ');
}

function expected(type: string): string {
  if (type === 'string') return 'a text';
  if (type === 'int') return 'a whole number';
  if (type === 'boolean') return 'true or false';
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** An option that doesn't exist here: says the nearest that does, or which other type of part has it. */
function unknownOption(path: ConfigPath, input: unknown, originOf: OriginOf): string {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const type = typeName(valueAt(input, parent));
  const nodes = nodesAt(configJsonSchema, parent, input);
  const here = nodes.filter((node) => type === undefined || typeOf(node) === undefined || typeOf(node) === type);
  const names = here.flatMap((node) => Object.keys(node.properties ?? {}));
  const owners = nodes
    .filter((node) => node.properties !== undefined && Object.hasOwn(node.properties, key))
    .flatMap((node) => typeOf(node) ?? []);
  const origin = originOf(path);
  const subject = `${origin === undefined ? '' : `${origin}: `}${showPath(path)}`;
  if (owners.length > 0) return `${subject} is an option of ${owners.join(' and ')}, not of ${type}`;
  const near = nearestName(key, names);
  return `${subject} is not an option; ${near === undefined ? `there are ${[...new Set(names)].join(', ')}` : `did you mean ${showPath([...parent, near])}?`}`;
}

/** The alternatives of the schema at a path; on the way, those of the type that the input names. */
function nodesAt(root: SchemaNode, path: ConfigPath, input: unknown): readonly SchemaNode[] {
  let nodes = alternativesOf(root);
  path.forEach((key, depth) => {
    const type = typeName(valueAt(input, path.slice(0, depth)));
    nodes = nodes
      .filter((node) => typeOf(node) === undefined || typeOf(node) === type)
      .flatMap((node) => childOf(node, key) ?? [])
      .flatMap(alternativesOf);
  });
  return nodes;
}

function childOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === 'number') return node.items;
  const { additionalProperties } = node;
  return node.properties?.[String(key)] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
}

function typeName(value: unknown): string | undefined {
  return isPlainObject(value) && typeof value.type === 'string' ? value.type : undefined;
}

function valueAt(input: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value) && typeof key === 'number') return value[key];
    return isPlainObject(value) && typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : undefined;
  }, input);
}
