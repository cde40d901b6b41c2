import { resolve } from 'node:path';
import { nearestName, RagError } from '../core/errors.js';
import { isPlainObject } from '../core/values.js';
import type { StoreConfig } from '../sdk/config.js';
import { readJson } from '../sdk/config-json.js';
import { COPY_TOKEN_ENV } from '../sdk/config-layers.js';
import { alternativesOf, configJsonSchema, typeOf } from '../sdk/config-options.js';
import type { Host } from './host.js';

/** What a store's options come from besides the flag. */
export interface StoreDefaults {
  readonly host: Pick<Host, 'cwd' | 'env'>;
  /** The store that the configuration names: taken without a flag, and where the flag names the same one. */
  readonly configured: StoreConfig;
  /** Absolute. */
  readonly storePath: string;
}

/**
 * Reads `--from` or `--to`: `memory`, `memory:DIR`, `chroma:http://host:8000`, `milvus:host:19530`, or options as a JSON object. Options
 * are not checked here. Tokens come from the environment or the configuration.
 * @throws RagError CONFIG_INVALID naming the flag
 * @example readStore('to', 'chroma:http://localhost:8000', defaults)
 */
export function readStore(
  flag: 'from' | 'to',
  text: string | undefined,
  defaults: StoreDefaults,
): Readonly<Record<string, unknown>> {
  const { host, configured, storePath } = defaults;
  const token = host.env[COPY_TOKEN_ENV[flag]];
  const given = text === undefined ? {} : parse(flag, text);
  const base = isSameStore(configured, given) ? configured : {};
  const { path } = given;
  const store: Readonly<Record<string, unknown>> = {
    ...base,
    ...given,
    path: typeof path === 'string' && path !== '' ? resolve(host.cwd, path) : (path ?? storePath),
  };
  if (token === undefined) return store;
  if (store.type === 'memory') throw wrong(flag, `the embedded store takes no token; unset ${COPY_TOKEN_ENV[flag]}`);
  return { ...store, token };
}

function parse(flag: 'from' | 'to', text: string): Readonly<Record<string, unknown>> {
  if (/^\s*[{[]/.test(text)) {
    const reading = readJson(text);
    if (!reading.ok) throw wrong(flag, `is no JSON: ${reading.problem}`);
    if (!isPlainObject(reading.value)) throw wrong(flag, 'must be a JSON object of store options');
    if ('token' in reading.value) throw secret(flag);
    return reading.value;
  }
  const [, type = '', place] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const types = alternativesOf(configJsonSchema.properties?.store ?? {}).flatMap((node) => typeOf(node) ?? []);
  if (!types.includes(type)) {
    const near = nearestName(type, types);
    throw wrong(
      flag,
      `${JSON.stringify(type)} is none of ${types.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`} Write memory:DIR, chroma:http://host:8000, milvus:host:19530, or JSON`,
    );
  }
  if (place === '') throw wrong(flag, `nothing stands after ${JSON.stringify(`${type}:`)}`);
  if (place !== undefined && /^\w+:\/\/[^/]*@/.test(place)) throw secret(flag);
  return { type, ...(place === undefined ? {} : { [type === 'memory' ? 'path' : 'uri']: place }) };
}

/** Whether what is configured stands below what is given: then the configuration says how that server is talked to. */
function isSameStore(configured: StoreConfig, { type = configured.type, uri, path }: Readonly<Record<string, unknown>>): boolean {
  if (configured.type !== type) return false;
  return configured.type === 'memory' ? path === undefined : uri === undefined || uri === configured.uri;
}

/** A secret on a command line is seen by every user of the machine and kept in the shell's history. */
function secret(flag: 'from' | 'to'): RagError {
  return wrong(flag, `a secret is not taken from the command line, where others can see it; set ${COPY_TOKEN_ENV[flag]}`);
}

function wrong(flag: 'from' | 'to', problem: string): RagError {
  return new RagError('CONFIG_INVALID', `--${flag}: ${problem}`);
}
