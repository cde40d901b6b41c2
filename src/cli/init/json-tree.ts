/** A value of a JSON text with the place where it stands: `text.slice(start, end)` is the value as it was written. */
export type JsonNode =
  | { readonly kind: 'object'; readonly start: number; readonly end: number; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly start: number; readonly end: number; readonly items: readonly JsonNode[] }
  | { readonly kind: 'plain'; readonly start: number; readonly end: number; readonly value: string | number | boolean | null };

export interface JsonMember {
  readonly name: string;
  readonly value: JsonNode;
}
export type JsonObject = Extract<JsonNode, { readonly kind: 'object' }>;

/** `problem` says in which line and column the text breaks, and what should stand there. */
export type TreeReading = { readonly ok: true; readonly root: JsonNode } | { readonly ok: false; readonly problem: string };

/** Deeper than any configuration; the reader calls itself for each level. */
const DEEPEST = 200;

const SPACE = /(?:[ \t\r\n]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)*/y;
const TEXT = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const PLAIN = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

/**
 * Reads JSON as editors keep their settings: with comments, and commas after the last member.
 * @example readTree('{ "a": 1, // one\n }')
 */
export function readTree(text: string): TreeReading {
  try {
    const start = afterSpace(text, text.startsWith('\uFEFF') ? 1 : 0);
    const root = readValue(text, start, 0);
    const end = afterSpace(text, root.end);
    if (end < text.length) throw new Mistake(end, 'nothing more');
    return { ok: true, root };
  } catch (error) {
    if (error instanceof Mistake) return { ok: false, problem: describe(text, error) };
    throw error;
  }
}

/** The value that a node stands for; of members with one name the last counts, as for `JSON.parse`. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'plain':
      return node.value;
    case 'array':
      return node.items.map(plainValue);
    case 'object':
      return Object.fromEntries(node.members.map(({ name, value }) => [name, plainValue(value)]));
  }
}

/** The member that counts under a name. */
export function memberOf(node: JsonObject, name: string): JsonNode | undefined {
  return node.members.findLast((member) => member.name === name)?.value;
}

/** The place behind white space and comments. */
export function afterSpace(text: string, offset: number): number {
  return offset + (match(SPACE, text, offset) ?? '').length;
}

class Mistake extends Error {
  readonly offset: number;
  readonly wanted: string;

  constructor(offset: number, wanted: string) {
    super(wanted);
    this.offset = offset;
    this.wanted = wanted;
  }
}

function readValue(text: string, start: number, depth: number): JsonNode {
  if (depth > DEEPEST) throw new Mistake(start, `nothing nested deeper than ${DEEPEST} levels`);
  if (text[start] === '{') return readObject(text, start, depth);
  if (text[start] === '[') return readArray(text, start, depth);
  const token = match(TEXT, text, start) ?? match(PLAIN, text, start);
  if (token === undefined) throw new Mistake(start, 'a value');
  // What the patterns take is JSON, of a text, a number, a boolean or null.
  return { kind: 'plain', start, end: start + token.length, value: JSON.parse(token) as string | number | boolean | null };
}

function readObject(text: string, start: number, depth: number): JsonNode {
  const members: JsonMember[] = [];
  for (let offset = afterSpace(text, start + 1); ; ) {
    if (text[offset] === '}') return { kind: 'object', start, end: offset + 1, members };
    const name = match(TEXT, text, offset);
    if (name === undefined) throw new Mistake(offset, 'a name in double quotes or }');
    offset = afterSpace(text, offset + name.length);
    if (text[offset] !== ':') throw new Mistake(offset, 'a colon');
    const value = readValue(text, afterSpace(text, offset + 1), depth + 1);
    members.push({ name: JSON.parse(name) as string, value }); // the pattern takes texts only
    offset = afterComma(text, value.end, '}');
  }
}

function readArray(text: string, start: number, depth: number): JsonNode {
  const items: JsonNode[] = [];
  for (let offset = afterSpace(text, start + 1); ; ) {
    if (text[offset] === ']') return { kind: 'array', start, end: offset + 1, items };
    const item = readValue(text, offset, depth + 1);
    items.push(item);
    offset = afterComma(text, item.end, ']');
  }
}

/** The place of the next member, or of the closing bracket. */
function afterComma(text: string, end: number, close: string): number {
  const offset = afterSpace(text, end);
  if (text[offset] === ',') return afterSpace(text, offset + 1);
  if (text[offset] !== close) throw new Mistake(offset, `a comma or ${close}`);
  return offset;
}

function describe(text: string, { offset, wanted }: Mistake): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  const atEnd = offset >= text.length;
  return `${atEnd ? 'it ends at ' : ''}line ${line}, column ${column}${atEnd ? ', where' : ':'} ${wanted} should stand${atEnd ? '' : ' here'}`;
}

function match(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
