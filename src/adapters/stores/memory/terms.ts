/** The words of one chunk, as the keyword index wants them. */
export interface TermCounts {
  /** Number of words, repeated ones too. */
  readonly length: number;
  /** Distinct words that `pairs` counts, and perhaps others; chunks that were packed together share the list. */
  readonly words: readonly string[];
  /** For each distinct word its number in `words`, followed by how often it occurs. */
  readonly pairs: ArrayLike<number>;
}

/** Counts the words of a chunk. */
export function countTerms(tokens: readonly string[]): TermCounts {
  const counts = new Map<string, number>();
  for (const word of tokens) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { length: tokens.length, words: [...counts.keys()], pairs: [...counts.values()].flatMap((count, word) => [word, count]) };
}

/**
 * Packs the words of a block of chunks, so that reopening never tokenises again: a list of its distinct words, one a line (words hold
 * no line feed), then per chunk its length, the number of distinct words, and pairs of word number and frequency. All numbers are
 * LEB128; the word list is preceded by its length in bytes.
 */
export function packTerms(rows: readonly TermCounts[]): Uint8Array {
  const numbers: number[] = [];
  const local = new Map<string, number>();
  for (const { length, words, pairs } of rows) {
    numbers.push(length, pairs.length / 2);
    for (let at = 0; at < pairs.length; at += 2) {
      const word = words[pairs[at] ?? 0] ?? '';
      let id = local.get(word);
      if (id === undefined) {
        id = local.size;
        local.set(word, id);
      }
      numbers.push(id, pairs[at + 1] ?? 0);
    }
  }
  const words = Buffer.from([...local.keys()].join('\n'), 'utf8');
  // Five bytes hold any 32-bit number.
  const packed = Buffer.allocUnsafe(5 * (numbers.length + 1) + words.length);
  let at = writeNumber(packed, 0, words.length);
  at += words.copy(packed, at);
  for (const number of numbers) at = writeNumber(packed, at, number);
  return packed.subarray(0, at);
}

/** The inverse of `packTerms`. */
export function unpackTerms(packed: Uint8Array, rows: number): readonly TermCounts[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  const next = (): number => {
    let byte = bytes[at++] ?? 0;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
    }
    return value >>> 0;
  };
  const wordBytes = next();
  const words = bytes.toString('utf8', at, at + wordBytes).split('\n');
  at += wordBytes;
  return Array.from({ length: rows }, () => {
    const length = next();
    const pairs = new Uint32Array(2 * next());
    for (let pair = 0; pair < pairs.length; pair++) pairs[pair] = next();
    return { length, words, pairs };
  });
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
