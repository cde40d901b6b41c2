import { afterSpace, type JsonNode, type JsonObject } from './json-tree.js';

/** A place of a text and what comes there instead of it. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Adds a member at the end of an object of a JSON text. Nothing else of the text changes: comments, order, indentation and line ends
 * stay as they are, and the new lines follow them.
 */
export function insertMember(text: string, object: JsonObject, name: string, value: unknown): string {
  const layout = layoutOf(text);
  const outer = indentationAt(text, object.start);
  const inner = outer + layout.unit;
  const member = `${layout.eol}${inner}${JSON.stringify(name)}: ${render(value, inner, layout)}`;
  const close = object.end - 1;
  const last = object.members.at(-1)?.value;
  const needsComma = last !== undefined && text[afterSpace(text, last.end)] !== ',';
  // Behind a comment that belongs to the member before.
  const place = endOfComments(text, last === undefined ? object.start + 1 : afterComma(text, last), close);
  const closing = text.slice(place, close).includes('\n') ? '' : `${layout.eol}${outer}`;
  const changes: Change[] = [{ start: place, end: closing === '' ? place : close, text: `${member}${closing}` }];
  if (needsComma) changes.unshift({ start: last.end, end: last.end, text: ',' });
  return apply(text, changes);
}

/** Puts another value in the place of one. */
export function replaceValue(text: string, node: JsonNode, value: unknown): string {
  const layout = layoutOf(text);
  return apply(text, [{ start: node.start, end: node.end, text: render(value, indentationAt(text, node.start), layout) }]);
}

interface Layout {
  readonly eol: string;
  /** One step of indentation. */
  readonly unit: string;
}

/** How the text is laid out; JSON's usual way where it doesn't show. */
function layoutOf(text: string): Layout {
  return { eol: text.includes('\r\n') ? '\r\n' : '\n', unit: /\n([ \t]+)"/.exec(text)?.[1] ?? '  ' };
}

function indentationAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function render(value: unknown, indentation: string, { eol, unit }: Layout): string {
  return JSON.stringify(value, undefined, unit).replaceAll('\n', `${eol}${indentation}`);
}

/** The place behind the comma after a value, or behind the value where there is none. */
function afterComma(text: string, value: JsonNode): number {
  const offset = afterSpace(text, value.end);
  return text[offset] === ',' ? offset + 1 : value.end;
}

/** The place behind the last comment before `close`, white space that follows it aside. */
function endOfComments(text: string, start: number, close: number): number {
  let end = start;
  for (let offset = start; offset < close; ) {
    const comment = /^\s*(?:\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)/.exec(text.slice(offset, close));
    if (comment === null) break;
    offset += comment[0].length;
    end = offset;
  }
  return end;
}

function apply(text: string, changes: readonly Change[]): string {
  let result = '';
  let offset = 0;
  for (const change of changes) {
    result += text.slice(offset, change.start) + change.text;
    offset = change.end;
  }
  return result + text.slice(offset);
}
