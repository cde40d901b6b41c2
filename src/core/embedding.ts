import type { CallOptions, Embedder } from './contracts.js';
import { RagError } from './errors.js';
import type { Memo } from './memo.js';
import { understands } from './scripts.js';

export interface EmbeddingParts {
  readonly embedder: Embedder;
  readonly memo: Memo<Float32Array>;
  /** Hex digest of a text. */
  readonly digest: (text: string) => string;
}

export interface Embedding {
  queries(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
  /** The zero vector for texts in scripts that the embedder doesn't know. */
  documents(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
}

/** The embedder behind its cache: batches within its limit, each text once, vectors checked and L2-normalised. */
export function createEmbedding({ embedder, memo, digest }: EmbeddingParts): Embedding {
  function embed(
    texts: readonly string[],
    role: 'query' | 'document',
    { signal }: CallOptions,
  ): Promise<readonly Float32Array[]> {
    const keys = texts.map((text) => `${embedder.id}\n${role}\n${digest(text)}`);
    const compute = async (missing: readonly number[], flightSignal: AbortSignal) => {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < missing.length; start += embedder.maxBatch) {
        const batch = missing.slice(start, start + embedder.maxBatch).map((index) => texts[index] ?? '');
        const embedded = await embedder.embed(batch, { role, signal: flightSignal });
        if (embedded.length !== batch.length) throw wrong(embedder, `${embedded.length} vectors for ${batch.length} texts`);
        for (const vector of embedded) vectors.push(normalise(vector, embedder));
      }
      return vectors;
    };
    return memo.getMany(keys, compute, { signal });
  }

  return {
    queries: (texts, signal) => embed(texts, 'query', { signal }),
    async documents(texts, signal) {
      const known = texts.map((text) => understands(embedder.scripts, text));
      const embedded = await embed(
        texts.filter((_, index) => known[index]),
        'document',
        { signal },
      );
      let next = 0;
      return known.map((isKnown) => (isKnown ? embedded[next++] : undefined) ?? new Float32Array(embedder.dimensions));
    },
  };
}

/** A copy of length 1; the zero vector stays. @throws RagError UPSTREAM_FAILED for a wrong length or a component that is no number */
function normalise(vector: Float32Array, embedder: Embedder): Float32Array {
  if (vector.length !== embedder.dimensions)
    throw wrong(embedder, `a vector of ${vector.length} numbers, ${embedder.dimensions} were promised`);
  let sum = 0;
  for (const component of vector) sum += component * component;
  if (!Number.isFinite(sum)) throw wrong(embedder, 'a vector that holds NaN or Infinity');
  if (sum === 0) return new Float32Array(vector.length);
  const scale = 1 / Math.sqrt(sum);
  return vector.map((component) => component * scale);
}

function wrong({ id }: Embedder, what: string): RagError {
  return new RagError('UPSTREAM_FAILED', `embedder ${id} returned ${what}`, { adapter: 'embedder', retryable: false });
}
