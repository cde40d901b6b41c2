import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { RagError } from '../core/errors.js';
import { type PlainConfig, parsePlainConfig } from '../sdk/config.js';
import { CONFIG_FILE_ENV, type ConfigSources, layerConfig } from '../sdk/config-layers.js';
import type { Arguments } from './arguments.js';
import type { Host } from './host.js';

const CONFIG_FILE = 'hotrag.config.json';

type HostSettings = Pick<Host, 'cwd' | 'env' | 'home' | 'platform'>;

/** What a command works with. */
export interface Settings {
  readonly config: PlainConfig;
  /** Absolute; also in `config.store.path`. */
  readonly storePath: string;
  readonly warnings: readonly string[];
}

/**
 * The configuration of a command: flags over environment over file over defaults, and a folder for the store. Paths in the file
 * are relative to its folder, others to the working folder.
 * @throws RagError CONFIG_INVALID
 */
export function loadSettings(host: HostSettings, given: Pick<Arguments, 'config' | 'configFile'>): Settings {
  const file = findFile(host, given.configFile);
  const { input, originOf, warnings } = layerConfig({ file, env: host.env, flags: given.config });
  const config = parsePlainConfig(input, originOf);
  const absolute = (path: string, setAt: readonly string[]) =>
    resolve(file !== undefined && originOf(setAt) === file.name ? dirname(file.name) : host.cwd, path);
  const { store, roots } = config;
  const storePath = store.path === undefined ? defaultStorePath(host) : absolute(store.path, ['store', 'path']);
  return {
    config: {
      ...config,
      store: { ...store, path: storePath },
      ...(roots === undefined ? {} : { roots: roots.map((root) => absolute(root, ['roots'])) }),
    },
    storePath,
    warnings,
  };
}

/** The nearest `.hotrag` folder upward from the working folder, else hotrag's place among the user's data. */
export function defaultStorePath({ cwd, env, home, platform }: HostSettings): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const candidate = join(folder, '.hotrag');
    if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory() === true) return candidate;
    if (dirname(folder) === folder) break;
  }
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'hotrag');
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'hotrag');
  // By its specification a relative XDG path is invalid and to be ignored.
  const xdg = env.XDG_DATA_HOME;
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'hotrag');
}

function findFile({ cwd, env }: HostSettings, flag: string | undefined): ConfigSources['file'] {
  const named = flag ?? env[CONFIG_FILE_ENV];
  const path = resolve(cwd, named ?? CONFIG_FILE);
  if (named === undefined && !existsSync(path)) return undefined;
  try {
    return { name: path, text: readFileSync(path, 'utf8') };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error;
    throw new RagError('CONFIG_INVALID', `${path}: the configuration file can't be read (${String(reason)})`, { cause: error });
  }
}
