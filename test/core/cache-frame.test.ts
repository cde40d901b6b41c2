import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJsonCodec, createVectorCodec } from '../../src/core/codecs.js';
import { frame, unframe } from '../../src/core/frame.js';

const checksum = (bytes: Uint8Array) => crc32(bytes);
const framed = frame('key', { payload: Uint8Array.of(1, 2, 3), costMs: 12.5 }, checksum);

describe('a frame', () => {
  it('gives back payload and cost, also out of the middle of a larger buffer', () => {
    const within = new Uint8Array(framed.length + 8);
    within.set(framed, 3);
    for (const bytes of [framed, within.subarray(3, 3 + framed.length), Buffer.from(framed)]) {
      const { payload, costMs } = unframe('key', bytes, checksum) ?? {};
      expect([[...(payload ?? [])], costMs]).toEqual([[1, 2, 3], 12.5]);
    }
  });

  it('is none under another key', () => {
    expect(unframe('other', framed, checksum)).toBeUndefined();
  });

  it('is none when it was cut short, wherever', () => {
    for (let length = 0; length < framed.length; length++) {
      expect(unframe('key', framed.subarray(0, length), checksum)).toBeUndefined();
    }
  });

  it('is none with any one byte changed: another version, another payload', () => {
    for (let index = 0; index < framed.length; index++) {
      const changed = framed.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(unframe('key', changed, checksum)).toBeUndefined();
    }
  });

  it('is never read from noise', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => unframe('key', noise, checksum) === undefined));
  });
});

describe('vectors as bytes', () => {
  it('come back to the last bit, wherever they lie in memory', () => {
    const codec = createVectorCodec(4);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.integer({ min: 0, max: 3 }), (bits, shift) => {
        const vector = new Float32Array(bits.slice().buffer);
        const moved = new Uint8Array(16 + shift);
        moved.set(codec.encode(vector), shift);
        const back = codec.decode(shift === 2 ? Buffer.from(moved.buffer, shift) : moved.subarray(shift));
        expect([...new Uint8Array(back?.buffer ?? new ArrayBuffer(0))]).toEqual([...bits]);
      }),
    );
  });

  it('of another length are none', () => {
    expect(createVectorCodec(4).decode(new Uint8Array(12))).toBeUndefined();
  });
});

describe('plain values as bytes', () => {
  it('come back as they were, whatever the texts hold', () => {
    const codec = createJsonCodec<unknown>((value) => value);
    // A negative zero is the one number that JSON has no word for.
    const value = fc.jsonValue().map((any) => JSON.parse(JSON.stringify(any)) as unknown);
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(value, text, (any, word) => {
        const values = [any, word, '\ud800'];
        expect(codec.decode(codec.encode(values))).toEqual(values);
      }),
    );
  });

  it('are none where the bytes are no JSON', () => {
    const codec = createJsonCodec<unknown>((value) => value);
    expect(codec.decode(Uint8Array.of(0x7b, 0xff))).toBeUndefined();
    expect(codec.decode(new Uint8Array())).toBeUndefined();
  });
});
