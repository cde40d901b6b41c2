/** What parsing a text as JSON came to; `problem` says where it breaks and what should stand there. */
export type JsonReading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/**
 * Parses JSON that a person wrote. Engines tell the place of a mistake differently or not at all, so it is found here.
 * @example readJson('{ "a": }') // { ok: false, problem: 'line 1, column 8: a value should stand here' }
 */
export function readJson(source: string): JsonReading {
  const text = source.replace(/^\uFEFF/, '');
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    const { offset, wanted } = findMistake(text);
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    const place = offset >= text.length ? `it ends at line ${line}, column ${column}, where` : `line ${line}, column ${column}:`;
    return { ok: false, problem: `${place} ${wanted} should stand${offset >= text.length ? '' : ' here'}` };
  }
}

const WANTED = {
  value: 'a value',
  valueOrClose: 'a value or ]',
  name: 'a name in double quotes',
  nameOrClose: 'a name in double quotes or }',
  colon: 'a colon',
  commaOrClose: 'a comma or the closing bracket',
  end: 'nothing more',
} as const;

const SPACE = /[ \t\r\n]*/y;
const MARK = /[{}[\]:,]/y;
const TEXT = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const PLAIN = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

/** Walks the tokens of a text that is no JSON up to the first that can't stand where it does. */
function findMistake(text: string): { readonly offset: number; readonly wanted: string } {
  const open: ('{' | '[')[] = [];
  const afterValue = () => (open.length === 0 ? 'end' : 'commaOrClose');
  let state: keyof typeof WANTED = 'value';
  let offset = 0;
  for (;;) {
    offset += match(SPACE, text, offset)?.length ?? 0;
    const token = match(MARK, text, offset) ?? match(TEXT, text, offset) ?? match(PLAIN, text, offset);
    const next = token === undefined ? undefined : step(token);
    if (token === undefined || next === undefined) return { offset, wanted: WANTED[state] };
    state = next;
    offset += token.length;
  }

  /** The state after this token, or undefined where it can't stand. */
  function step(token: string): keyof typeof WANTED | undefined {
    const wantsValue = state === 'value' || state === 'valueOrClose';
    switch (token) {
      case '{':
      case '[':
        if (wantsValue) open.push(token);
        return wantsValue ? (token === '{' ? 'nameOrClose' : 'valueOrClose') : undefined;
      case '}':
      case ']': {
        const closable = state === 'commaOrClose' || state === (token === '}' ? 'nameOrClose' : 'valueOrClose');
        if (!closable || open.at(-1) !== (token === '}' ? '{' : '[')) return undefined;
        open.pop();
        return afterValue();
      }
      case ':':
        return state === 'colon' ? 'value' : undefined;
      case ',':
        if (state !== 'commaOrClose') return undefined;
        return open.at(-1) === '{' ? 'name' : 'value';
      default:
        if (wantsValue) return afterValue();
        return token.startsWith('"') && (state === 'name' || state === 'nameOrClose') ? 'colon' : undefined;
    }
  }
}

function match(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}
