/** A layer's values as bytes, for tiers outside the process. */
export interface Codec<Value> {
  encode(value: Value): Uint8Array;
  /** undefined: these bytes are no such value. */
  decode(bytes: Uint8Array): Value | undefined;
}

/** Vectors of one length, to the last bit. Little-endian, as every processor that Node runs on by default. */
export function createVectorCodec(dimensions: number): Codec<Float32Array> {
  return {
    encode: (vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
    decode(bytes) {
      if (bytes.length !== dimensions * Float32Array.BYTES_PER_ELEMENT) return undefined;
      // A copy: four bytes that belong together need not start at a multiple of four where they came from. `slice` of a Buffer is none.
      return new Float32Array(new Uint8Array(bytes).buffer);
    },
  };
}

/**
 * Plain values, as JSON in UTF-8; `JSON.stringify` spells out lone surrogates, so every text comes back as it was.
 * @param finish what is done to a value that was read, such as freezing it
 */
export function createJsonCodec<Value>(finish: (value: Value) => Value): Codec<Value> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return {
    encode: (value) => encoder.encode(JSON.stringify(value)),
    decode(bytes) {
      try {
        // The frame's checksum vouches for it: it is what `encode` of this version was given.
        return finish(JSON.parse(decoder.decode(bytes)) as Value);
      } catch {
        return undefined;
      }
    },
  };
}
