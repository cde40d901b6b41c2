/** How the records of tables and JSON are written: `name: value` lines; a blank line between records and nowhere else. */

/** Between records. Chunkers of these formats cut here. */
export const RECORD_SEPARATOR = '\n\n';

/** A value that may have several lines: those after the first are indented, blank ones too, so that none looks like the end of the record. */
export function renderValue(value: string, indent = ''): string {
  return value.includes('\n') || value.includes('\r') ? value.replace(/\r\n?|\n/g, `\n${indent}  `) : value;
}
