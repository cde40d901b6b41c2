import { Buffer } from 'node:buffer';
import { invalidInput } from '../../../core/errors.js';
import { isWellFormed } from '../../../core/values.js';
import { MAX_TEXT_BYTES } from './columns.js';

/**
 * Cuts a text into `count` parts that each fit a VarChar column; joined again they are the text. The last ones may be empty.
 * @param what names the value for the error
 * @throws RagError INPUT_INVALID: longer than `count` columns hold, or not well-formed Unicode (a server would store another text)
 */
export function splitText(text: string, count: number, what: string): readonly string[] {
  if (!isWellFormed(text)) throw invalidInput(what, 'must be well-formed Unicode; it holds half a surrogate pair');
  const parts: string[] = [];
  let start = 0;
  while (parts.length < count) {
    const end = fittingEnd(text, start);
    parts.push(text.slice(start, end));
    start = end;
  }
  if (start === text.length) return parts;
  const bytes = Buffer.byteLength(text);
  throw invalidInput(what, `takes ${bytes} bytes as UTF-8; Milvus has room for ${count * MAX_TEXT_BYTES} at most`);
}

/** A text that must fit one column. */
export function oneText(text: string, what: string): string {
  const [part = ''] = splitText(text, 1, what);
  return part;
}

/** The end of the longest part from `start` on that fits a column and cuts no character. */
function fittingEnd(text: string, start: number): number {
  // A UTF-16 unit takes at most three bytes.
  if ((text.length - start) * 3 <= MAX_TEXT_BYTES) return text.length;
  let bytes = 0;
  for (let index = start; index < text.length; ) {
    const point = text.codePointAt(index) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > MAX_TEXT_BYTES) return index;
    index += point < 0x10000 ? 1 : 2;
  }
  return text.length;
}
