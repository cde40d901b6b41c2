import { estimateTokens } from '../../core/budget.js';
import type { CallOptions, Embedder } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { broken, type Http } from '../inference/http.js';
import { fieldsOf } from '../inference/json.js';
import { createOpenAiHttp } from '../inference/openai-client.js';
import { meanOf, partsOf } from './long-texts.js';
import { createRemoteEmbedder } from './remote.js';
import type { OpenAiEmbedderOptions } from './remote-options.js';

/**
 * An embedder on a server with OpenAI's interface. Asks the server for one vector to learn their length, unless `dimensions` says it.
 * @throws RagError CONFIG_INVALID (url) · what the server answers, where it is asked · `signal.reason` once aborted
 */
export async function openOpenAiEmbedder(
  options: Omit<OpenAiEmbedderOptions, 'type'> & { readonly fetch?: typeof fetch | undefined },
  { signal }: CallOptions = {},
): Promise<Embedder> {
  const { model, encoding, timeoutMs, maxInputTokens } = options;
  const http = createOpenAiHttp(options, 'embedder');

  async function send(input: readonly string[], call: CallOptions): Promise<readonly Float32Array[]> {
    const body = { model, input, encoding_format: encoding };
    const { data } = await http.json('/embeddings', { ...call, timeoutMs, body });
    return readVectors(data, input.length, http);
  }

  async function call(texts: readonly string[], options: CallOptions): Promise<readonly Float32Array[]> {
    if (maxInputTokens === undefined) return send(texts, options);
    const parts = texts.map((text) => partsOf(text, (part) => estimateTokens(part) <= maxInputTokens));
    const vectors = await send(parts.flat(), options);
    let start = 0;
    return parts.map((some) => {
      const own = vectors.slice(start, start + some.length);
      start += some.length;
      return meanOf(own, some);
    });
  }

  const dimensions = options.dimensions ?? (await send(['dimensions'], { signal }))[0]?.length ?? 0;
  return createRemoteEmbedder({ ...options, id: `openai-compatible/${model}`, dimensions, engine: http.upstream.name, call });
}

/** The vectors in the order of the texts: servers number them, and may send them in another order. */
function readVectors(data: unknown, count: number, { upstream }: Http): readonly Float32Array[] {
  const vectors: (Float32Array | undefined)[] = Array.from({ length: count });
  for (const [place, item] of (Array.isArray(data) ? data : []).entries()) {
    const { index = place, embedding } = fieldsOf(item);
    if (typeof index !== 'number' || !(index in vectors)) throw broken(upstream, `a vector for a text that it was not given`);
    vectors[index] = readVector(embedding);
  }
  return vectors.map((vector, index) => {
    if (vector === undefined) throw broken(upstream, `no vector for text ${index + 1} of ${count}`);
    if (vector.length === 0) {
      throw new RagError('UPSTREAM_FAILED', `${upstream.name} sent an empty vector: is this an embedding model?`, {
        adapter: upstream.adapter,
        retryable: false,
      });
    }
    return vector;
  });
}

function readVector(embedding: unknown): Float32Array | undefined {
  if (Array.isArray(embedding))
    return embedding.every((value) => typeof value === 'number') ? Float32Array.from(embedding) : undefined;
  if (typeof embedding !== 'string') return undefined;
  const bytes = Buffer.from(embedding, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  // Copied: a Float32Array must begin at a multiple of four, and a Buffer needn't.
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
