import { createJsonTokens, type JsonFailure, type JsonToken } from './json-tokens.js';
import { renderValue } from './records.js';

/** Data is not nested deeper; text that is would be mostly indentation. */
const MAX_DEPTH = 64;

/**
 * JSON as readable lines, `name: value`, nested by indentation; an empty line stands between the elements of a list at the top.
 * Strings come unescaped, so that a search finds what was written `\u4e2d`; numbers stand as they are written, however long.
 * A generator over the text, because `JSON.parse` of a large document holds the event loop until it is done.
 */
export function* renderJson(text: string, fail: JsonFailure): Iterable<string> {
  const next = createJsonTokens(text, fail);
  const first = next();
  if (first.kind === '[') {
    let separator = false;
    for (let token = next(); token.kind !== ']'; token = afterItem(']')) {
      if (separator) yield '';
      separator = true;
      yield* render(token, '', false, '');
    }
  } else yield* render(first, '', false, '');
  const last = next();
  if (last.kind !== 'end') fail('text after the end', last.offset);

  /**
   * The lines of the value that `token` begins. `lead` stands before it on its line; after a name, fields and elements start below,
   * after a dash on the same line. `indent` is that of its fields and elements.
   */
  function* render(token: JsonToken, lead: string, named: boolean, indent: string): Iterable<string> {
    if (indent.length > 2 * MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH} levels`, token.offset);
    switch (token.kind) {
      case 'literal':
        yield lead + token.value;
        return;
      case 'string':
        yield lead + (token.value === '' ? '""' : renderValue(token.value, indent.slice(2)));
        return;
      case '{':
        yield* renderFields(lead, named, indent);
        return;
      case '[':
        yield* renderElements(lead, named, indent);
        return;
      case '}':
      case ']':
      case ',':
      case ':':
        return fail(`a value is missing before ${token.value}`, token.offset);
      case 'end':
        return fail('it ends too early', token.offset);
    }
  }

  function* renderFields(lead: string, named: boolean, indent: string): Iterable<string> {
    let token = next();
    if (token.kind === '}') {
      yield `${lead}{}`;
      return;
    }
    if (named) yield lead.trimEnd();
    for (let start = named ? indent : lead; token.kind !== '}'; start = indent) {
      if (token.kind !== 'string') fail('a name in quotes is missing', token.offset);
      const colon = next();
      if (colon.kind !== ':') fail('a colon is missing', colon.offset);
      yield* render(next(), `${start}${token.value.replaceAll('\n', ' ')}: `, true, `${indent}  `);
      token = afterItem('}');
    }
  }

  function* renderElements(lead: string, named: boolean, indent: string): Iterable<string> {
    let token = next();
    if (token.kind === ']') {
      yield `${lead}[]`;
      return;
    }
    if (named) yield lead.trimEnd();
    for (let start = named ? indent : lead; token.kind !== ']'; start = indent) {
      yield* render(token, `${start}- `, false, `${indent}  `);
      token = afterItem(']');
    }
  }

  /** The closing token, or the one that begins the next item. */
  function afterItem(closing: '}' | ']'): JsonToken {
    const token = next();
    if (token.kind === closing) return token;
    if (token.kind !== ',') fail(`a comma or ${closing} is missing`, token.offset);
    const item = next();
    if (item.kind === closing) fail(`a comma too many before ${closing}`, item.offset);
    return item;
  }
}
