import { nearestName } from '../core/errors.js';
import type { Rag } from '../core/types.js';
import { type Arguments, readArguments } from './arguments.js';
import type { Command } from './command.js';
import { COMMANDS, type CommandEntry } from './commands.js';
import { describeFailure, UsageError } from './failure.js';
import { commandHelp, programHelp, usageOf } from './help.js';
import type { Host } from './host.js';
import { brokenSettings, loadSettings, type Settings } from './settings.js';
import { packageVersion } from './version.js';

/** Runs a command line and resolves to its exit status; failures are told on stderr, never thrown. */
export async function runProgram(words: readonly string[], host: Host): Promise<number> {
  try {
    return await run(words, host);
  } catch (error) {
    const { text, status } = describeFailure(error, host.signal);
    host.stderr.write(text);
    return status;
  }
}

async function run(words: readonly string[], host: Host): Promise<number> {
  const [first, second] = words;
  if (first === '--version' || first === '-v') {
    host.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  const isGroup = COMMANDS.some(({ name }) => name.startsWith(`${first} `));
  if (isHelp(first) || first === 'help' || (isGroup && isHelp(second))) {
    host.stdout.write(programHelp());
    return 0;
  }
  const { entry, rest } = findCommand(words);
  const { command } = await entry.load();
  const hint = `Usage: ${usageOf(entry, command)}; see hotrag ${entry.name} --help`;
  const given = readArguments(rest, command.flags, hint);
  if (given.help) {
    host.stdout.write(commandHelp(entry, command));
    return 0;
  }
  const { least, most } = command.takes;
  const count = given.positionals.length;
  if (count < least) throw new UsageError(`hotrag ${entry.name} needs ${command.usage}`, hint);
  if (count > most) {
    const advice = most === 1 ? '; put quotes around words that belong together' : '';
    throw new UsageError(`${JSON.stringify(given.positionals[most])} is one argument too many${advice}`, hint);
  }
  const settings = settingsFor(command, host, given);
  for (const warning of settings.warnings) host.stderr.write(`hotrag: warning: ${warning}\n`);
  if (settings.plain === undefined && command.takesWrongSettings !== true) await settings.check();
  const { positionals, flags, json } = given;
  const openRag = () => open(settings);
  return command.run({ host, positionals, flags, json, settings, openRag, withRag: (use) => withRag(openRag, host.signal, use) });
}

function settingsFor(command: Command, host: Host, given: Arguments): Settings {
  if (command.takesWrongSettings !== true) return loadSettings(host, given);
  try {
    return loadSettings(host, given);
  } catch (error) {
    return brokenSettings(host, given, error);
  }
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h';
}

function findCommand(words: readonly string[]): { readonly entry: CommandEntry; readonly rest: readonly string[] } {
  const [first, second] = words;
  const hint = `Commands: ${COMMANDS.map(({ name }) => name).join(', ')}; see hotrag --help`;
  if (first === undefined) throw new UsageError('a command is needed', hint);
  if (first.startsWith('-')) throw new UsageError(`${first} stands before the command; the command comes first`, hint);
  for (const entry of COMMANDS) {
    if (entry.name === first) return { entry, rest: words.slice(1) };
    if (entry.name === `${first} ${second}`) return { entry, rest: words.slice(2) };
  }
  const inner = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) => name);
  if (inner.length > 0) {
    const near = second === undefined ? undefined : nearestName(`${first} ${second}`, inner);
    throw new UsageError(
      `hotrag ${first} needs one of ${inner.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
      hint,
    );
  }
  const near = nearestName(first, new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? name)));
  throw new UsageError(`unknown command ${JSON.stringify(first)}${near === undefined ? '' : `; did you mean ${near}?`}`, hint);
}

async function withRag<Result>(
  openRag: () => Promise<Rag>,
  signal: AbortSignal,
  use: (rag: Rag) => Promise<Result>,
): Promise<Result> {
  const rag = await openRag();
  try {
    signal.throwIfAborted();
    return await use(rag);
  } finally {
    await rag.close();
  }
}

/** The engine is imported here, when a command needs it. */
async function open(settings: Settings): Promise<Rag> {
  const config = settings.plain ?? (await settings.check());
  const { openRag } = await import('../sdk/index.js');
  // Metadata and filters come as text here: there is nothing to type them by.
  return (await openRag(config)) as unknown as Rag;
}
