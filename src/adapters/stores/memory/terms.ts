/**
 * The words of one chunk, as the keyword index wants them. A word is a hash of 64 bits, in two halves: with a million different words the
 * chance that any two are taken for one is 1 in 37 million, and loading an index of them makes no strings.
 */
export interface TermCounts {
  /** Number of words, repeated ones too. */
  readonly length: number;
  /** Hashes of distinct words, two numbers each; chunks that were packed together share the list. */
  readonly hashes: Uint32Array;
  /** For each distinct word of this chunk its place in `hashes`, followed by how often it occurs. */
  readonly pairs: ArrayLike<number>;
}

/** Counts the words of the chunks of one block. */
export function countTerms(chunks: readonly (readonly string[])[]): readonly TermCounts[] {
  const places = new Map<string, number>();
  const counted = chunks.map((words) => {
    const counts = new Map<number, number>();
    for (const word of words) {
      let place = places.get(word);
      if (place === undefined) {
        place = places.size;
        places.set(word, place);
      }
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    return { length: words.length, pairs: [...counts].flat() };
  });
  const hashes = new Uint32Array(2 * places.size);
  for (const [word, place] of places) hashes.set(hashWord(word), 2 * place);
  return counted.map((chunk) => ({ ...chunk, hashes }));
}

/** Two independent hashes of 32 bits, by multiplying and mixing (the finalizer is MurmurHash3's). Part of the store's format. */
export function hashWord(word: string): readonly [number, number] {
  let low = 0x9747b28c;
  let high = 0x85ebca6b;
  for (let index = 0; index < word.length; index++) {
    const unit = word.charCodeAt(index);
    low = Math.imul(low ^ unit, 0xcc9e2d51);
    low = (low << 15) | (low >>> 17);
    high = Math.imul(high ^ unit, 0x1b873593);
    high = (high << 13) | (high >>> 19);
  }
  return [mixed(low ^ word.length), mixed(high + word.length)];
}

/**
 * Packs the words of a block, so that reopening never tokenises again: the number of distinct words and their hashes, as 32-bit numbers;
 * then per chunk, as LEB128, its length, the number of its distinct words, and `pairs`.
 */
export function packTerms(chunks: readonly TermCounts[]): Uint8Array {
  const hashes = chunks[0]?.hashes ?? new Uint32Array(0);
  const numbers = chunks.flatMap(({ length, pairs }) => [length, pairs.length / 2, ...Array.from(pairs)]);
  // Five bytes hold any 32-bit number.
  const packed = Buffer.allocUnsafe(4 + 4 * hashes.length + 5 * numbers.length);
  let at = packed.writeUInt32LE(hashes.length / 2, 0);
  for (const half of hashes) at = packed.writeUInt32LE(half, at);
  for (const number of numbers) at = writeNumber(packed, at, number);
  return packed.subarray(0, at);
}

/** The inverse of `packTerms`. */
export function unpackTerms(packed: Uint8Array, chunks: number): readonly TermCounts[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const hashes = new Uint32Array(2 * bytes.readUInt32LE(0));
  const start = 4 + hashes.byteLength;
  // By bytes: they may begin anywhere, and a Uint32Array only at multiples of four.
  new Uint8Array(hashes.buffer).set(packed.subarray(4, start));
  const numbers = readNumbers(packed, start);
  let at = 0;
  return Array.from({ length: chunks }, () => {
    const length = numbers[at] ?? 0;
    const end = at + 2 + 2 * (numbers[at + 1] ?? 0);
    const pairs = numbers.subarray(at + 2, end);
    at = end;
    return { length, hashes, pairs };
  });
}

/** One flat loop: it runs in full speed soon, also in a process that has just begun. */
function readNumbers(bytes: Uint8Array, start: number): Uint32Array {
  const numbers = new Uint32Array(bytes.length - start);
  let count = 0;
  let value = 0;
  let shift = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      numbers[count++] = value;
      value = 0;
      shift = 0;
    } else {
      shift += 7;
    }
  }
  return numbers.subarray(0, count);
}

function mixed(hash: number): number {
  let value = hash;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function writeNumber(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
