import { isUtf8 } from 'node:buffer';
import type { CallOptions, Source } from '../../core/contracts.js';
import { nextTurn, turnIsOver } from '../../core/turns.js';
import { holdsNul, notText, signatureOf } from './binary.js';

/** Decoded between two looks at the clock: about a millisecond. */
const SLICE_BYTES = 1 << 18;

/** A text without byte order mark, line ends as LF, and what to know of how it was read. */
export interface Decoded {
  readonly text: string;
  readonly warnings: readonly string[];
}

export interface DecodeOptions extends CallOptions {
  /** The encoding that the document itself names, such as the charset of an HTML page. */
  readonly declared?: string | undefined;
}

/**
 * The text of a source. In this order: what a byte order mark says; UTF-16 by where its NULs stand; strict UTF-8; the encoding that
 * the document names; a guess from its bytes, with a warning that tells it.
 * @throws RagError INPUT_INVALID naming what the source seems to be, or the first byte of a UTF-8 text that can't be read
 */
export async function decodeText(source: Source, { signal, declared }: DecodeOptions = {}): Promise<Decoded> {
  const { uri, bytes } = source;
  const signature = signatureOf(bytes);
  if (signature !== undefined) throw notText(uri, signature);
  if (hasUtf16Mark(bytes) || holdsNul(bytes) || holdsEscapes(bytes) || !isUtf8(bytes)) {
    const { decodeOther } = await import('./encodings.js');
    const { text, warnings } = decodeOther(source, declared);
    return { text: withLineFeeds(withoutMark(text)), warnings };
  }
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = characterEnd(bytes, start + SLICE_BYTES);
    parts.push(withLineFeeds(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')));
    start = end;
    if (turnIsOver()) await nextTurn(signal);
  }
  return { text: withoutMark(parts.join('')), warnings: [] };
}

/** The warning of a text that has nothing in it. */
export function emptyWarnings(text: string): readonly string[] {
  return /\S/.test(text) ? [] : ['is empty: nothing to search in it'];
}

function hasUtf16Mark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** ISO-2022-JP is ASCII with escapes, so it passes for UTF-8: `ESC $` opens its double bytes. */
function holdsEscapes(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('\x1b$', 0, 'latin1');
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** The nearest place at or before `end` where neither a character nor a CR LF is parted. */
function characterEnd(bytes: Uint8Array, end: number): number {
  if (end >= bytes.length) return bytes.length;
  let boundary = end;
  while (((bytes[boundary] ?? 0) & 0xc0) === 0x80) boundary--; // it is UTF-8: at most three times
  return bytes[boundary - 1] === 0x0d ? boundary - 1 : boundary;
}
