// Loaded for texts that aren't UTF-8 only, and so may import its packages at the top.
import { analyse } from 'chardet';
import iconv from 'iconv-lite';

/** What a guess looks at: chardet takes time in proportion. */
const SAMPLE_BYTES = 65_536;
/** Below this, chardet counts too few character pairs to tell anything; a short sample is repeated up to it. */
const REPEATED_BYTES = 2_048;
const DOUBLE_BYTE = new Set(['GB18030', 'Big5', 'Shift_JIS', 'EUC-JP', 'EUC-KR']);
/** Of what pages and files call Latin-1, the superset that they mean. */
const SUPERSETS: Readonly<Record<string, string>> = { 'ISO-8859-1': 'windows-1252', 'ISO-8859-9': 'windows-1254' };

/** Encodings to try, the likeliest first. chardet's order, without what it takes by mistake. */
export function guessEncodings(bytes: Uint8Array): readonly string[] {
  const sample = sampleOf(bytes);
  const lone = loneShare(sample);
  const names = analyse(sample)
    .filter(
      ({ name, confidence }) => confidence > 0 && !name.startsWith('UTF-') && name !== 'ASCII' && iconv.encodingExists(name),
    )
    // Letters with accents among ASCII ones pass for double bytes with whatever follows them.
    .filter(({ name }) => !(DOUBLE_BYTE.has(name) && lone > 0.5))
    .filter(({ name }) => name !== 'Shift_JIS' || !mostlyHalfWidth(iconv.decode(sample, name)))
    .map(({ name }) => SUPERSETS[name] ?? name);
  return lone > 0.5 ? [...names, 'windows-1252'] : names;
}

/**
 * The first byte that isn't UTF-8 in a text that mostly is: one that has more well-formed characters of several bytes than broken
 * ones. In other encodings such characters come about by chance only.
 */
export function brokenUtf8At(bytes: Uint8Array): number | undefined {
  let good = 0;
  let bad = 0;
  let first: number | undefined;
  for (let offset = 0; offset < bytes.length; ) {
    const length = characterLength(bytes, offset);
    if (length > 1) good++;
    if (length === 0) {
      bad++;
      first ??= offset;
    }
    offset += Math.max(1, length);
  }
  return good > bad ? first : undefined;
}

/** Bytes of the UTF-8 character at an offset; 0 where there is none. */
function characterLength(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (let index = 1; index < length; index++) {
    if (((bytes[offset + index] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** The bytes from the line on where the first one above ASCII stands. */
function sampleOf(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte >= 0x80);
  const start = first <= 0 ? 0 : bytes.lastIndexOf(0x0a, first) + 1;
  const from = Math.max(start, first - 1024);
  const sample = Buffer.from(bytes.subarray(from, from + SAMPLE_BYTES));
  if (sample.length >= REPEATED_BYTES) return sample;
  const line = Buffer.concat([sample, Buffer.from('\n')]);
  return Buffer.concat(Array.from({ length: Math.ceil(REPEATED_BYTES / line.length) }, () => line));
}

/** Of the bytes above ASCII, the share that has none beside it. */
function loneShare(bytes: Uint8Array): number {
  let high = 0;
  let lone = 0;
  for (const [index, byte] of bytes.entries()) {
    if (byte < 0x80) continue;
    high++;
    if ((bytes[index - 1] ?? 0) < 0x80 && (bytes[index + 1] ?? 0) < 0x80) lone++;
  }
  return high === 0 ? 0 : lone / high;
}

/** Half-width kana, one byte each, are what the double bytes of GB18030 and the EUCs come out as in Shift_JIS. */
function mostlyHalfWidth(text: string): boolean {
  const other = text.replace(/\p{ASCII}/gu, '');
  return 2 * (other.match(/[\uFF61-\uFF9F]/g)?.length ?? 0) > other.length;
}
