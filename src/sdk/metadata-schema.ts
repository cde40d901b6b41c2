import type * as z from 'zod';
import type { Field, FieldType } from '../core/contracts.js';
import { RagError } from '../core/errors.js';
import { fieldNameProblem } from '../core/fields.js';
import { pathTo } from '../core/values.js';

/** Declared metadata as a zod object: filters and metadata are typed by it at compile time, and indexed by it in stores. */
export type MetadataSchema = z.ZodObject;

/** Whether a value is a schema of zod, of whatever copy and major version, rather than the JSON form. */
export function isZodSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('_zod' in value || '_def' in value);
}

/**
 * The fields that a zod object declares, in its order. Optional, nullable, defaulted and read-only fields count as what they
 * hold: every field of metadata may be missing, and null is dropped when metadata is written. Enums and literals count as
 * their values' type.
 * @throws RagError CONFIG_INVALID naming the path of what metadata can't hold
 * @example fieldsFromSchema(z.object({ year: z.number(), tags: z.array(z.string()) }).partial())
 */
export function fieldsFromSchema(schema: unknown): readonly Field[] {
  const path = 'metadata';
  const { type, shape } = definitionOf(schema, path);
  if (type !== 'object' || shape === undefined) throw invalid(path, `must be a z.object, not a z.${type}`);
  return Object.entries(shape).map(([name, field]) => {
    const problem = fieldNameProblem(name);
    if (problem !== undefined) throw invalid(pathTo(path, name), problem);
    return { name, type: fieldType(field, pathTo(path, name)) };
  });
}

type ScalarType = 'string' | 'number' | 'boolean';

/** What is read of zod's own definition of a schema; its public classes differ between copies, this doesn't. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly innerType?: unknown;
  readonly element?: unknown;
  readonly options?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
}

function definitionOf(schema: unknown, path: string): Definition {
  if (typeof schema === 'object' && schema !== null) {
    // Both casts: `isZodSchema` and this test are all that is known of an object of zod's.
    if ('_zod' in schema) return (schema as { readonly _zod: { readonly def: Definition } })._zod.def;
    if ('_def' in schema)
      throw invalid(path, 'is a schema of zod 3; hotrag reads those of zod 4 (`import { z } from "zod"`, version 4)');
  }
  throw invalid(path, 'must be a zod schema');
}

function fieldType(schema: unknown, path: string): FieldType {
  const definition = definitionOf(schema, path);
  if (isWrapper(definition.type)) return fieldType(definition.innerType, path);
  if (definition.type !== 'array') return scalarType(schema, path);
  return `${scalarType(definition.element, `${path}[]`)}[]`;
}

function scalarType(schema: unknown, path: string): ScalarType {
  const definition = definitionOf(schema, path);
  const { type } = definition;
  if (isWrapper(type)) return scalarType(definition.innerType, path);
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return type;
    case 'template_literal':
      return 'string';
    case 'enum':
      return commonType(enumValues(definition.entries ?? {}).map(typeOfValue), path);
    case 'literal':
      return commonType(
        (definition.values ?? []).filter((value) => value !== null && value !== undefined).map(typeOfValue),
        path,
      );
    case 'union':
      return commonType(
        (definition.options ?? [])
          .filter((option) => !isNothing(definitionOf(option, path).type))
          .map((option) => scalarType(option, path)),
        path,
      );
    default:
      throw invalid(path, `z.${type} is not a kind of metadata${advice(type)}`);
  }
}

function isWrapper(type: string): boolean {
  return ['optional', 'nullable', 'default', 'prefault', 'nonoptional', 'readonly', 'catch'].includes(type);
}

function isNothing(type: string): boolean {
  return type === 'null' || type === 'undefined';
}

/** A numeric TypeScript enum also holds its names as values, under its numbers. */
function enumValues(entries: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(entries)
    .filter(
      ([key, value]) => !(typeof value === 'string' && typeof entries[value] === 'number' && String(entries[value]) === key),
    )
    .map(([, value]) => value);
}

function typeOfValue(value: unknown): string {
  return typeof value;
}

function commonType(types: readonly string[], path: string): ScalarType {
  const [first] = types;
  const known = (['string', 'number', 'boolean'] as const).find((type) => type === first);
  if (known !== undefined && types.every((type) => type === first)) return known;
  const found = [...new Set(types)].join(' and ') || 'none';
  throw invalid(path, `a field holds one of string, number and boolean; found ${found}`);
}

function advice(type: string): string {
  const known: Readonly<Record<string, string>> = {
    date: '; keep a date as ISO text (z.iso.date()), which orders as dates do, or as a number',
    object: '; flatten it into fields of their own',
    record: '; flatten it into fields of their own',
    array: '; arrays don’t nest',
    bigint: '; keep it as a number or as text',
    pipe: '; declare the type that is stored, without a transform',
  };
  return known[type] ?? '; use string, number, boolean or an array of one of these';
}

function invalid(path: string, problem: string): RagError {
  return new RagError('CONFIG_INVALID', `${path}: ${problem}`);
}
