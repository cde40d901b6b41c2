import type { Rag } from '../core/types.js';
import type { Host } from './host.js';
import type { Settings } from './settings.js';

/** A flag of one command; those of the configuration are added to every command. */
export interface Flag {
  /** `object`: a JSON object. `list`: may be repeated. */
  readonly kind: 'switch' | 'text' | 'number' | 'object' | 'list';
  readonly describe: string;
  /** What stands for the value in help. @default the kind in capitals */
  readonly value?: string;
  readonly choices?: readonly string[];
}
export type FlagTable = Readonly<Record<string, Flag>>;

export type FlagValues<Flags extends FlagTable> = { readonly [Name in keyof Flags]: FlagValue<Flags[Name]['kind']> };

type FlagValue<Kind extends Flag['kind']> = {
  switch: boolean;
  text: string | undefined;
  number: number | undefined;
  object: Readonly<Record<string, unknown>> | undefined;
  list: readonly string[] | undefined;
}[Kind];

/** What a command runs with. */
export interface CommandContext<Flags extends FlagTable> {
  readonly host: Host;
  readonly positionals: readonly string[];
  readonly flags: FlagValues<Flags>;
  /** Print the SDK's shape instead of text for people. */
  readonly json: boolean;
  readonly settings: Settings;
  /** Opens the engine; nothing of it is imported before. The caller closes it. */
  readonly openRag: () => Promise<Rag>;
  /** Opens the engine for the time of `use`. */
  readonly withRag: <Result>(use: (rag: Rag) => Promise<Result>) => Promise<Result>;
}

export interface CommandDefinition<Flags extends FlagTable> {
  /** What stands after the command's name. @example '<query>' */
  readonly usage: string;
  /** How many positional arguments it takes. */
  readonly takes: { readonly least: number; readonly most: number };
  readonly flags: Flags;
  readonly examples: readonly string[];
  /** Runs with settings that are wrong, too: their `check` then rejects with what is. @default false */
  readonly takesWrongSettings?: boolean;
  /** Resolves to the exit status. */
  readonly run: (context: CommandContext<Flags>) => Promise<number>;
}
export type Command = CommandDefinition<FlagTable>;

/** Types a command's `run` by its flags. */
export function defineCommand<const Flags extends FlagTable>(definition: CommandDefinition<Flags>): Command {
  // `run` reads only its own flags, and the parser fills in each by its kind: what TypeScript can't follow through the table.
  return definition as unknown as Command;
}
