import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { RagError } from '../core/errors.js';
import { isPlainObject } from '../core/values.js';
import type { PlainConfig } from '../sdk/config.js';
import { CONFIG_FILE_ENV, type ConfigSources, layerConfig } from '../sdk/config-layers.js';
import type { Arguments } from './arguments.js';
import type { Host } from './host.js';

const CONFIG_FILE = 'hotrag.config.json';

type HostSettings = Pick<Host, 'cwd' | 'env' | 'home' | 'platform'>;

/** What needs no check. */
export interface SimpleSettings {
  readonly collection?: string;
  readonly store: { readonly type: 'memory'; readonly path: string };
  readonly roots?: string[];
}

/** What a command works with. */
export interface Settings {
  /** Absolute: the folder of the store, or of what stands beside a remote one. */
  readonly storePath: string;
  /** How that was come by: `set` in a source, `found` as a `.hotrag` upward from the working folder, else the `user`'s own. */
  readonly pathFrom: 'set' | 'found' | 'user';
  /** What all this was read from. */
  readonly sources: ConfigSources;
  /** Absolute; the folders that ingested files must lie in. Empty: none are set. */
  readonly roots: readonly string[];
  readonly warnings: readonly string[];
  /** The configuration where nothing is set but names and paths, for which any text is right; else it needs a `check`. */
  readonly plain: SimpleSettings | undefined;
  /**
   * The whole configuration. Imports the schema, which takes some 20 ms: a server's client needn't wait for that.
   * @throws RagError CONFIG_INVALID
   */
  readonly check: () => Promise<PlainConfig>;
}

/**
 * The settings of a command: flags over environment over file over defaults, and a folder for the store. Paths in the file are
 * relative to its folder, others to the working folder.
 * @throws RagError CONFIG_INVALID where a source can't be read; what the options say is checked by `check`
 */
export function loadSettings(host: HostSettings, given: Pick<Arguments, 'config' | 'configFile'>): Settings {
  const file = findFile(host, given.configFile);
  const sources: ConfigSources = { file, env: host.env, flags: given.config };
  const { input, originOf, warnings } = layerConfig(sources);
  const absolute = (path: string, setAt: readonly string[]) =>
    resolve(file !== undefined && originOf(setAt) === file.name ? dirname(file.name) : host.cwd, path);
  const path = isPlainObject(input.store) ? input.store.path : undefined;
  const found = isText(path) ? undefined : foundStorePath(host.cwd);
  const storePath = isText(path) ? absolute(path, ['store', 'path']) : (found ?? userStorePath(host));
  const roots = Array.isArray(input.roots) ? input.roots.filter(isText).map((root) => absolute(root, ['roots'])) : [];
  return {
    storePath,
    pathFrom: isText(path) ? 'set' : found === undefined ? 'user' : 'found',
    sources,
    roots,
    warnings,
    plain: isPlain(input)
      ? {
          ...(isText(input.collection) ? { collection: input.collection } : {}),
          store: { type: 'memory', path: storePath },
          ...(input.roots === undefined ? {} : { roots: [...roots] }),
        }
      : undefined,
    async check() {
      const { parsePlainConfig } = await import('../sdk/config.js');
      const config = parsePlainConfig(input, originOf);
      return {
        ...config,
        store: { ...config.store, path: storePath },
        ...(config.roots === undefined ? {} : { roots: [...roots] }),
      };
    },
  };
}

/** The nearest `.hotrag` folder upward from the working folder, else hotrag's place among the user's data. */
export function defaultStorePath(host: HostSettings): string {
  return foundStorePath(host.cwd) ?? userStorePath(host);
}

/** Stands for settings that can't be read, for the command that tells what is wrong with them. */
export function brokenSettings(host: HostSettings, given: Pick<Arguments, 'config'>, problem: unknown): Settings {
  return {
    storePath: defaultStorePath(host),
    pathFrom: 'user',
    sources: { env: host.env, flags: given.config },
    roots: [],
    warnings: [],
    plain: undefined,
    check: () => Promise.reject(problem),
  };
}

function foundStorePath(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const candidate = join(folder, '.hotrag');
    if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory() === true) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

function userStorePath({ env, home, platform }: HostSettings): string {
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

function isPlain({
  collection = 'default',
  store = { type: 'memory' },
  roots = [],
  ...others
}: Readonly<Record<string, unknown>>): boolean {
  if (Object.keys(others).length > 0 || !isText(collection) || !Array.isArray(roots) || !roots.every(isText)) return false;
  if (!isPlainObject(store)) return false;
  const { type, path = '.hotrag', ...settings } = store;
  return type === 'memory' && isText(path) && Object.keys(settings).length === 0;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
