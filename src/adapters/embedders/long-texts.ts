import { RagError } from '../../core/errors.js';
import { halves } from '../inference/halves.js';
import { isTooLong } from '../inference/http-failure.js';

/** A text this short that is still too long is not the text's fault. UTF-16 units. */
const SHORTEST = 32;

type Call = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

/**
 * Embeds texts of any length with a model that refuses long ones: what is refused is halved until it is taken, and a text's vector is the
 * mean of its parts', each of length 1 and weighted by its share of the text. So all of a text counts, where cutting would lose its end.
 * @throws what the call threw, when that isn't about length
 */
export async function embedSplitting(texts: readonly string[], call: Call): Promise<readonly Float32Array[]> {
  try {
    return await call(texts);
  } catch (error) {
    if (!isTooLong(error)) throw error;
    const [first, ...others] = texts;
    if (first === undefined) throw error;
    if (others.length > 0) {
      // One of them is too long: which one, servers don't say.
      const middle = texts.length >> 1;
      const left = await embedSplitting(texts.slice(0, middle), call);
      return [...left, ...(await embedSplitting(texts.slice(middle), call))];
    }
    if (first.length <= SHORTEST) throw error;
    const parts = halves(first);
    const vectors = await embedSplitting(parts, call);
    return [meanOf(vectors, parts)];
  }
}

/** The parts of a text that are no longer than this, cut where words end. */
export function partsOf(text: string, fits: (part: string) => boolean): readonly string[] {
  if (text.length <= SHORTEST || fits(text)) return [text];
  return halves(text).flatMap((half) => partsOf(half, fits));
}

/** The mean of the parts' vectors, each of length 1, by the parts' lengths. */
export function meanOf(vectors: readonly Float32Array[], parts: readonly string[]): Float32Array {
  const [first] = vectors;
  if (first === undefined || vectors.length === 1) return first ?? new Float32Array(0);
  const mean = new Float32Array(first.length);
  for (const [index, vector] of vectors.entries()) {
    if (vector.length !== mean.length) {
      throw new RagError('UPSTREAM_FAILED', `an embedder gave vectors of ${mean.length} and of ${vector.length} numbers`, {
        retryable: false,
      });
    }
    const norm = Math.hypot(...vector);
    if (norm === 0) continue;
    const weight = (parts[index]?.length ?? 0) / norm;
    for (let at = 0; at < mean.length; at++) mean[at] = (mean[at] ?? 0) + weight * (vector[at] ?? 0);
  }
  return mean;
}
