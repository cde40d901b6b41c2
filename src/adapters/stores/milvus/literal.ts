import type { Scalar } from '../../../core/contracts.js';

/**
 * A value as a literal of Milvus's expression language; the only place where a value, or the name of a metadata field, becomes text.
 *
 * The attack: a value such as `x" or row_id != "` would close its quotes and rewrite the filter, and so show or delete what the
 * caller may not touch. Quotes and backslashes are escaped, and so are line ends, which end a literal too; other characters,
 * control characters among them, stand for themselves (Milvus Lite knows no `\u`). A caller's text never stands outside these quotes.
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

/** A list of literals of one type, in brackets. */
export function literals(values: readonly Scalar[]): string {
  return `[${values.map(literal).join(', ')}]`;
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Numbers that no server reads otherwise; -0 equals 0, and whole ones of 2^53 and more (`9007199254740992`) are not pushed. */
function numberLiteral(value: number): string {
  return value === 0 ? '0' : String(value);
}
