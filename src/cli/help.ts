import { COMMON_FLAGS } from './arguments.js';
import type { Command, Flag, FlagTable } from './command.js';
import { COMMANDS, type CommandEntry } from './commands.js';

/** The flags of configuration that help shows; the rest stand in docs/config.md. */
const CONFIG_FLAGS: FlagTable = {
  store: {
    kind: 'text',
    value: 'memory|milvus|chroma',
    describe: 'Where the collection lives. Default: memory, the embedded engine.',
  },
  path: {
    kind: 'text',
    value: 'DIR',
    describe: 'Folder of the store. Default: the nearest .hotrag upward, else the user’s data folder.',
  },
  uri: { kind: 'text', value: 'URI', describe: 'Address of a Milvus or Chroma server.' },
  collection: { kind: 'text', value: 'NAME', describe: 'Collection. Default: default.' },
  root: {
    kind: 'list',
    value: 'DIR',
    describe: 'Folder that ingested files must lie in; may be repeated. Default: any, but see serve.',
  },
};

/** Help on all commands. */
export function programHelp(): string {
  return [
    'hotrag: search your documents and answer from them, fast from the first second.',
    '',
    'Usage: hotrag <command> [flags]',
    '',
    ...table(COMMANDS.map(({ name, summary }) => [name, summary])),
    '',
    'Flags of every command:',
    ...flagLines({ ...CONFIG_FLAGS, ...COMMON_FLAGS }),
    '',
    'Every option of docs/config.md is a flag too (store.index: --store-index) and a variable (HOTRAG_STORE_INDEX).',
    'hotrag <command> --help shows a command’s own flags; hotrag --version the version.',
    '',
  ].join('\n');
}

/** Help on one command. */
export function commandHelp(entry: CommandEntry, command: Command): string {
  return [
    entry.summary,
    '',
    `Usage: ${usageOf(entry, command)}`,
    '',
    ...(Object.keys(command.flags).length === 0 ? [] : ['Flags:', ...flagLines(command.flags), '']),
    'Flags of every command:',
    ...flagLines({ ...CONFIG_FLAGS, ...COMMON_FLAGS }),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}

/** @example 'hotrag search <query> [flags]' */
export function usageOf(entry: CommandEntry, command: Command): string {
  return `hotrag ${entry.name} ${command.usage === '' ? '' : `${command.usage} `}[flags]`;
}

function flagLines(flags: FlagTable): readonly string[] {
  return table(Object.entries(flags).map(([name, flag]) => [`--${name}${placeholderOf(flag)}`, flag.describe]));
}

function placeholderOf(flag: Flag): string {
  if (flag.kind === 'switch') return '';
  const shown =
    flag.choices?.join('|') ??
    (flag.kind === 'object' ? 'JSON' : (flag.value ?? { number: 'N', text: 'TEXT', list: 'TEXT' }[flag.kind]));
  return ` ${shown}`;
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
