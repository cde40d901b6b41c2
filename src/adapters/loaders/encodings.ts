// Loaded for texts that aren't plain UTF-8 only, and so may import its packages at the top.
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import type { Source } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { holdsNul, notText } from './binary.js';
import type { Decoded } from './decode.js';
import { brokenUtf8At, guessEncodings } from './encoding-guess.js';

/** What is looked at to judge a reading. UTF-16 units. */
const SAMPLE_CHARS = 65_536;
/** The share of characters that a reading may leave unread, such as one cut in two at the end of the file. */
const UNREAD_SHARE = 0.001;
/** Above this share of control and private characters it is no text. */
const STRANGE_SHARE = 0.005;

/**
 * The text of bytes that aren't UTF-8, line ends and byte order mark as they are.
 * @throws RagError INPUT_INVALID
 */
export function decodeOther({ uri, bytes }: Source, declared: string | undefined): Decoded {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return readMarked(uri, bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return readMarked(uri, bytes, 'utf-16be');
  if (holdsNul(bytes)) return readUnmarked(uri, bytes);
  if (isUtf8(bytes)) return readEscaped(bytes);
  if (declared !== undefined && iconv.encodingExists(declared)) {
    const text = read(bytes, declared);
    if (text !== undefined) return text;
  }
  const broken = brokenUtf8At(bytes);
  if (broken !== undefined) {
    throw new RagError(
      'INPUT_INVALID',
      `${uri} is UTF-8, but byte ${broken} can't be read: it is damaged, or mixes encodings. Save it as UTF-8.`,
    );
  }
  for (const encoding of guessEncodings(bytes)) {
    const reading = read(bytes, encoding);
    if (reading !== undefined) {
      return { ...reading, warnings: [guessed(encoding), ...reading.warnings] };
    }
  }
  throw new RagError(
    'INPUT_INVALID',
    `${uri} is not text: it makes sense in no known encoding. If it is text, save it as UTF-8.`,
  );
}

function readMarked(uri: string, bytes: Uint8Array, encoding: Utf16): Decoded {
  const text = strictly(bytes, encoding);
  if (text === undefined)
    throw new RagError('INPUT_INVALID', `${uri} has the mark of UTF-16, but can't be read as that: it is damaged`);
  return { text, warnings: [] };
}

/** UTF-16 without a mark: in one order of bytes it is text, with more ASCII in it than in the other. */
function readUnmarked(uri: string, bytes: Uint8Array): Decoded {
  const readings = (['utf-16le', 'utf-16be'] as const).flatMap((encoding) => {
    const text = strictly(bytes, encoding);
    return text === undefined || strangeShare(text) > STRANGE_SHARE ? [] : [{ encoding, text, ascii: asciiIn(text) }];
  });
  const [best] = readings.sort((left, right) => right.ascii - left.ascii);
  if (best === undefined || best.ascii === 0) throw notText(uri, 'binary data (it holds NUL bytes)');
  const warning = `has no byte order mark: it was read as ${best.encoding.toUpperCase()}, which is a guess`;
  return { text: best.text, warnings: [warning] };
}

/** ISO-2022-JP, which is all ASCII with escapes for its double bytes; else the escapes are a terminal's. */
function readEscaped(bytes: Uint8Array): Decoded {
  const text = strictly(bytes, 'iso-2022-jp');
  if (text === undefined || text.includes('\x1b')) return { text: new TextDecoder().decode(bytes), warnings: [] };
  return { text, warnings: [guessed('ISO-2022-JP')] };
}

type Utf16 = 'utf-16le' | 'utf-16be';

/** undefined when any byte doesn't fit. */
function strictly(bytes: Uint8Array, encoding: Utf16 | 'iso-2022-jp'): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function asciiIn(text: string): number {
  return text.slice(0, SAMPLE_CHARS).match(/[\t\n\r -~]/g)?.length ?? 0;
}

function guessed(encoding: string): string {
  return `is not UTF-8: it was read as ${encoding}, which is a guess`;
}

/** Bytes in an encoding, or undefined when they make no sense in it. */
function read(bytes: Uint8Array, encoding: string): Decoded | undefined {
  const text = iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), encoding);
  const unread = text.split('\uFFFD').length - 1;
  if (unread > text.length * UNREAD_SHARE || strangeShare(text.slice(0, SAMPLE_CHARS)) > STRANGE_SHARE) return undefined;
  return { text, warnings: unread === 0 ? [] : [`characters that can't be read in ${encoding}: ${unread}`] };
}

/** The share of control characters and of characters for private use, which text has hardly any of. */
function strangeShare(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const strange = text.match(/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\uE000-\uF8FF\uFFFE\uFFFF]/g)?.length ?? 0;
  return text.length === 0 ? 0 : strange / text.length;
}
