import type { Field, FieldType, Filter, Scalar } from './contracts.js';
import { invalidInput, nearestName } from './errors.js';
import { type FieldOperator, fieldNameProblem, OPERATORS_OF, scalarTypeOf, VIRTUAL_FIELDS } from './fields.js';
import { isEverything } from './filter-tree.js';
import { describeValue, isPlainObject, isScalar, pathTo, scalarProblem, shown } from './values.js';

/** How deep `$and`, `$or` and `$not` may nest. */
export const MAX_FILTER_DEPTH = 64;
/** How many conditions, lists, objects and listed values a filter may have in all. */
export const MAX_FILTER_SIZE = 10_000;

export interface ParseFilterOptions {
  /** Declared fields: any other is refused, and so is an operator or value that doesn't fit. @default none: any field, any type */
  readonly fields?: readonly Field[] | undefined;
  /** What errors call the filter. @default 'filter' */
  readonly path?: string | undefined;
}

const FIELD_OPERATORS: ReadonlyMap<string, FieldOperator> = new Map([
  ['$eq', 'eq'],
  ['$ne', 'ne'],
  ['$gt', 'gt'],
  ['$gte', 'gte'],
  ['$lt', 'lt'],
  ['$lte', 'lte'],
  ['$in', 'in'],
  ['$nin', 'nin'],
  ['$exists', 'exists'],
  ['$contains', 'contains'],
  ['$containsAny', 'containsAny'],
  ['$startsWith', 'startsWith'],
]);
const LOGICAL_OPERATORS = ['$and', '$or', '$not'];

/**
 * Reads the JSON form. `undefined`, `{}` and what else lets everything through by its shape (`{"$and": []}`) give undefined: no
 * selection at all.
 * @throws RagError INPUT_INVALID naming the path: `filter.year.$gte: must be a number or a string, got a boolean`
 * @example parseFilter({ year: { $gte: 2020 }, lang: 'en' })
 */
export function parseFilter(json: unknown, options: ParseFilterOptions = {}): Filter | undefined {
  if (json === undefined) return undefined;
  const types = options.fields && new Map(options.fields.map((field) => [field.name, field.type]));
  const filter = parseObject(json, options.path ?? 'filter', 0, { types, left: MAX_FILTER_SIZE });
  return isEverything(filter) ? undefined : filter;
}

/** What one parse carries along; `left` counts down to the size bound. */
interface Parse {
  readonly types: ReadonlyMap<string, FieldType> | undefined;
  left: number;
}

function parseObject(json: unknown, path: string, depth: number, parse: Parse): Filter {
  if (!isPlainObject(json)) throw invalidInput(path, objectProblem(json));
  if (depth > MAX_FILTER_DEPTH) throw invalidInput(path, `nests deeper than ${MAX_FILTER_DEPTH} levels`);
  spend(parse, path);
  const filters = Object.keys(json).flatMap((key) => parseEntry(key, json[key], pathTo(path, key), depth, parse));
  const [only] = filters;
  return only !== undefined && filters.length === 1 ? only : { op: 'and', filters };
}

function parseEntry(key: string, value: unknown, path: string, depth: number, parse: Parse): readonly Filter[] {
  if (key === '$and' || key === '$or') {
    const filters = list(value, path).map((part, index) => parseObject(part, `${path}[${index}]`, depth + 1, parse));
    return [{ op: key === '$and' ? 'and' : 'or', filters }];
  }
  if (key === '$not') return [{ op: 'not', filter: parseObject(value, path, depth + 1, parse) }];
  const type = typeOfField(key, path, parse);
  if (isPlainObject(value)) {
    const operators = Object.keys(value);
    if (operators.length === 0)
      throw invalidInput(path, 'is an empty object; give a value or an operator such as {"$exists": true}');
    return operators.map((name) => parseOperator(key, name, value[name], pathTo(path, name), type, parse));
  }
  if (Array.isArray(value)) {
    throw invalidInput(
      path,
      'an array is no value; use {"$in": […]} for one of several, {"$contains": …} for a field that is a list',
    );
  }
  return [parseOperator(key, '$eq', value, path, type, parse)];
}

function parseOperator(
  field: string,
  name: string,
  operand: unknown,
  path: string,
  type: FieldType | undefined,
  parse: Parse,
): Filter {
  spend(parse, path);
  const op = FIELD_OPERATORS.get(name);
  if (op === undefined) throw invalidInput(path, operatorProblem(name, field));
  if (type !== undefined && !OPERATORS_OF[type].includes(op)) throw invalidInput(path, misfit(name, field, type));
  switch (op) {
    case 'eq':
    case 'ne':
    case 'contains':
      return { op, field, value: scalar(operand, path, type) };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const value = scalar(operand, path, type);
      if (typeof value === 'boolean') throw invalidInput(path, 'must be a number or a string, got a boolean');
      return { op, field, value };
    }
    case 'startsWith':
      if (typeof operand !== 'string' || !isScalar(operand))
        throw invalidInput(path, `must be a string, got ${describeValue(operand)}`);
      return { op, field, value: operand };
    case 'exists':
      if (typeof operand !== 'boolean') throw invalidInput(path, `must be true or false, got ${describeValue(operand)}`);
      return { op, field, value: operand };
    case 'in':
    case 'nin':
    case 'containsAny':
      return { op, field, values: list(operand, path).map((value, index) => listed(value, `${path}[${index}]`, type, parse)) };
  }
}

function listed(value: unknown, path: string, type: FieldType | undefined, parse: Parse): Scalar {
  spend(parse, path);
  return scalar(value, path, type);
}

function scalar(value: unknown, path: string, type: FieldType | undefined): Scalar {
  if (!isScalar(value)) throw invalidInput(path, `${scalarProblem(value)}${adviceFor(value)}`);
  const wanted = type && scalarTypeOf(type);
  if (wanted !== undefined && typeof value !== wanted) {
    throw invalidInput(path, `must be a ${wanted}, as the field is declared, got ${describeValue(value)}`);
  }
  return value;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidInput(path, `must be a list, got ${describeValue(value)}`);
  // Bounded before anything is built of it; `Array.from` gives holes a value, which is then refused.
  if (value.length > MAX_FILTER_SIZE) throw invalidInput(path, sizeProblem);
  return Array.from<unknown>(value);
}

const sizeProblem = `the filter is too large: at most ${MAX_FILTER_SIZE} conditions and values in all`;

function spend(parse: Parse, path: string): void {
  parse.left -= 1;
  if (parse.left < 0) throw invalidInput(path, sizeProblem);
}

function typeOfField(name: string, path: string, parse: Parse): FieldType | undefined {
  if (VIRTUAL_FIELDS.some((field) => field === name)) return 'string';
  if (FIELD_OPERATORS.has(name)) throw invalidInput(path, `is an operator on a field: write {"field": {"${name}": …}}`);
  if (name.startsWith('$')) throw invalidInput(path, unknownName('operator', name, [...LOGICAL_OPERATORS, ...VIRTUAL_FIELDS]));
  const problem = fieldNameProblem(name);
  if (problem !== undefined) throw invalidInput(path, problem);
  if (parse.types === undefined) return undefined;
  const type = parse.types.get(name);
  if (type === undefined) throw invalidInput(path, unknownName('field', name, [...parse.types.keys(), ...VIRTUAL_FIELDS]));
  return type;
}

function objectProblem(json: unknown): string {
  const advice =
    typeof json === 'string'
      ? '; pass the object itself, not its text'
      : Array.isArray(json)
        ? '; wrap it in {"$and": […]} or {"$or": […]}'
        : '';
  return `must be a filter object such as {"lang": "en"}, got ${describeValue(json)}${advice}`;
}

function adviceFor(value: unknown): string {
  return value === null ? '; for a missing field use {"$exists": false}' : value === undefined ? '; leave the key out' : '';
}

function operatorProblem(name: string, field: string): string {
  if (!LOGICAL_OPERATORS.includes(name)) return unknownName('operator', name, FIELD_OPERATORS.keys());
  return `${name} goes around filters, not inside a field: write {"${name}": … {${shown(field)}: …} …}`;
}

function misfit(name: string, field: string, type: FieldType): string {
  const allowed = [...FIELD_OPERATORS].filter(([, op]) => OPERATORS_OF[type].includes(op)).map(([operator]) => operator);
  return `${name} doesn't fit ${shown(field)}, which is a ${type}; use one of ${allowed.join(', ')}`;
}

function unknownName(kind: 'operator' | 'field', name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = nearestName(name, names);
  const advice = near === undefined ? `known: ${names.slice(0, 20).join(', ')}` : `did you mean ${shown(near)}?`;
  return `unknown ${kind} ${shown(name)}; ${advice}`;
}
