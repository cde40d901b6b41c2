import type { CallOptions, LoadedDocument, Loader, Source } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { decodeText, emptyWarnings } from './decode.js';
import { renderJson } from './json-text.js';
import { extensionOf } from './names.js';

/** Indentation makes text longer than the JSON it stands for; past this, UTF-16 units, the document is refused. */
const MAX_CHARS = 200_000_000;

/** JSON as readable lines; the elements of a list at the top are records. */
export function createJsonLoader(): Loader {
  return createLoader('json', ['json', 'geojson', 'webmanifest'], (uri, text) => renderJson(text, failure(uri, text, 1)));
}

/** JSON lines: every line a record. */
export function createJsonLinesLoader(): Loader {
  return createLoader('jsonl', ['jsonl', 'ndjson'], renderLines);
}

function createLoader(
  format: string,
  extensions: readonly string[],
  render: (uri: string, text: string) => Iterable<string>,
): Loader {
  return {
    id: `${format}@1`,
    accepts: (uri) => extensions.includes(extensionOf(uri)),
    load: (source, options) => load(source, format, render, options),
  };
}

async function load(
  source: Source,
  format: string,
  render: (uri: string, text: string) => Iterable<string>,
  { signal }: CallOptions = {},
): Promise<LoadedDocument> {
  const { text, warnings } = await decodeText(source, { signal });
  const empty = emptyWarnings(text);
  if (empty.length > 0) return { text: '', format, metadata: {}, warnings: empty };
  const lines: string[] = [];
  let length = 0;
  for (const line of render(source.uri, text)) {
    lines.push(line);
    length += line.length + 1;
    if (length > MAX_CHARS)
      throw new RagError('INPUT_INVALID', `${source.uri} unfolds to more than ${MAX_CHARS} characters of text`);
    if (turnIsOver()) await nextTurn(signal);
  }
  const rendered = lines.join('\n');
  return { text: rendered, format, metadata: {}, warnings: [...warnings, ...emptyWarnings(rendered)] };
}

function* renderLines(uri: string, text: string): Iterable<string> {
  let separator = false;
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    number++;
    start = end + 1;
    if (line.trim() === '') continue;
    if (separator) yield '';
    separator = true;
    yield* renderJson(line, failure(uri, line, number));
  }
}

function failure(uri: string, text: string, firstLine: number): (problem: string, offset: number) => never {
  return (problem, offset) => {
    const before = text.slice(0, offset).split('\n');
    const place = `line ${firstLine + before.length - 1}, column ${(before.at(-1) ?? '').length + 1}`;
    throw new RagError('INPUT_INVALID', `${uri} is not valid JSON at ${place}: ${problem}`);
  };
}
