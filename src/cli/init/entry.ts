import { sep } from 'node:path';
import { type ConfigOption, configOptions } from '../../sdk/config-options.js';
import type { Host } from '../host.js';
import type { Settings } from '../settings.js';
import type { Client } from './clients.js';

/** What a client reads of a server that it starts. */
export interface Entry {
  readonly type?: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
}

/** How clients start hotrag: this installation, or whatever npx brings. */
export interface Launcher {
  readonly via: 'node' | 'npx';
  /** Absolute: the Node that runs this, and the bin's file. */
  readonly node: string;
  readonly bin: string;
}

export interface EntryRequest {
  readonly client: Client;
  readonly launcher: Launcher;
  /** Absolute. */
  readonly folders: readonly string[];
  readonly settings: Settings;
  readonly host: Host;
}

/** An installation stays where it is; npx's own cache may be emptied any day. */
export function defaultVia(bin: string): 'node' | 'npx' {
  return bin.split(sep).includes('_npx') ? 'npx' : 'node';
}

/**
 * The entry that makes a client serve what this command line would: a client starts it with another working folder and environment,
 * so what comes from those here stands in it as flags.
 * @returns with the names of variables that hold secrets, which no file of a client should
 */
export function makeEntry({ client, launcher, folders, settings, host }: EntryRequest): {
  readonly entry: Entry;
  readonly secrets: readonly string[];
} {
  const words = [...startOf(launcher, host.platform), 'serve', ...folders, ...configWords(settings)];
  const [command = launcher.node, ...args] = words;
  const secrets = configOptions().filter(({ secret, env }) => secret && settings.sources.env[env] !== undefined);
  return { entry: { ...(client.typed ? { type: 'stdio' } : {}), command, args }, secrets: secrets.map(({ env }) => env) };
}

function startOf({ via, node, bin }: Launcher, platform: string): readonly string[] {
  if (via === 'node') return [node, bin];
  // On Windows npx is a script, which not every client can start.
  return [...(platform === 'win32' ? ['cmd', '/c'] : []), 'npx', '-y', 'hotrag'];
}

function configWords({ sources, storePath, pathFrom, roots }: Settings): readonly string[] {
  const words: string[] = [];
  if (sources.file !== undefined) words.push('--config', sources.file.name);
  const isGiven = ({ flag, env }: ConfigOption) => sources.flags.has(flag) || sources.env[env] !== undefined;
  for (const option of configOptions()) {
    const text = sources.flags.get(option.flag) ?? sources.env[option.env];
    // Paths may be relative to the working folder: below, made absolute.
    if (text === undefined || option.secret || option.flag === 'store-path' || option.flag === 'roots') continue;
    words.push(`--${option.flag}`, text);
  }
  const given = configOptions()
    .filter(isGiven)
    .map(({ flag }) => flag);
  if (given.includes('store-path') || pathFrom === 'found') words.push('--path', storePath);
  if (given.includes('roots')) words.push(...roots.flatMap((root) => ['--root', root]));
  return words;
}
