import schema from '../../docs/config.schema.json' with { type: 'json' };
import { once } from '../core/once.js';

/**
 * One thing that can be set, with its name in every place: `store.path` in a file, `--store-path` as a flag,
 * `HOTRAG_STORE_PATH` in the environment.
 */
export interface ConfigOption {
  readonly path: readonly string[];
  /** Without the dashes. */
  readonly flag: string;
  readonly env: string;
  /** How its text is read. `part`: the type's name, or the whole part as JSON. `list`: texts joined as in PATH, or JSON. */
  readonly kinds: ReadonlySet<OptionKind>;
  /** Comes from the environment or a file only, and is masked wherever configuration is shown. */
  readonly secret: boolean;
  /** One for each type of the part that has this option. */
  readonly variants: readonly OptionVariant[];
}

export type OptionKind = 'text' | 'number' | 'boolean' | 'list' | 'json' | 'part';

export interface OptionVariant {
  /** The type of the part (`milvus`); undefined where the part has no types. */
  readonly of: string | undefined;
  readonly schema: SchemaNode;
}

/** What is read of a JSON Schema. */
export interface SchemaNode {
  /** Where the same structure stands in full. */
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly default?: unknown;
  readonly secret?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * The JSON Schema of a configuration file, which scripts/config-docs.mjs writes from the zod schema, and a test compares. Read from there,
 * so that flags are known without building the zod schema: that costs a server 20 ms of its start.
 */
export const configJsonSchema: SchemaNode = schema;

/** Every option, in the schema's order. What is nested deeper than a part's own settings is set as JSON. */
export const configOptions = once((): readonly ConfigOption[] => [...walk([{ of: undefined, schema: configJsonSchema }], [])]);

/** The alternatives of a node that is a choice, else itself. */
export function alternativesOf(node: SchemaNode): readonly SchemaNode[] {
  const choices = node.anyOf ?? node.oneOf;
  return choices === undefined ? [node] : choices.flatMap(alternativesOf);
}

/** The type that an alternative of a part stands for. @example 'milvus' */
export function typeOf(node: SchemaNode): string | undefined {
  const type = node.properties?.type?.const;
  return typeof type === 'string' ? type : undefined;
}

function* walk(variants: readonly OptionVariant[], path: readonly string[]): Iterable<ConfigOption> {
  const alternatives = variants.flatMap(({ of, schema }) => alternativesOf(schema).map((node) => ({ of, node })));
  const objects = alternatives.filter(({ node }) => node.properties !== undefined);
  const isPart = path.length === 1 && objects.some(({ node }) => typeOf(node) !== undefined);
  if (path.length > 0 && (isPart || objects.length !== 1 || alternatives.length > 1)) {
    yield option(path, variants, isPart ? new Set(['part']) : new Set(alternatives.flatMap(({ node }) => kindsOf(node))));
  }
  // A choice of objects inside a part would mix the settings of its alternatives: it is one JSON value instead.
  if (objects.length > 1 && !isPart) return;
  const inner = new Map<string, OptionVariant[]>();
  for (const { of, node } of objects) {
    for (const [key, schema] of Object.entries(node.properties ?? {})) {
      if (isPart && key === 'type') continue;
      const variant = { of: isPart ? typeOf(node) : of, schema };
      inner.set(key, [...(inner.get(key) ?? []), variant]);
    }
  }
  for (const [key, found] of inner) yield* walk(found, [...path, key]);
}

function option(path: readonly string[], variants: readonly OptionVariant[], kinds: ReadonlySet<OptionKind>): ConfigOption {
  const flag = path.map(kebab).join('-');
  const env = `HOTRAG_${flag.replaceAll('-', '_').toUpperCase()}`;
  return { path, flag, env, kinds, secret: variants.some(({ schema }) => schema.secret === true), variants };
}

function kindsOf(node: SchemaNode): readonly OptionKind[] {
  switch (node.type) {
    case 'string':
      return ['text'];
    case 'number':
    case 'integer':
      return ['number'];
    case 'boolean':
      return ['boolean'];
    case 'array':
      return node.items?.type === 'string' ? ['list'] : ['json'];
    default:
      return ['json'];
  }
}

function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}
