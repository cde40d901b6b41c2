import type { Cache, Chunker, Embedder, Field, Index, Reranker, TextGenerator, VectorStore } from '../core/contracts.js';
import { RagError } from '../core/errors.js';
import { type FieldsJson, fieldsFromJson } from '../core/fields.js';
import { describeValue, isPlainObject } from '../core/values.js';
import { configInvalid, type OriginOf } from './config-issues.js';
import { configOptions } from './config-options.js';
import {
  type ConfigInput,
  configSchema,
  type EmbedderConfig,
  type GeneratorConfig,
  type GroupConfig,
  type PlainConfig,
  type RerankerConfig,
  type StoreConfig,
} from './config-schema.js';
import { fieldsFromSchema, isZodSchema, type MetadataSchema } from './metadata-schema.js';
import { isCache, isChunker, isEmbedder, isGenerator, isIndex, isReranker, isStore } from './parts.js';

export type {
  CacheConfig,
  ConfigInput,
  EmbedderConfig,
  GeneratorConfig,
  GroupConfig,
  PlainConfig,
  RerankerConfig,
  StoreConfig,
} from './config-schema.js';

type OneGenerator = Exclude<NonNullable<ConfigInput['generator']>, readonly unknown[]>;
type OneGroup = NonNullable<ConfigInput['groups']>[string];
type WithOwnIndex<Memory> = Omit<Memory, 'index'> & { readonly index: Index<Float32Array> };

/** What `openRag` takes: a configuration in which parts may also be objects of one's own. */
export interface OpenRagOptions<Declared extends MetadataSchema | FieldsJson = MetadataSchema | FieldsJson>
  extends Omit<ConfigInput, 'store' | 'embedder' | 'generator' | 'reranker' | 'caches' | 'groups' | 'metadata'> {
  /** A server, the embedded engine, which may have a vector index of one's own, or a store of one's own. */
  readonly store?:
    | ConfigInput['store']
    | WithOwnIndex<Extract<NonNullable<ConfigInput['store']>, { type: 'memory' }>>
    | VectorStore;
  readonly embedder?: ConfigInput['embedder'] | Embedder;
  /** One, or a list that is tried in its order. */
  readonly generator?: OneGenerator | TextGenerator | readonly (OneGenerator | TextGenerator)[] | undefined;
  readonly reranker?: ConfigInput['reranker'] | Reranker;
  /** Sizes and lifetimes, and what lies behind the caches of this process: an address, or a cache of one's own. */
  readonly caches?:
    | (Omit<NonNullable<ConfigInput['caches']>, 'shared'> & { readonly shared?: string | Cache | undefined })
    | undefined;
  /** Node groups by name: a chunker of one's own, or the options of one. */
  readonly groups?: Readonly<Record<string, OneGroup | Chunker>> | undefined;
  /** A zod object, which types filters and metadata, or `{ year: 'number', tags: 'string[]' }`. */
  readonly metadata?: Declared | undefined;
}

/** A checked configuration, all defaults filled in: what compose.ts builds from. */
export interface Config
  extends Omit<PlainConfig, 'store' | 'embedder' | 'generator' | 'reranker' | 'caches' | 'groups' | 'metadata'> {
  readonly store: StoreConfig | WithOwnIndex<Extract<StoreConfig, { type: 'memory' }>> | VectorStore;
  readonly embedder: EmbedderConfig | Embedder;
  /** In the order of failover; undefined = none configured, look for a local engine. */
  readonly generators: readonly (GeneratorConfig | TextGenerator)[] | undefined;
  readonly reranker: RerankerConfig | Reranker | undefined;
  readonly caches: Omit<PlainConfig['caches'], 'shared'> & { readonly shared?: string | Cache | undefined };
  readonly groups: Readonly<Record<string, GroupConfig | Chunker>>;
  /** The declared metadata fields; none = undeclared, all are taken. */
  readonly fields: readonly Field[];
}

/**
 * Checks options and fills in the defaults.
 * @throws RagError CONFIG_INVALID with every path that is wrong and the nearest right name
 */
export function parseConfig(options: OpenRagOptions = {}): Config {
  if (!isPlainObject(options))
    throw new RagError('CONFIG_INVALID', `configuration: must be an object, not ${describeValue(options)}`);
  const { metadata, ...rest } = options;
  const declared = isZodSchema(metadata);
  const store: Readonly<Record<string, unknown>> = isPlainObject(rest.store) ? rest.store : {};
  const index = store['type'] === 'memory' ? store['index'] : undefined;
  const caches: Readonly<Record<string, unknown>> = isPlainObject(rest.caches) ? rest.caches : {};
  const groups: Readonly<Record<string, unknown>> = isPlainObject(rest.groups) ? rest.groups : {};
  // Objects stand aside while the schema reads the rest; stand-ins keep their places, so that paths in messages stay true.
  const plain = parsePlainConfig({
    ...rest,
    ...(metadata === undefined || declared ? {} : { metadata }),
    ...(isStore(rest.store) ? { store: { type: 'memory' } } : {}),
    ...(isIndex(index) ? { store: { ...store, index: undefined } } : {}),
    ...(isEmbedder(rest.embedder) ? { embedder: { type: 'static' } } : {}),
    ...(isReranker(rest.reranker) ? { reranker: undefined } : {}),
    ...(rest.generator === undefined
      ? {}
      : { generator: mapOneOrMore(rest.generator, (one) => (isGenerator(one) ? { type: 'ollama' } : one)) }),
    ...(isCache(caches.shared) ? { caches: { ...caches, shared: undefined } } : {}),
    ...(isPlainObject(rest.groups) ? { groups: mapValues(groups, (group) => (isChunker(group) ? {} : group)) } : {}),
  });
  const { generator, metadata: fields, ...settings } = plain;
  return {
    ...settings,
    store: isStore(rest.store)
      ? rest.store
      : plain.store.type === 'memory' && isIndex(index)
        ? { ...plain.store, index }
        : plain.store,
    embedder: isEmbedder(rest.embedder) ? rest.embedder : plain.embedder,
    generators: generator?.map((one, index) => {
      const given: unknown = Array.isArray(rest.generator) ? rest.generator[index] : rest.generator;
      return isGenerator(given) ? given : one;
    }),
    reranker: isReranker(rest.reranker) ? rest.reranker : plain.reranker,
    caches: isCache(caches.shared) ? { ...plain.caches, shared: caches.shared } : plain.caches,
    groups: mapValues(plain.groups, (group, name) => {
      const given = groups[name];
      return isChunker(given) ? given : group;
    }),
    fields: declared ? fieldsFromSchema(metadata) : fieldsOf(fields),
  };
}

/**
 * Checks a configuration without objects, as files, flags and the environment give it.
 * @throws RagError CONFIG_INVALID with every path that is wrong, where it was set, and the nearest right name
 */
export function parsePlainConfig(input: unknown, originOf: OriginOf = () => undefined): PlainConfig {
  const result = configSchema.safeParse(input);
  if (!result.success) throw configInvalid(result.error, input, originOf);
  return result.data;
}

/** A copy that can be shown: secrets and passwords in addresses are stars, objects of one's own their name. */
export function maskSecrets(config: unknown): unknown {
  const secrets = new Set(configOptions().flatMap(({ secret, path }) => (secret ? [path.join('.')] : [])));
  return mask(config, []);

  function mask(value: unknown, path: readonly string[]): unknown {
    if (typeof value === 'string') return secrets.has(path.join('.')) ? '***' : value.replace(/\/\/[^/@\s]+@/g, '//***@');
    if (Array.isArray(value)) return value.map((item) => mask(item, path));
    if (typeof value === 'function') return '(function)';
    if (typeof value !== 'object' || value === null) return value;
    if (!isPlainObject(value) || Object.values(value).some((member) => typeof member === 'function')) return '(object)';
    return mapValues(value, (member, key) => mask(member, [...path, key]));
  }
}

function fieldsOf(json: FieldsJson | undefined): readonly Field[] {
  if (json === undefined) return [];
  try {
    return fieldsFromJson(json, 'metadata');
  } catch (error) {
    throw new RagError('CONFIG_INVALID', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function mapOneOrMore<Item, Mapped>(value: Item | readonly Item[], map: (item: Item) => Mapped): Mapped | readonly Mapped[] {
  return Array.isArray(value) ? value.map(map) : map(value as Item); // `isArray` doesn't narrow read-only arrays away
}

function mapValues<Item, Mapped>(
  object: Readonly<Record<string, Item>>,
  map: (item: Item, key: string) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(object).map(([key, item]) => [key, map(item, key)]));
}
