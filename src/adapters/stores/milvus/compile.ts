import type { Field, Filter, Scalar } from '../../../core/contracts.js';
import type { FilterCompiler } from '../remote/contract.js';
import { CHUNK, type FieldColumn, fieldColumns } from './columns.js';
import { literal, literals } from './literal.js';
import { FIELD_NAMES, packedKey } from './metadata.js';

/** Longer lists are left to the core: Milvus Lite compares every row with every listed value in Python. */
const MAX_PUSHED_VALUES = 1000;

/** What `compile` makes of a filter. */
export interface MilvusFilter {
  /** A boolean expression. */
  readonly expression: string;
  /** The declared fields whose columns it asks. */
  readonly fields: readonly string[];
  /** How deep it nests; with declared fields two levels more than without, at most. */
  readonly depth: number;
}

/** Milvus 2.3 fails to search by an expression that nests 48 deep (its protobuf's limit), Lite at some 130. */
const MAX_DEPTH = 40;

/**
 * Everything is pushed but very long lists and whole numbers of 2^53 and more, which servers read as other numbers. The expression is
 * two-valued (a missing field makes a test false, never null) and takes only forms that Milvus 2.3 and Milvus Lite answer alike;
 * metadata.ts says how the rows are made for that.
 */
export const milvusCompiler: FilterCompiler = {
  canPush: (leaf) =>
    'values' in leaf ? leaf.values.length <= MAX_PUSHED_VALUES && leaf.values.every(isReadAlike) : isReadAlike(leaf.value),
  fits: (filter) => compileFilter(filter, []).depth <= MAX_DEPTH,
  // The text is made at the search, which knows the collection's declared fields.
  compile: (filter) => filter,
};

/** A filter for the chunks of a collection with these declared fields. */
export function compileFilter(filter: Filter, fields: readonly Field[]): MilvusFilter {
  const columns = fieldColumns(fields);
  const asked = new Set<string>();
  const operandOf = (field: string, type: ScalarType): Operand => {
    const virtual = VIRTUAL_COLUMNS.get(field);
    if (virtual !== undefined) return type === 'string' ? { kind: 'column', column: virtual } : { kind: 'never' };
    const column = columns.get(field);
    if (column?.type !== type) return { kind: 'json', path: jsonPath(packedKey(type, field)) };
    asked.add(field);
    return { kind: 'declared', column };
  };
  const expression = expressionOf(filter, operandOf);
  return { expression, fields: [...asked], depth: depthOf(expression) };
}

/**
 * All of these conditions, or at least one of them. Halved again and again: a server nests a chain as deep as it is long.
 * @example joinTests(['(a == 1)', '(b == 2)', '(c == 3)'], 'and') // '(((a == 1) and (b == 2)) and (c == 3))'
 */
export function joinTests(tests: readonly string[], operator: 'and' | 'or'): string {
  const [only] = tests;
  if (only === undefined) return operator === 'or' ? NOTHING : EVERYTHING;
  if (tests.length === 1) return only;
  const middle = Math.ceil(tests.length / 2);
  return `(${joinTests(tests.slice(0, middle), operator)} ${operator} ${joinTests(tests.slice(middle), operator)})`;
}

type ScalarType = 'string' | 'number' | 'boolean';

/** Where the values of one field and one type are found. */
type Operand =
  /** A column that every row has. */
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'declared'; readonly column: FieldColumn }
  | { readonly kind: 'json'; readonly path: string }
  /** Virtual fields are strings. */
  | { readonly kind: 'never' };
type OperandOf = (field: string, type: ScalarType) => Operand;

const NOTHING = `(${CHUNK.rowId} in [])`;
const EVERYTHING = `(not ${NOTHING})`;
const VIRTUAL_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['$id', CHUNK.chunkId],
  ['$documentId', CHUNK.documentId],
  ['$uri', CHUNK.uri],
  ['$group', CHUNK.group],
]);

function expressionOf(filter: Filter, operandOf: OperandOf): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      return joinTests(
        filter.filters.map((part) => expressionOf(part, operandOf)),
        filter.op,
      );
    case 'not':
      return `(not ${expressionOf(filter.filter, operandOf)})`;
    case 'eq':
      return isOneOf(filter.field, [filter.value], operandOf);
    case 'ne':
      return `(not ${isOneOf(filter.field, [filter.value], operandOf)})`;
    case 'in':
      return isOneOf(filter.field, filter.values, operandOf);
    case 'nin':
      return `(not ${isOneOf(filter.field, filter.values, operandOf)})`;
    case 'gt':
      return compares(filter.field, [['>', filter.value]], operandOf);
    case 'gte':
      return compares(filter.field, [['>=', filter.value]], operandOf);
    case 'lt':
      return compares(filter.field, [['<', filter.value]], operandOf);
    case 'lte':
      return compares(filter.field, [['<=', filter.value]], operandOf);
    case 'startsWith':
      return compares(filter.field, prefixRange(filter.value), operandOf);
    case 'contains':
      return contains(filter.field, [filter.value]);
    case 'containsAny':
      return contains(filter.field, filter.values);
    case 'exists': {
      const test = VIRTUAL_COLUMNS.has(filter.field) ? EVERYTHING : listTest(jsonPath(FIELD_NAMES), [filter.field]);
      return filter.value ? test : `(not ${test})`;
    }
  }
}

/** Every level has its parentheses; those inside of quotes are no levels. */
function depthOf(expression: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of expression.matchAll(/"(?:[^"\\]|\\.)*"|[()]/gs)) {
    if (token === '(') deepest = Math.max(deepest, ++depth);
    else if (token === ')') depth--;
  }
  return deepest;
}

/** Lists are split by type: servers refuse mixed ones, and each type has a place of its own. */
function isOneOf(field: string, values: readonly Scalar[], operandOf: OperandOf): string {
  const tests = byType(values).map(([type, ofType]) => operandIsOneOf(operandOf(field, type), ofType));
  return joinTests(tests, 'or');
}

function operandIsOneOf(operand: Operand, values: readonly Scalar[]): string {
  switch (operand.kind) {
    case 'never':
      return NOTHING;
    case 'column':
      return columnIsOneOf(operand.column, values);
    case 'declared':
      return `((${operand.column.present} == true) and ${columnIsOneOf(operand.column.value, values)})`;
    case 'json':
      return listContains(operand.path, values);
  }
}

/** Milvus 2.3 takes no list of booleans. */
function columnIsOneOf(column: string, values: readonly Scalar[]): string {
  const [only] = values;
  if (values.length > 1 && typeof only !== 'boolean') return `(${column} in ${literals(values)})`;
  return joinTests(
    values.map((value) => `(${column} == ${literal(value)})`),
    'or',
  );
}

/** The bounds are of one type. */
function compares(field: string, bounds: readonly Bound[], operandOf: OperandOf): string {
  const [bound] = bounds;
  const operand = operandOf(field, typeof bound?.[1] === 'number' ? 'number' : 'string');
  const tests = (path: string) => bounds.map(([operator, value]) => `(${path} ${operator} ${literal(value)})`);
  switch (operand.kind) {
    case 'never':
      return NOTHING;
    case 'column':
      return joinTests(tests(operand.column), 'and');
    case 'declared':
      return joinTests([`(${operand.column.present} == true)`, ...tests(operand.column.value)], 'and');
    case 'json':
      // In parentheses: Milvus 2.3 reads `exists a and b` as `exists (a and b)`.
      return joinTests([`(exists ${operand.path})`, ...tests(`${operand.path}[0]`)], 'and');
  }
}

type Bound = readonly [operator: '>' | '>=' | '<' | '<=', value: number | string];

/** A prefix as a range, since the wildcards of `like` differ between servers: up to the first text that no longer has it. */
function prefixRange(prefix: string): readonly Bound[] {
  const end = afterPrefix(prefix);
  return end === undefined
    ? [['>=', prefix]]
    : [
        ['>=', prefix],
        ['<', end],
      ];
}

/** The least text above all that begin with `prefix`, by code point; undefined: there is none. */
function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    // Half surrogates are no characters: after U+D7FF comes U+E000.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}

function contains(field: string, values: readonly Scalar[]): string {
  if (VIRTUAL_COLUMNS.has(field)) return NOTHING;
  const tests = byType(values).map(([type, ofType]) => listContains(jsonPath(packedKey(`${type}[]`, field)), ofType));
  return joinTests(tests, 'or');
}

/** Whole and broken numbers go into lists of their own: Milvus 2.3 refuses `[1, 2.5]`. */
function listContains(path: string, values: readonly Scalar[]): string {
  const lists = [values.filter(isWhole), values.filter((value) => !isWhole(value))].filter((list) => list.length > 0);
  return joinTests(
    lists.map((list) => listTest(path, list)),
    'or',
  );
}

/** Always in the form for several: Milvus Lite takes no negative number in the one for a single value. */
function listTest(path: string, values: readonly Scalar[]): string {
  return `json_contains_any(${path}, ${literals(values)})`;
}

function jsonPath(key: string): string {
  return `${CHUNK.metadata}[${literal(key)}]`;
}

function byType(values: readonly Scalar[]): readonly (readonly [type: ScalarType, values: readonly Scalar[]])[] {
  return (['string', 'number', 'boolean'] as const)
    .map((type) => [type, values.filter((value) => typeof value === type)] as const)
    .filter(([, ofType]) => ofType.length > 0);
}

/** Milvus 2.3 rounds such a number to a double, Lite compares its shortest decimal form digit by digit; with an exponent both round. */
function isReadAlike(value: Scalar): boolean {
  return typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value) || String(value).includes('e');
}

function isWhole(value: Scalar): boolean {
  return Number.isSafeInteger(value);
}
