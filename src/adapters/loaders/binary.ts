/** First bytes of the formats that are met most often under a text's name. */
const SIGNATURES: readonly (readonly [kind: string, bytes: readonly number[]])[] = [
  ['a PNG image', [0x89, 0x50, 0x4e, 0x47]],
  ['a JPEG image', [0xff, 0xd8, 0xff]],
  ['a GIF image', [0x47, 0x49, 0x46, 0x38, 0x37, 0x61]],
  ['a GIF image', [0x47, 0x49, 0x46, 0x38, 0x39, 0x61]],
  ['a PDF document', [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ['a ZIP archive or an office document', [0x50, 0x4b, 0x03, 0x04]],
  ['a gzip archive', [0x1f, 0x8b, 0x08]],
  ['an older office document', [0xd0, 0xcf, 0x11, 0xe0]],
  ['an ELF program', [0x7f, 0x45, 0x4c, 0x46]],
  ['a WebAssembly module', [0x00, 0x61, 0x73, 0x6d]],
  ['UTF-16 text', [0xff, 0xfe]],
  ['UTF-16 text', [0xfe, 0xff]],
];

/** How far a NUL byte is looked for: all of a usual file, and enough of a large one. */
const NUL_SEARCH_BYTES = 1 << 20;

/** What bytes seem to be when they aren't text, in words; undefined when nothing speaks against text. */
export function binaryKind(bytes: Uint8Array): string | undefined {
  for (const [kind, signature] of SIGNATURES) {
    if (signature.every((byte, index) => bytes[index] === byte)) return kind;
  }
  return bytes.subarray(0, NUL_SEARCH_BYTES).includes(0) ? 'binary data (it holds NUL bytes)' : undefined;
}
