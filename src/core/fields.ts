import type { Field, FieldType, Filter } from './contracts.js';
import { invalidInput, nearestName } from './errors.js';
import { describeValue, isPlainObject, isWellFormed, pathTo, shown } from './values.js';

/** Declared fields as a configuration file has them. @example { "year": "number", "tags": "string[]" } */
export type FieldsJson = { readonly [name: string]: FieldType };

/** What is filterable besides metadata; all are strings. */
export const VIRTUAL_FIELDS = ['$id', '$documentId', '$uri', '$group'] as const;
export type VirtualField = (typeof VIRTUAL_FIELDS)[number];

/** The longest name of a metadata field, in UTF-16 units. */
const MAX_FIELD_NAME = 128;

/** An operator on one field. */
export type FieldOperator = Exclude<Filter['op'], 'and' | 'or' | 'not'>;

/** The operators that a field of this type can have; any other would never, or always, be true. */
export const OPERATORS_OF: Readonly<Record<FieldType, readonly FieldOperator[]>> = {
  string: ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'exists', 'startsWith'],
  number: ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'exists'],
  boolean: ['eq', 'ne', 'in', 'nin', 'exists'],
  'string[]': ['contains', 'containsAny', 'exists'],
  'number[]': ['contains', 'containsAny', 'exists'],
  'boolean[]': ['contains', 'containsAny', 'exists'],
};

/** The type of one value of a field: of itself, or of an array's elements. */
export function scalarTypeOf(type: FieldType): 'string' | 'number' | 'boolean' {
  switch (type) {
    case 'string':
    case 'string[]':
      return 'string';
    case 'number':
    case 'number[]':
      return 'number';
    case 'boolean':
    case 'boolean[]':
      return 'boolean';
  }
}

/**
 * Reads declared fields, in the order given.
 * @throws RagError INPUT_INVALID naming the path of a bad name or type
 * @example fieldsFromJson({ year: 'number', tags: 'string[]' }, 'metadata')
 */
export function fieldsFromJson(json: unknown, path = 'fields'): readonly Field[] {
  if (!isPlainObject(json)) throw invalidInput(path, `must be an object such as {"year": "number"}, got ${describeValue(json)}`);
  return Object.entries(json).map(([name, type]) => {
    const problem = fieldNameProblem(name);
    if (problem !== undefined) throw invalidInput(pathTo(path, name), problem);
    if (!isFieldType(type)) throw invalidInput(pathTo(path, name), typeProblem(type));
    return { name, type };
  });
}

/** Why a metadata field can't have this name; undefined: it can. */
export function fieldNameProblem(name: string): string | undefined {
  if (name === '') return 'a field name must not be empty';
  if (name.length > MAX_FIELD_NAME) return `a field name has at most ${MAX_FIELD_NAME} characters, this one ${name.length}`;
  if (name.startsWith('$')) return 'field names that start with "$" are reserved';
  // Stored as JSON or MessagePack and read back by libraries of others, this name is dropped or renamed.
  if (name === '__proto__') return 'this field name is reserved';
  if (/\p{Control}/u.test(name)) return 'a field name must not hold control characters';
  if (!isWellFormed(name)) return 'a field name must be well-formed Unicode; it holds half a surrogate pair';
  return undefined;
}

function isFieldType(value: unknown): value is FieldType {
  return typeof value === 'string' && Object.hasOwn(OPERATORS_OF, value);
}

function typeProblem(type: unknown): string {
  const names = Object.keys(OPERATORS_OF);
  const near = typeof type === 'string' ? nearestName(type, names) : undefined;
  const got = typeof type === 'string' ? shown(type) : describeValue(type);
  return `must be one of ${names.join(', ')}, got ${got}${near === undefined ? '' : `; did you mean "${near}"?`}`;
}
