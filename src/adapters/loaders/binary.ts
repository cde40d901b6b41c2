import { RagError } from '../../core/errors.js';

/** First bytes of the formats that are met most often under a text's name. */
const SIGNATURES: readonly (readonly [kind: string, bytes: readonly number[]])[] = [
  ['a PNG image', [0x89, 0x50, 0x4e, 0x47]],
  ['a JPEG image', [0xff, 0xd8, 0xff]],
  ['a GIF image', [0x47, 0x49, 0x46, 0x38, 0x37, 0x61]],
  ['a GIF image', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
  ['a PDF document', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['a ZIP archive or an office document', [0x50, 0x4b, 0x03, 0x04]],
  ['a gzip archive', [0x1f, 0x8b, 0x08]],
  ['an older or an encrypted office document', [0xd0, 0xcf, 0x11, 0xe0]],
  ['an ELF program', [0x7f, 0x45, 0x4c, 0x46]],
  ['a WebAssembly module', [0x00, 0x61, 0x73, 0x6d]],
];

/** How far a NUL byte is looked for: all of a usual file, and enough of a large one. */
const NUL_SEARCH_BYTES = 1 << 20;

/** What the first bytes say of a file that isn't text, in words; undefined when they say nothing. */
export function signatureOf(bytes: Uint8Array): string | undefined {
  return SIGNATURES.find(([, signature]) => signature.every((byte, index) => bytes[index] === byte))?.[0];
}

/** Whether bytes hold a NUL: binary data, or text in UTF-16. */
export function holdsNul(bytes: Uint8Array): boolean {
  return bytes.subarray(0, NUL_SEARCH_BYTES).includes(0);
}

/** What a file seems to be that isn't what its name says: for messages. */
export function kindOf(bytes: Uint8Array): string {
  const kind = signatureOf(bytes);
  if (kind !== undefined) return kind;
  if (bytes.length === 0) return 'an empty file';
  if (holdsNul(bytes)) return 'binary data';
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1').trimStart().toLowerCase();
  return head.startsWith('<!doctype html') || head.startsWith('<html') ? 'HTML' : 'text';
}

/** The error of a source that can't be text. */
export function notText(uri: string, kind: string): RagError {
  return new RagError('INPUT_INVALID', `${uri} is not text: it looks like ${kind}`);
}
