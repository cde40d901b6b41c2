import type { Loader } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { decodeText, emptyWarnings } from './decode.js';
import { extensionOf } from './names.js';

/** Of the text that a cell printed; the rest is left out, and says so. UTF-16 units. */
const OUTPUT_CHARS = 2_000;

/**
 * Jupyter notebooks as Markdown: prose cells as they stand, code cells as fenced code in the notebook's language, then what they printed,
 * cut to its first 2,000 characters. Pictures, HTML and traces of errors are left out.
 */
export function createNotebookLoader(): Loader {
  return {
    id: 'notebook@1',
    accepts: (uri) => extensionOf(uri) === 'ipynb',
    async load(source, { signal } = {}) {
      const { text: json, warnings } = await decodeText(source, { signal });
      const [empty] = emptyWarnings(json);
      if (empty !== undefined) return { text: '', format: 'markdown', metadata: {}, warnings: [empty] };
      const notebook = parse(source.uri, json);
      const language = textOf(at(at(notebook, 'metadata'), 'language_info', 'name')) || 'python';
      const text = cellsOf(source.uri, notebook)
        .map((cell) => render(cell, language))
        .filter((part) => part !== '')
        .join('\n\n');
      return { text, format: 'markdown', metadata: {}, warnings: [...warnings, ...emptyWarnings(text)] };
    },
  };
}

function parse(uri: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new RagError('INPUT_INVALID', `${uri} is not a notebook: it isn't valid JSON`, { cause });
  }
}

/** Of format 4; up to format 3 the cells stood in worksheets. */
function cellsOf(uri: string, notebook: unknown): readonly unknown[] {
  const sheets = at(notebook, 'worksheets');
  const cells = Array.isArray(sheets) ? sheets.flatMap((sheet) => at(sheet, 'cells')) : at(notebook, 'cells');
  if (!Array.isArray(cells)) throw new RagError('INPUT_INVALID', `${uri} is not a notebook: it has no list of cells`);
  return cells;
}

function render(cell: unknown, language: string): string {
  const source = (textOf(at(cell, 'source')) || textOf(at(cell, 'input'))).replace(/\r\n?/g, '\n').trim();
  const kind = at(cell, 'cell_type');
  if (kind === 'markdown' || kind === 'raw') return source;
  if (kind === 'heading') return source === '' ? '' : `${'#'.repeat(Number(at(cell, 'level')) || 1)} ${source}`;
  const outputs = at(cell, 'outputs');
  const printed = Array.isArray(outputs) ? outputs.map(printedBy).join('').trim() : '';
  return [fenced(source, language), fenced(cut(printed), 'text')].filter((part) => part !== '').join('\n\n');
}

/** What an output says in plain text: printed lines, the value of a cell, the last line of an error. */
function printedBy(output: unknown): string {
  const name = textOf(at(output, 'ename'));
  if (name !== '') return `${name}: ${textOf(at(output, 'evalue'))}\n`;
  const text = textOf(at(output, 'text')) || textOf(at(at(output, 'data'), 'text/plain'));
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function cut(printed: string): string {
  const text = printed.replace(/\r\n?/g, '\n');
  return text.length <= OUTPUT_CHARS
    ? text
    : `${text.slice(0, OUTPUT_CHARS)}\n… (${text.length - OUTPUT_CHARS} characters left out)`;
}

function fenced(code: string, language: string): string {
  if (code === '') return '';
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/** What stands under names, one in another; undefined where there is no such thing. */
function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? Reflect.get(inner, name) : undefined,
    value,
  );
}

/** A text, or the lines of one. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.filter((line) => typeof line === 'string').join('');
  return typeof value === 'string' ? value : '';
}
