/** The words of one chunk, as the keyword index wants them. */
export interface TermCounts {
  /** Number of words, repeated ones too. */
  readonly length: number;
  /** Each distinct word with how often it occurs. */
  readonly counts: Iterable<readonly [term: string, frequency: number]>;
}

/** Counts the words of a chunk. */
export function countTerms(words: readonly string[]): TermCounts {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { length: words.length, counts };
}

/**
 * Packs the words of a block of chunks, so that reopening never tokenises again: a list of its distinct words, one a line (words hold
 * no line feed), then per chunk its length, the number of distinct words, and pairs of word number and frequency. All numbers are
 * LEB128; the word list is preceded by its length in bytes.
 */
export function packTerms(rows: readonly TermCounts[]): Uint8Array {
  const numbers: number[] = [];
  const local = new Map<string, number>();
  for (const row of rows) {
    const counts = [...row.counts];
    numbers.push(row.length, counts.length);
    for (const [term, frequency] of counts) {
      let id = local.get(term);
      if (id === undefined) {
        id = local.size;
        local.set(term, id);
      }
      numbers.push(id, frequency);
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
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const wordBytes = next();
  const words = bytes.toString('utf8', at, at + wordBytes).split('\n');
  at += wordBytes;
  return Array.from({ length: rows }, () => {
    const length = next();
    const counts = Array.from({ length: next() }, () => [words[next()] ?? '', next()] as const);
    return { length, counts };
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
