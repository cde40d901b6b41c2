import { delimiter } from 'node:path';
import { nearestName, RagError } from '../core/errors.js';
import { describeValue, isPlainObject } from '../core/values.js';
import { type ConfigPath, type OriginOf, showPath } from './config-issues.js';
import { readJson } from './config-json.js';
import { alternativesOf, type ConfigOption, configOptions, typeOf } from './config-options.js';

/** Where configuration comes from besides defaults, the weakest first. */
export interface ConfigSources {
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** Only names that begin with `HOTRAG_` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By flag, without dashes; the text as it was given. */
  readonly flags: ReadonlyMap<string, string>;
}

/** A configuration before it is checked. */
export interface ConfigDraft {
  readonly input: Readonly<Record<string, unknown>>;
  readonly originOf: OriginOf;
  /** Names in the environment that mean nothing to hotrag; a shell may hold them for another program, so they are no error. */
  readonly warnings: readonly string[];
}

/** The environment's name for `--config`. */
export const CONFIG_FILE_ENV = 'HOTRAG_CONFIG';
/** The environment's names for the tokens of `hotrag copy`, whose two stores may both need one. */
export const COPY_TOKEN_ENV = { from: 'HOTRAG_COPY_FROM_TOKEN', to: 'HOTRAG_COPY_TO_TOKEN' } as const;

/**
 * Lays the sources over each other: flags over environment over file. Settings of a part (`--store-uri`) join what the layers
 * below say of it; naming another type of it (`--store milvus`) replaces that.
 * @throws RagError CONFIG_INVALID naming the file with line and column, the variable or the flag
 */
export function layerConfig({ file, env, flags }: ConfigSources): ConfigDraft {
  const input: Record<string, unknown> = file === undefined ? {} : readFile(file);
  const origins = new Map<string, string>();
  const warnings: string[] = [];
  const options = configOptions();
  for (const option of options) {
    const text = env[option.env];
    if (text !== undefined) set(input, option, text, option.env, origins);
  }
  for (const option of options) {
    const text = flags.get(option.flag);
    if (text === undefined) continue;
    if (option.secret) throw secretFlag(option);
    set(input, option, text, `--${option.flag}`, origins);
  }
  const known = [CONFIG_FILE_ENV, ...Object.values(COPY_TOKEN_ENV), ...options.map((option) => option.env)];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('HOTRAG_') || known.includes(name)) continue;
    const near = nearestName(name, known);
    warnings.push(`${name} in the environment is no option of hotrag${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
  return { input, warnings, originOf: (path) => originOf(path, origins, file?.name, input) };
}

/** A secret on a command line is seen by every user of the machine and kept in the shell's history. */
function secretFlag(option: ConfigOption): RagError {
  return new RagError(
    'CONFIG_INVALID',
    `--${option.flag}: a secret is not taken from the command line, where others can see it; set ${option.env} or ${option.path.join('.')} in the configuration file`,
  );
}

function readFile({ name, text }: { readonly name: string; readonly text: string }): Record<string, unknown> {
  const reading = readJson(text);
  if (!reading.ok) throw new RagError('CONFIG_INVALID', `${name}: ${reading.problem}`);
  if (!isPlainObject(reading.value))
    throw new RagError('CONFIG_INVALID', `${name}: must hold an object, not ${describeValue(reading.value)}`);
  // Editors look there for the schema of the file.
  const { $schema: _, ...input } = reading.value;
  return input;
}

function set(
  input: Record<string, unknown>,
  option: ConfigOption,
  text: string,
  origin: string,
  origins: Map<string, string>,
): void {
  const value = read(option, text, origin);
  const [top, ...rest] = option.path;
  if (top === undefined) return;
  origins.set(option.path.join('.'), origin);
  if (rest.length === 0) {
    const below = input[top];
    const sameType = isPlainObject(value) && isPlainObject(below) && Object.keys(value).length === 1 && value.type === below.type;
    input[top] = sameType ? below : value;
    return;
  }
  let target = enter(input, top, origin, defaultPart(top));
  for (const key of rest.slice(0, -1)) target = enter(target, key, origin, {});
  const last = rest.at(-1);
  if (last !== undefined) target[last] = value;
}

/** The object under a key, as a copy of its own: the file's stays as it was read. */
function enter(
  parent: Record<string, unknown>,
  key: string,
  origin: string,
  whenMissing: Record<string, unknown>,
): Record<string, unknown> {
  const found = parent[key];
  if (found !== undefined && !isPlainObject(found)) {
    throw new RagError(
      'CONFIG_INVALID',
      `${origin}: ${key} is ${describeValue(found)} in the layer below, so it has no such setting; set all of ${key} as JSON`,
    );
  }
  const copy = { ...(found ?? whenMissing) };
  parent[key] = copy;
  return copy;
}

/** A part whose settings are given without a type is of its first one, the default. */
function defaultPart(top: string): Record<string, unknown> {
  const part = configOptions().find((option) => option.path.length === 1 && option.path[0] === top && option.kinds.has('part'));
  const type = part?.variants.flatMap(({ schema }) => alternativesOf(schema)).flatMap((node) => typeOf(node) ?? [])[0];
  return type === undefined ? {} : { type };
}

function read(option: ConfigOption, text: string, origin: string): unknown {
  const { kinds } = option;
  const problem = (words: string) => new RagError('CONFIG_INVALID', `${origin} (${option.path.join('.')}): ${words}`);
  if (text.trim() === '') throw problem('is empty; give a value, or leave it out');
  const structured = kinds.has('json') || kinds.has('part') || kinds.has('list');
  if (structured && /^\s*[{[]/.test(text)) {
    const reading = readJson(text);
    if (!reading.ok) throw problem(`is no JSON: ${reading.problem}`);
    return reading.value;
  }
  if (kinds.has('part')) return { type: text };
  if (kinds.has('list')) return text.split(delimiter);
  if (kinds.has('number') && /^-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (kinds.has('text')) return text;
  if (kinds.has('number')) throw problem(`must be a number, not ${JSON.stringify(text)}`);
  if (kinds.has('boolean')) throw problem(`must be true or false, not ${JSON.stringify(text)}`);
  throw problem(`must be JSON, not ${JSON.stringify(text)}`);
}

function originOf(
  path: ConfigPath,
  origins: ReadonlyMap<string, string>,
  file: string | undefined,
  input: unknown,
): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return file !== undefined && isPlainObject(input) && Object.hasOwn(input, showPath(path.slice(0, 1))) ? file : undefined;
}
