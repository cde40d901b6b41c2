import type { Host, Screen } from './host.js';

/** Text for people, as plain as the reader's screen asks. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /**
   * A document's or model's text on its way to a terminal: control characters in it could move the cursor, retitle the window
   * or fake output, so they are shown as `·`. A pipe gets the text as it is.
   */
  readonly foreign: (text: string) => string;
}

export function createStyle(host: Pick<Host, 'env'>, screen: Screen): Style {
  const { isTerminal } = screen;
  // https://no-color.org: any value but the empty one.
  const colours = isTerminal && (host.env.NO_COLOR ?? '') === '' && host.env.TERM !== 'dumb';
  const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: paint(1), dim: paint(2), foreign: (text) => (isTerminal ? text.replace(/(?![\n\t])\p{Cc}/gu, '·') : text) };
}

/** Columns that a text takes in a terminal: two for East Asian wide characters and emoji, none for combining marks. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : NARROWEST.test(character) ? 0 : 1;
  return columns;
}

/** At most so many columns; what doesn't fit ends in `…`. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Breaks a text, its white space run together, into lines of so many columns; the last of `most` lines ends in `…` when there is more. */
export function wrap(text: string, columns: number, most: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  const words = text.split(/\s+/).filter((word) => word !== '');
  for (const [index, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns) {
      line = longer;
      continue;
    }
    if (lines.length === most - 1) return [...lines, cut([line, ...words.slice(index)].join(' ').trim(), columns)];
    if (line !== '') lines.push(line);
    line = word;
    while (columnsOf(line) > columns) {
      const head = headOf(line, columns);
      if (lines.length === most - 1) return [...lines, cut([line, ...words.slice(index + 1)].join(' '), columns)];
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Rows in columns as wide as their widest cell; the last column is cut at the screen's edge. Numbers (`right`) stand at the right. */
export function table(rows: readonly (readonly string[])[], columns: number, right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => columnsOf(row[index] ?? ''))));
  const lines = rows.map((row) =>
    row
      .map((cell, index) => pad(cell, widths[index] ?? 0, right.includes(index)))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${cut(line, columns)}\n`).join('');
}

const WIDE =
  /[\u1100-\u115f\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Emoji_Presentation}/u;
const NARROWEST = /\p{M}|\p{Cf}/u;

function headOf(text: string, columns: number): string {
  let head = '';
  for (const character of text) {
    if (head !== '' && columnsOf(head + character) > columns) break;
    head += character;
  }
  return head;
}

function pad(cell: string, width: number, atRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - columnsOf(cell)));
  return atRight ? space + cell : cell + space;
}
