import type { Loader } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { decodeText, emptyWarnings } from './decode.js';
import { extensionOf } from './names.js';
import { RECORD_SEPARATOR, renderValue } from './records.js';

/** Given to the parser at once: some milliseconds of work. UTF-16 units. */
const SLICE_CHARS = 1 << 15;

/**
 * Tables with a header row, `,` `;` or tab between the cells. Each row becomes a record of `column: value` lines; empty cells are left
 * out. Rows with more or fewer cells than the header are taken, with a warning.
 */
export function createCsvLoader(): Loader {
  return {
    id: 'csv@1',
    accepts: (uri) => ['csv', 'tsv', 'tab'].includes(extensionOf(uri)),
    async load(source, { signal } = {}) {
      const { text, warnings } = await decodeText(source, { signal });
      const [empty] = emptyWarnings(text);
      if (empty !== undefined) return { text: '', format: 'csv', metadata: {}, warnings: [empty] };
      const table = { header: undefined as readonly string[] | undefined, records: [] as string[], uneven: 0 };
      for await (const row of rowsOf(source.uri, text, signal)) {
        if (table.header === undefined) {
          table.header = row.map((name, index) => name.trim() || `column ${index + 1}`);
          continue;
        }
        if (row.length !== table.header.length) table.uneven++;
        const record = renderRow(table.header, row);
        if (record !== '') table.records.push(record);
      }
      return {
        text: table.records.join(RECORD_SEPARATOR),
        format: 'csv',
        metadata: {},
        warnings: [...warnings, ...warningsOf(table)],
      };
    },
  };
}

function renderRow(header: readonly string[], row: readonly string[]): string {
  const lines: string[] = [];
  for (const [index, cell] of row.entries()) {
    const value = cell.trim();
    if (value !== '') lines.push(`${header[index] ?? `column ${index + 1}`}: ${renderValue(value)}`);
  }
  return lines.join('\n');
}

function warningsOf({ records, uneven }: { readonly records: readonly string[]; readonly uneven: number }): readonly string[] {
  if (records.length === 0) return ['the table has a header and no rows'];
  return uneven === 0 ? [] : [`rows with more or fewer cells than the header: ${uneven}`];
}

/** Fed slice by slice and read at once: piping, or `for await` over the whole, lets neither timers nor sockets in between. */
async function* rowsOf(uri: string, text: string, signal: AbortSignal | undefined): AsyncIterable<readonly string[]> {
  const { parse } = await import('csv-parse');
  const parser = parse({ delimiter: delimiterOf(uri, text), relax_column_count: true, skip_empty_lines: true });
  parser.on('error', () => {}); // thrown by the loop at the end
  for (let start = 0; start < text.length && parser.errored === null; ) {
    const end = partsPair(text, start + SLICE_CHARS) ? start + SLICE_CHARS - 1 : start + SLICE_CHARS;
    parser.write(text.slice(start, end));
    start = end;
    // Without the option `columns` every record is a list of its cells.
    for (let row = parser.read() as string[] | null; row !== null; row = parser.read() as string[] | null) yield row;
    if (turnIsOver()) await nextTurn(signal);
  }
  parser.end();
  try {
    yield* parser as AsyncIterable<string[]>; // likewise
  } catch (cause) {
    throw new RagError('INPUT_INVALID', `${uri} is not a valid table: ${messageOf(cause)}`, { cause });
  }
}

/** Whether a cut would part the halves of a character beyond U+FFFF: the parser makes bytes of each slice. */
function partsPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at - 1);
  return at < text.length && code >= 0xd800 && code < 0xdc00;
}

/** Tab by the file's name, else whichever of `,` `;` and tab the header row has most of. */
function delimiterOf(uri: string, text: string): string {
  if (extensionOf(uri) !== 'csv') return '\t';
  const header = text.slice(0, 65_536).trimStart().split('\n', 1)[0] ?? '';
  const unquoted = header.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: unquoted.split(delimiter).length }));
  return counts.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).delimiter;
}
