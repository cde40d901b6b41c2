import type { Field, Filter, Plan, Scalar } from '../../../core/contracts.js';
import { type FilterLeaf, splitFilter } from '../../../core/filter.js';
import { COLUMNS, type FieldColumn, fieldColumns, KEY_TYPES, type KeyType, typedKey } from './columns.js';

/**
 * Longer lists are left to the core: each listed value is one comparison in the server's expression, and its parser is not made for
 * tens of thousands.
 */
export const MAX_PUSHED_VALUES = 1000;

/** A compiled filter. */
export interface MilvusPlan {
  /** A boolean expression; '' = everything. */
  readonly expression: string;
  /** The indexed columns that it asks. */
  readonly columns: readonly string[];
}

/** Splits a filter into what Milvus evaluates the same on every version and what the core does. Pure. */
export function planFilter(filter: Filter, fields: readonly Field[]): Plan {
  const { pushed, residual } = splitFilter(filter, canPush);
  const columns = fieldColumns(fields);
  const native: MilvusPlan = pushed
    ? { expression: compile(pushed, columns), columns: columnsIn(pushed, columns) }
    : { expression: '', columns: [] };
  return { pushed, residual, native };
}

/**
 * A filter as a Milvus expression. Every part is two-valued: a missing field makes a comparison false, never null, because `not` of
 * null differs between servers. Each `exists` stands in parentheses: Milvus 2.3 reads `exists a and b` as `exists (a and b)`.
 */
export function compile(filter: Filter, columns: ReadonlyMap<string, FieldColumn>): string {
  const compileAll = (filters: readonly Filter[]) => filters.map((part) => compile(part, columns));
  switch (filter.op) {
    case 'and':
      return join(compileAll(filter.filters), 'and');
    case 'or':
      return join(compileAll(filter.filters), 'or');
    case 'not':
      return `(not ${compile(filter.filter, columns)})`;
    case 'eq':
      return equals(filter.field, [filter.value], columns);
    case 'ne':
      return `(not ${equals(filter.field, [filter.value], columns)})`;
    case 'in':
      return equals(filter.field, filter.values, columns);
    case 'nin':
      return `(not ${equals(filter.field, filter.values, columns)})`;
    case 'gt':
      return compares(filter.field, '>', filter.value, columns);
    case 'gte':
      return compares(filter.field, '>=', filter.value, columns);
    case 'lt':
      return compares(filter.field, '<', filter.value, columns);
    case 'lte':
      return compares(filter.field, '<=', filter.value, columns);
    case 'startsWith':
      return startsWith(filter.field, filter.value, columns);
    case 'contains':
      return contains(filter.field, [filter.value]);
    case 'containsAny':
      return contains(filter.field, filter.values);
    case 'exists':
      return filter.value ? exists(filter.field) : `(not ${exists(filter.field)})`;
  }
}

/**
 * A value as a literal of the expression language; the only place where a value, or the name of a metadata field, becomes text.
 *
 * The attack: a value such as `x" or id != "` would close its quotes and rewrite the filter, and so show or delete what the caller
 * may not see. Quotes and backslashes are escaped; so are line ends, which end a literal too. No other escape is used: Milvus Lite
 * knows no `\u`. A caller's text never stands anywhere but between these quotes.
 */
export function literal(value: Scalar): string {
  switch (typeof value) {
    case 'string':
      return `"${value.replace(/["\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return numberLiteral(value);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const NOTHING = `(${COLUMNS.id} in [])`;
const VIRTUAL_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['$id', COLUMNS.id],
  ['$documentId', COLUMNS.documentId],
  ['$uri', COLUMNS.uri],
  ['$group', COLUMNS.group],
]);

function canPush(leaf: FilterLeaf): boolean {
  return !('values' in leaf) || leaf.values.length <= MAX_PUSHED_VALUES;
}

function columnsIn(filter: Filter, columns: ReadonlyMap<string, FieldColumn>): readonly string[] {
  const names = new Set<string>();
  const visit = (part: Filter): void => {
    if ('filters' in part) part.filters.forEach(visit);
    else if ('filter' in part) visit(part.filter);
    else if (columns.has(part.field) && part.op !== 'exists' && part.op !== 'contains' && part.op !== 'containsAny') {
      names.add(part.field);
    }
  };
  visit(filter);
  return [...names];
}

/** Where values of one type are found, and the condition (if any) that there is one. */
interface Operand {
  readonly text: string;
  readonly present: string | undefined;
  /** A JSON path: Milvus Lite has no `in` for these. */
  readonly json: boolean;
}

/** undefined: this field never has a value of this type. */
function operandOf(field: string, type: KeyType, columns: ReadonlyMap<string, FieldColumn>): Operand | undefined {
  const virtual = VIRTUAL_COLUMNS.get(field);
  if (virtual !== undefined) return type === 'string' ? { text: virtual, present: undefined, json: false } : undefined;
  const column = columns.get(field);
  if (column?.type === type) return { text: column.value, present: `(${column.present} == true)`, json: false };
  const text = jsonPath(type, field);
  return { text, present: `(exists ${text})`, json: true };
}

function jsonPath(type: KeyType, field: string): string {
  return `${COLUMNS.metadata}[${literal(typedKey(type, field))}]`;
}

/** Lists are split by type (a mixed one is refused), and each type has its own key. */
function equals(field: string, values: readonly Scalar[], columns: ReadonlyMap<string, FieldColumn>): string {
  const parts = byType(values).flatMap(([type, ofType]) => {
    const operand = operandOf(field, type, columns);
    if (operand === undefined) return [];
    const [only] = ofType;
    if (operand.json || (ofType.length === 1 && only !== undefined)) {
      return [
        guarded(
          operand,
          join(
            ofType.map((value) => `(${operand.text} == ${literal(value)})`),
            'or',
          ),
        ),
      ];
    }
    return [guarded(operand, `(${operand.text} in [${ofType.map(literal).join(', ')}])`)];
  });
  return join(parts, 'or');
}

function compares(
  field: string,
  operator: '>' | '>=' | '<' | '<=',
  value: number | string,
  columns: ReadonlyMap<string, FieldColumn>,
): string {
  const operand = operandOf(field, typeof value === 'number' ? 'number' : 'string', columns);
  return operand === undefined ? NOTHING : guarded(operand, `(${operand.text} ${operator} ${literal(value)})`);
}

/** As a range, since the wildcards of `like` differ between servers: from the prefix to the first text that no longer has it. */
function startsWith(field: string, prefix: string, columns: ReadonlyMap<string, FieldColumn>): string {
  const operand = operandOf(field, 'string', columns);
  if (operand === undefined) return NOTHING;
  const end = afterPrefix(prefix);
  const parts = [`(${operand.text} >= ${literal(prefix)})`];
  if (end !== undefined) parts.push(`(${operand.text} < ${literal(end)})`);
  return guarded(operand, join(parts, 'and'));
}

/** The least text above all that begin with `prefix`, by code point; undefined: there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    // Half surrogates are no characters: after U+D7FF comes U+E000.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}

/** Whole and broken numbers go into lists of their own: Milvus 2.3 refuses `[1, 2.5]`. */
function contains(field: string, values: readonly Scalar[]): string {
  if (VIRTUAL_COLUMNS.has(field)) return NOTHING;
  const parts = byType(values).map(([type, ofType]) => {
    const text = jsonPath(`${type}[]`, field);
    const whole = ofType.filter((value) => isWhole(value));
    const others = ofType.filter((value) => !isWhole(value));
    const lists = [whole, others].filter((list) => list.length > 0);
    const tests = lists.map((list) => `json_contains_any(${text}, [${list.map(literal).join(', ')}])`);
    return `((exists ${text}) and ${join(tests, 'or')})`;
  });
  return join(parts, 'or');
}

function exists(field: string): string {
  if (VIRTUAL_COLUMNS.has(field)) return `(not ${NOTHING})`;
  return join(
    KEY_TYPES.map((type) => `(exists ${jsonPath(type, field)})`),
    'or',
  );
}

function guarded(operand: Operand, condition: string): string {
  return operand.present === undefined ? condition : `(${operand.present} and ${condition})`;
}

/** Balanced, so that a list of a thousand nests ten deep in the server's tree and not a thousand. */
function join(parts: readonly string[], operator: 'and' | 'or'): string {
  const [only] = parts;
  if (only === undefined) return operator === 'or' ? NOTHING : `(not ${NOTHING})`;
  if (parts.length === 1) return only;
  const middle = Math.ceil(parts.length / 2);
  return `(${join(parts.slice(0, middle), operator)} ${operator} ${join(parts.slice(middle), operator)})`;
}

function byType(values: readonly Scalar[]): [type: 'string' | 'number' | 'boolean', values: readonly Scalar[]][] {
  return (['string', 'number', 'boolean'] as const)
    .map((type): [typeof type, readonly Scalar[]] => [type, values.filter((value) => typeof value === type)])
    .filter(([, ofType]) => ofType.length > 0);
}

function isWhole(value: Scalar): boolean {
  return Number.isSafeInteger(value);
}

/** Without an exponent or a point, a number is read as a 64-bit integer: one beyond the safe ones is written as a fraction. */
function numberLiteral(value: number): string {
  const text = value === 0 ? '0' : String(value);
  return Number.isSafeInteger(value) || /[.e]/.test(text) ? text : `${text}.0`;
}
