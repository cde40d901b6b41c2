/** A set of ordinals, one bit each. Ordinals are dense, so this is smaller and faster than a `Set` of numbers. */
export class Bitset {
  /** Bit `o % 32` of word `o / 32` stands for ordinal `o`; beyond the last word nothing is set. */
  words: Uint32Array;

  constructor(size = 0) {
    this.words = new Uint32Array(Math.ceil(size / 32));
  }

  has(ordinal: number): boolean {
    return (((this.words[ordinal >>> 5] ?? 0) >>> (ordinal & 31)) & 1) === 1;
  }

  add(ordinal: number): void {
    const word = ordinal >>> 5;
    if (word >= this.words.length) this.#grow(word + 1);
    this.words[word] = (this.words[word] ?? 0) | (1 << (ordinal & 31));
  }

  remove(ordinal: number): void {
    const word = ordinal >>> 5;
    if (word < this.words.length) this.words[word] = (this.words[word] ?? 0) & ~(1 << (ordinal & 31));
  }

  addAll(ordinals: Iterable<number>): this {
    for (const ordinal of ordinals) this.add(ordinal);
    return this;
  }

  /** Whether any is set from `start` to `end`, exclusive; true also when one within the same words of 32 is. */
  hasAny(start: number, end: number): boolean {
    const last = Math.min(this.words.length, Math.ceil(end / 32));
    for (let word = start >>> 5; word < last; word++) if (this.words[word] !== 0) return true;
    return false;
  }

  /** How many are set from `start` to `end`, exclusive. */
  countBetween(start: number, end: number): number {
    let total = 0;
    for (let at = start; at < end; ) {
      const word = this.words[at >>> 5] ?? 0;
      const next = Math.min(end, (at | 31) + 1);
      const width = next - at;
      const mask = width === 32 ? 0xffffffff : ((1 << width) - 1) << (at & 31);
      total += popcount((word & mask) >>> 0);
      at = next;
    }
    return total;
  }

  /** Keeps what is in both; returns this. */
  intersect(other: Bitset): this {
    for (let word = 0; word < this.words.length; word++) {
      this.words[word] = (this.words[word] ?? 0) & (other.words[word] ?? 0);
    }
    return this;
  }

  /** Takes in what the other has; returns this. */
  unite(other: Bitset): this {
    if (other.words.length > this.words.length) this.#grow(other.words.length);
    for (let word = 0; word < other.words.length; word++) {
      this.words[word] = (this.words[word] ?? 0) | (other.words[word] ?? 0);
    }
    return this;
  }

  /** What of `universe` is not in this one. */
  complement(universe: Bitset): Bitset {
    const result = universe.clone();
    for (let word = 0; word < result.words.length; word++) {
      result.words[word] = (result.words[word] ?? 0) & ~(this.words[word] ?? 0);
    }
    return result;
  }

  clone(): Bitset {
    const copy = new Bitset();
    copy.words = this.words.slice();
    return copy;
  }

  count(): number {
    let total = 0;
    for (const word of this.words) total += popcount(word);
    return total;
  }

  #grow(words: number): void {
    const grown = new Uint32Array(Math.max(words, this.words.length * 2, 8));
    grown.set(this.words);
    this.words = grown;
  }
}

/** Bits set in a 32-bit word: sums of pairs, then nibbles, then bytes. */
function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
