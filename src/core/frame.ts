/** How a value lies in a tier outside the process: what is read there may be of another release, cut short, or somebody else's. */

/** Raised when the layout below changes; other layouts are not read. */
const VERSION = 1;
/** 'h', 'r', version, 0: what every frame begins with. */
const HEAD = [0x68, 0x72, VERSION, 0] as const;
/** Head, then what computing had cost as a little-endian float64. The payload follows, and a checksum of 4 bytes. */
const COST_AT = HEAD.length;
const PAYLOAD_AT = COST_AT + 8;

/** A value's bytes with what computing it had cost. */
export interface Framed {
  readonly payload: Uint8Array;
  readonly costMs: number;
}

/** Bytes that a frame adds to its payload. */
export const FRAME_BYTES = PAYLOAD_AT + 4;

/** Of any bytes, 32 bits: CRC-32 or as good. */
export type Checksum = (bytes: Uint8Array) => number;

/** The checksum covers the key too: a value that comes back under another key is none. */
export function frame(key: string, { payload, costMs }: Framed, checksum: Checksum): Uint8Array {
  const framed = new Uint8Array(payload.length + FRAME_BYTES);
  const view = new DataView(framed.buffer);
  framed.set(HEAD);
  view.setFloat64(COST_AT, costMs, true);
  framed.set(payload, PAYLOAD_AT);
  view.setUint32(framed.length - 4, sumOf(key, framed, checksum), true);
  return framed;
}

/** undefined: not a frame of this version, damaged, or not of this key. The payload is a view of `bytes`. */
export function unframe(key: string, bytes: Uint8Array, checksum: Checksum): Framed | undefined {
  if (bytes.length < FRAME_BYTES || HEAD.some((byte, index) => bytes[index] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(bytes.length - 4, true) !== sumOf(key, bytes, checksum)) return undefined;
  return { payload: bytes.subarray(PAYLOAD_AT, bytes.length - 4), costMs: view.getFloat64(COST_AT, true) };
}

function sumOf(key: string, framed: Uint8Array, checksum: Checksum): number {
  return (checksum(framed.subarray(0, framed.length - 4)) ^ checksum(TEXT.encode(key))) >>> 0;
}

const TEXT = new TextEncoder();
