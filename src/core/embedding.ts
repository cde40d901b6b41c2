import type { CallOptions, Embedder } from './contracts.js';
import { nearestName, RagError } from './errors.js';
import type { Memo } from './memo.js';
import { isScript, understands } from './scripts.js';

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
    const keys = texts.map((text) => `${embedder.id}\n${embedder.dimensions}\n${role}\n${digest(text)}`);
    const compute = async (missing: readonly number[], flightSignal: AbortSignal) => {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < missing.length; start += embedder.maxBatch) {
        const batch = missing.slice(start, start + embedder.maxBatch).map((index) => texts[index] ?? '');
        const embedded = await embedder.embed(batch, { role, signal: flightSignal });
        if (!Array.isArray(embedded)) throw wrong(embedder, 'no list of vectors');
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

/**
 * What an embedder of one's own says of itself, checked before a store is opened for it.
 * @throws RagError CONFIG_INVALID naming the property
 */
export function checkEmbedder(embedder: Embedder): Embedder {
  const { id, dimensions, maxBatch, hybridWeight = 0, scripts = [] } = embedder;
  const refuse = (name: string, problem: string) => new RagError('CONFIG_INVALID', `embedder.${name}: ${problem}`);
  if (typeof id !== 'string' || id === '') throw refuse('id', 'a text is needed that changes when the vectors change');
  // Batches of no size would never come to an end.
  for (const [name, value] of Object.entries({ dimensions, maxBatch })) {
    if (!(Number.isInteger(value) && value > 0))
      throw refuse(name, `a whole number of 1 or more is needed, not ${String(value)}`);
  }
  if (!(hybridWeight >= 0 && hybridWeight <= 1))
    throw refuse('hybridWeight', `a number from 0 to 1 is needed, not ${String(hybridWeight)}`);
  for (const [index, script] of scripts.entries()) {
    if (isScript(script)) continue;
    const near = nearestName(script, COMMON_SCRIPTS);
    const advice = near === undefined ? `such as '${COMMON_SCRIPTS[0]}'` : `did you mean '${near}'?`;
    throw refuse(`scripts[${index}]`, `${JSON.stringify(script)} is no Unicode script; ${advice}`);
  }
  return embedder;
}

const COMMON_SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Thai',
];

/** A copy of length 1; the zero vector stays. @throws RagError UPSTREAM_FAILED for a wrong length or a component that is no number */
function normalise(vector: Float32Array, embedder: Embedder): Float32Array {
  if (!(vector instanceof Float32Array)) throw wrong(embedder, 'a vector that is no Float32Array; wrap it: Float32Array.from(…)');
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
