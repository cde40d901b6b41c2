import { parseArgs } from 'node:util';
import { nearestName } from '../core/errors.js';
import { isPlainObject } from '../core/values.js';
import { readJson } from '../sdk/config-json.js';
import { configOptions } from '../sdk/config-options.js';
import type { Flag, FlagTable, FlagValues } from './command.js';
import { UsageError } from './failure.js';

/** A command line, read. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** The command's own flags, each by its kind. */
  readonly flags: FlagValues<FlagTable>;
  /** Flags that set configuration: by the option's flag, as text. */
  readonly config: ReadonlyMap<string, string>;
  readonly json: boolean;
  readonly help: boolean;
  /** From `--config`. */
  readonly configFile: string | undefined;
}

/** Flags that every command has besides those of the configuration. */
export const COMMON_FLAGS = {
  config: { kind: 'text', value: 'FILE', describe: 'Configuration file. Default: hotrag.config.json, if there is one.' },
  json: { kind: 'switch', describe: 'Print the result as JSON.' },
  help: { kind: 'switch', describe: 'Show this help.' },
} as const satisfies FlagTable;

/** Short names of configuration flags. */
const SHORT_FLAGS: Readonly<Record<string, string>> = { path: 'store-path', uri: 'store-uri', root: 'roots' };

/**
 * Reads the words after a command's name.
 * @throws UsageError for an unknown flag (with the nearest right name), one given twice, and a value that is missing or can't be read
 */
export function readArguments(words: readonly string[], own: FlagTable, hint: string): Arguments {
  const flags: FlagTable = { ...own, ...COMMON_FLAGS };
  const configFlags = [...configOptions().map((option) => option.flag), ...Object.keys(SHORT_FLAGS)];
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  const fail = (message: string) => new UsageError(message, hint);

  for (const token of tokensOf(words, flags)) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined && !configFlags.includes(name)) {
      const near = nearestName(name, [...Object.keys(flags), ...configFlags]);
      throw fail(`unknown flag ${rawName}${near === undefined ? '' : `; did you mean --${near}?`}`);
    }
    if (flag?.kind === 'switch') {
      if (inlineValue) throw fail(`${rawName} takes no value`);
    } else if (value === undefined || (!inlineValue && value.startsWith('--'))) {
      throw fail(`${rawName} needs a value`);
    }
    // `--path` and `--store-path` are the same flag.
    const key = flag === undefined ? (SHORT_FLAGS[name] ?? name) : name;
    const before = given.get(key) ?? [];
    if (before.length > 0 && flag?.kind !== 'list' && key !== 'roots') throw fail(`${rawName} is given twice`);
    given.set(key, [...before, value ?? '']);
  }

  const values = Object.entries(own).map(([name, flag]) => [name, readValue(name, flag, given.get(name), fail)]);
  const config = [...given].flatMap(([name, texts]): [string, string][] => {
    if (Object.hasOwn(flags, name)) return [];
    return [[name, texts.length === 1 ? (texts[0] ?? '') : JSON.stringify(texts)]];
  });
  return {
    positionals,
    flags: Object.fromEntries(values) as FlagValues<FlagTable>, // `readValue` reads each by its kind
    config: new Map(config),
    json: given.has('json'),
    help: given.has('help'),
    configFile: given.get('config')?.[0],
  };
}

function tokensOf(words: readonly string[], flags: FlagTable) {
  const switches = Object.entries(flags).filter(([, flag]) => flag.kind === 'switch');
  const others = [...Object.keys(flags), ...configOptions().map((option) => option.flag), ...Object.keys(SHORT_FLAGS)];
  const options = {
    ...Object.fromEntries(others.map((name) => [name, { type: 'string' as const }])),
    ...Object.fromEntries(switches.map(([name]) => [name, { type: 'boolean' as const }])),
    help: { type: 'boolean' as const, short: 'h' },
  };
  // Not strict: its messages don't name the nearest flag, and it takes words for values that it shouldn't.
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function readValue(
  name: string,
  flag: Flag,
  texts: readonly string[] | undefined,
  fail: (message: string) => UsageError,
): unknown {
  const text = texts?.[0];
  if (flag.kind === 'switch') return texts !== undefined;
  if (texts === undefined || text === undefined) return undefined;
  if (flag.choices !== undefined && !flag.choices.includes(text)) {
    const near = nearestName(text, flag.choices);
    throw fail(
      `--${name}: ${JSON.stringify(text)} is none of ${flag.choices.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
    );
  }
  switch (flag.kind) {
    case 'text':
      return text;
    case 'list':
      return texts;
    case 'number':
      if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw fail(`--${name}: must be a number, not ${JSON.stringify(text)}`);
      return Number(text);
    case 'object': {
      const reading = readJson(text);
      const example = `--${name} '${flag.value ?? '{}'}'`;
      if (!reading.ok) throw fail(`--${name} is no JSON: ${reading.problem}; for example ${example}`);
      if (!isPlainObject(reading.value)) throw fail(`--${name}: must be a JSON object; for example ${example}`);
      return reading.value;
    }
  }
}
