/** A piece of JSON. `value` is a string's content, or a number, `true`, `false` or `null` as written; punctuation stands for itself. */
export interface JsonToken {
  readonly kind: '{' | '}' | '[' | ']' | ',' | ':' | 'string' | 'literal' | 'end';
  readonly value: string;
  readonly offset: number;
}

/** Stops the reading: throws. */
export type JsonFailure = (problem: string, offset: number) => never;

const PUNCTUATION = new Set(['{', '}', '[', ']', ',', ':'] as const);
const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/** The tokens of a text, one at a call, `end` last; strict as JSON is. */
export function createJsonTokens(text: string, fail: JsonFailure): () => JsonToken {
  let position = 0;

  return () => {
    const offset = skipSpace();
    const first = text[offset];
    if (first === undefined) return { kind: 'end', value: '', offset };
    if (isPunctuation(first)) {
      position = offset + 1;
      return { kind: first, value: first, offset };
    }
    if (first === '"') {
      position = stringEnd(offset);
      return { kind: 'string', value: unquote(offset), offset };
    }
    LITERAL.lastIndex = offset;
    const [literal] = LITERAL.exec(text) ?? fail('not a value', offset);
    position = offset + literal.length;
    return { kind: 'literal', value: literal, offset };
  };

  function skipSpace(): number {
    let offset = position;
    for (let code = text.charCodeAt(offset); code === 32 || (code >= 9 && code <= 13 && code !== 11 && code !== 12); ) {
      code = text.charCodeAt(++offset);
    }
    return offset;
  }

  /** Past the closing quote: the first one that has an even number of backslashes before it. */
  function stringEnd(offset: number): number {
    for (let quote = text.indexOf('"', offset + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
      let backslashes = 0;
      while (text[quote - 1 - backslashes] === '\\') backslashes++;
      if (backslashes % 2 === 0) return quote + 1;
    }
    return fail('a string that never ends', offset);
  }

  function unquote(offset: number): string {
    try {
      return JSON.parse(text.slice(offset, position)) as string; // it is in quotes: nothing else can come of it
    } catch {
      return fail('a string with a bad escape or a control character', offset);
    }
  }
}

function isPunctuation(character: string): character is '{' | '}' | '[' | ']' | ',' | ':' {
  return (PUNCTUATION as ReadonlySet<string>).has(character);
}
