import type { Loader, Source } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { decodeText, emptyWarnings } from './decode.js';
import { extensionOf } from './names.js';
import { RECORD_SEPARATOR, renderValue } from './records.js';

/** Given to the parser at once: some milliseconds of work. */
const SLICE_BYTES = 1 << 15;

/**
 * Tables with a header row, `,` `;` or tab between the cells. Each row becomes a record of `column: value` lines; empty cells are left
 * out. Rows with more or fewer cells than the header are taken, with a warning.
 */
export function createCsvLoader(): Loader {
  return {
    id: 'csv@1',
    accepts: (uri) => ['csv', 'tsv', 'tab'].includes(extensionOf(uri)),
    async load(source, { signal } = {}) {
      const plain = await decodeText(source, signal); // for its checks, and to find the delimiter
      const [empty] = emptyWarnings(plain);
      if (empty !== undefined) return { text: '', format: 'csv', metadata: {}, warnings: [empty] };
      const table = { header: undefined as readonly string[] | undefined, records: [] as string[], uneven: 0 };
      for await (const row of rowsOf(source, delimiterOf(source.uri, plain), signal)) {
        if (table.header === undefined) {
          table.header = row.map((name, index) => name.trim() || `column ${index + 1}`);
          continue;
        }
        if (row.length !== table.header.length) table.uneven++;
        const record = renderRow(table.header, row);
        if (record !== '') table.records.push(record);
      }
      return { text: table.records.join(RECORD_SEPARATOR), format: 'csv', metadata: {}, warnings: warningsOf(table) };
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
async function* rowsOf(
  { uri, bytes }: Source,
  delimiter: string,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly string[]> {
  const { parse } = await import('csv-parse');
  const parser = parse({ delimiter, bom: true, relax_column_count: true, skip_empty_lines: true });
  parser.on('error', () => {}); // thrown by the loop at the end
  for (let start = 0; start < bytes.length && parser.errored === null; start += SLICE_BYTES) {
    parser.write(bytes.subarray(start, start + SLICE_BYTES));
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

/** Tab by the file's name, else whichever of `,` `;` and tab the header row has most of. */
function delimiterOf(uri: string, text: string): string {
  if (extensionOf(uri) !== 'csv') return '\t';
  const header = text.slice(0, 65_536).trimStart().split('\n', 1)[0] ?? '';
  const unquoted = header.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: unquoted.split(delimiter).length }));
  return counts.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).delimiter;
}
