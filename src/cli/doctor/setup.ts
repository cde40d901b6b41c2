import { existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { isRagError, messageOf } from '../../core/errors.js';
import { isPlainObject } from '../../core/values.js';
import { maskSecrets } from '../../sdk/config.js';
import { CONFIG_FILE_ENV } from '../../sdk/config-layers.js';
import { type ConfigOption, configOptions } from '../../sdk/config-options.js';
import type { Host } from '../host.js';
import { CLIENTS } from '../init/clients.js';
import { plainValue, readTree } from '../init/json-tree.js';
import { readText } from '../init/replace-file.js';
import type { Settings } from '../settings.js';
import type { Outcome } from './check.js';

/** Where the configuration comes from, secrets masked, and whether it is right. */
export async function lookAtConfig(settings: Settings): Promise<Outcome> {
  const { file, env, flags } = settings.sources;
  const options = configOptions();
  const variables = options.flatMap((option) => shown(option, option.env, env[option.env]));
  const given = options.flatMap((option) => shown(option, `--${option.flag}`, flags.get(option.flag)));
  const named = env[CONFIG_FILE_ENV] === undefined || file === undefined ? [] : [`${CONFIG_FILE_ENV}=${file.name}`];
  const sources = [...(file === undefined || named.length > 0 ? [] : [file.name]), ...named, ...variables, ...given];
  const message = sources.length === 0 ? 'defaults only: no file, no variables, no flags' : `from ${sources.join(', ')}`;
  await settings.check();
  if (settings.warnings.length === 0) return { state: 'ok', message };
  return { state: 'warning', message: `${message}; ${settings.warnings.join('; ')}`, advice: 'Correct or unset the variable.' };
}

/** Which assistants start hotrag, and whether what they would start is there. */
export async function lookAtClients(host: Host): Promise<Outcome> {
  const named = Object.values(CLIENTS).flatMap(({ title, key, userFile, projectFile }) =>
    [userFile(host), projectFile === undefined ? undefined : join(host.cwd, projectFile)].flatMap((file) =>
      file === undefined ? [] : [{ title, key, file }],
    ),
  );
  // In the home folder, a project's file may be the user's.
  const files = [...new Map(named.map((one) => [one.file, one])).values()];
  const good: string[] = [];
  const unread: string[] = [];
  const broken: string[] = [];
  for (const { title, key, file } of files) {
    const servers = await serversOf(file, key).catch((error: unknown) => {
      unread.push(messageOf(error));
      return [];
    });
    for (const [name, entry] of servers) {
      const missing = missingOf(entry, host);
      if (missing === undefined) good.push(`${title} ("${name}" in ${file})`);
      else broken.push(`${title} ("${name}" in ${file}) names ${missing}, which is not there`);
    }
  }
  if (broken.length > 0) {
    return {
      state: 'failing',
      message: [...broken, ...unread].join('; '),
      advice: 'Make the entry anew: hotrag init CLIENT --replace.',
    };
  }
  if (unread.length > 0)
    return { state: 'warning', message: [...unread, ...good].join('; '), advice: 'Mend the file that the message names.' };
  if (good.length > 0) return { state: 'ok', message: good.join(', ') };
  return {
    state: 'warning',
    message: 'no assistant that is known has an entry for hotrag',
    advice: 'Make one: hotrag init --help lists them.',
  };
}

function shown({ secret }: ConfigOption, name: string, text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  // JSON may hold keys of any part: its name is enough.
  if (secret || /^\s*[{[]/.test(text)) return [`${name}=***`];
  return [`${name}=${String(maskSecrets(text))}`];
}

/** The entries of a client's file that start hotrag. @throws Error where it can't be read */
async function serversOf(file: string, key: string): Promise<readonly (readonly [string, Readonly<Record<string, unknown>>])[]> {
  const text = await readText(file).catch((error: unknown) => {
    // A folder on the way that is a file, or closed to us: then no client of this user reads it either.
    if (isRagError(error) && error.code === 'FORBIDDEN') return undefined;
    throw error;
  });
  if (text === undefined || text.trim() === '') return [];
  const reading = readTree(text);
  if (!reading.ok) throw new Error(`${file} is no valid JSON: ${reading.problem}`);
  const root = plainValue(reading.root);
  const servers = isPlainObject(root) ? root[key] : undefined;
  if (!isPlainObject(servers)) return [];
  return Object.entries(servers).flatMap(([name, entry]) =>
    isPlainObject(entry) && isOurs(name, entry) ? [[name, entry] as const] : [],
  );
}

function isOurs(name: string, { command, args }: Readonly<Record<string, unknown>>): boolean {
  const words = [command, ...(Array.isArray(args) ? args : [])];
  return (
    name === 'hotrag' ||
    words.some((word) => typeof word === 'string' && /(?:^|[\\/])hotrag(?:@[^\\/]*)?(?:$|[\\/]dist[\\/])/.test(word))
  );
}

/** The first file of an entry that is not there. */
function missingOf({ command, args }: Readonly<Record<string, unknown>>, host: Host): string | undefined {
  if (typeof command !== 'string') return undefined; // a server at an address
  if (!isRunnable(command, host)) return command;
  const words = (Array.isArray(args) ? args : []).filter((word) => typeof word === 'string');
  return words.find((word) => isAbsolute(word) && !existsSync(word));
}

function isRunnable(command: string, { env, platform }: Host): boolean {
  if (isAbsolute(command)) return existsSync(command);
  if (/[\\/]/.test(command)) return true; // relative to the client's own working folder
  const endings = platform === 'win32' ? ['', '.exe', '.cmd', '.bat'] : [''];
  return (env.PATH ?? '').split(delimiter).some((folder) => endings.some((ending) => existsSync(join(folder, command + ending))));
}
