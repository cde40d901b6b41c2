import type { Source } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { binaryKind } from './binary.js';

/** Decoded between two looks at the clock: about a millisecond. */
const SLICE_BYTES = 1 << 18;

/**
 * The text of a source: strict UTF-8, without a byte order mark, line ends as LF.
 * @throws RagError INPUT_INVALID naming what the source seems to be, or the offset of the first byte that isn't UTF-8
 */
export async function decodeText({ uri, bytes }: Source, signal?: AbortSignal): Promise<string> {
  const kind = binaryKind(bytes);
  if (kind !== undefined) throw new RagError('INPUT_INVALID', `${uri} is not text: it looks like ${kind}`);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = characterEnd(bytes, start + SLICE_BYTES);
    const slice = bytes.subarray(start, end);
    try {
      parts.push(withLineFeeds(decoder.decode(slice)));
    } catch (cause) {
      const offset = start + firstInvalid(slice);
      throw new RagError('INPUT_INVALID', `${uri} is not valid UTF-8: byte ${offset} can't be read. Save it as UTF-8.`, {
        cause,
      });
    }
    start = end;
    if (turnIsOver()) await nextTurn(signal);
  }
  const text = parts.join('');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** The warning of a text that has nothing in it. */
export function emptyWarnings(text: string): readonly string[] {
  return /\S/.test(text) ? [] : ['is empty: nothing to search in it'];
}

function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** The nearest place at or before `end` where neither a character nor a CR LF is parted. */
function characterEnd(bytes: Uint8Array, end: number): number {
  if (end >= bytes.length) return bytes.length;
  let boundary = end;
  // A character has at most three continuation bytes; a longer run is broken anyway, and found so by the decoder.
  while (boundary > end - 4 && ((bytes[boundary] ?? 0) & 0xc0) === 0x80) boundary--;
  return bytes[boundary - 1] === 0x0d ? boundary - 1 : boundary;
}

/** The offset of the first byte that a lenient decoder replaces (and that wasn't the replacement character itself: EF BF BD). */
function firstInvalid(bytes: Uint8Array): number {
  let offset = 0;
  for (const part of new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\uFFFD')) {
    offset += Buffer.byteLength(part);
    if (!(bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd)) return offset;
    offset += 3;
  }
  return offset;
}
