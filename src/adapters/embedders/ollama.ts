import type { CallOptions, Embedder } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { ollamaAddress } from '../inference/ollama-client.js';
import { askOllama, showModel } from '../inference/ollama-models.js';
import { createRemoteEmbedder } from './remote.js';
import type { OllamaEmbedderOptions } from './remote-options.js';

/**
 * An embedder on an Ollama server. Asks the server what the model is, and for one vector to learn their length, which also loads it.
 *
 * The model's quantisation is part of the id: vectors of another one under the same name must not be mixed with these.
 * @throws RagError CONFIG_INVALID (url) · CONNECTION_FAILED, TIMEOUT, UNAUTHORIZED · UPSTREAM_FAILED (not installed, or a model that
 *   chats) · `signal.reason` once aborted
 */
export async function openOllamaEmbedder(
  options: Omit<OllamaEmbedderOptions, 'type'> & { readonly fetch?: typeof fetch | undefined },
  { signal }: CallOptions = {},
): Promise<Embedder> {
  const { model, keepAlive, timeoutMs } = options;
  const connection = { url: options.url, apiKey: options.apiKey, fetch: options.fetch, part: 'embedder' as const };
  const { url } = ollamaAddress(connection);
  const engine = `Ollama at ${url}`;
  const { embeds, info } = await showModel({ ...connection, model }, { signal });
  if (embeds === false) {
    const advice = 'name an embedding model in `embedder.model`, for example `all-minilm`';
    throw new RagError('UPSTREAM_FAILED', `The model ${model} of ${engine} chats and does not embed: ${advice}`, {
      adapter: 'ollama',
      retryable: false,
    });
  }

  async function call(input: readonly string[], call: CallOptions): Promise<readonly Float32Array[]> {
    const request = { model, input: [...input], truncate: false, ...(keepAlive !== undefined && { keep_alive: keepAlive }) };
    const reply = await askOllama(connection, { ...call, timeoutMs }, (client) => client.embed(request));
    const vectors: unknown = reply.embeddings;
    if (!Array.isArray(vectors) || vectors.length !== input.length || !vectors.every(isVector)) {
      throw new RagError('UPSTREAM_FAILED', `${engine} did not send one vector for each of ${input.length} texts`, {
        adapter: 'ollama',
        retryable: false,
      });
    }
    return vectors.map((vector) => Float32Array.from(vector));
  }

  const dimensions = (await call(['dimensions'], { signal }))[0]?.length ?? 0;
  const name = model.includes(':') ? model : `${model}:latest`;
  const id = `ollama/${name}${info.quantization === undefined ? '' : `@${info.quantization}`}`;
  return createRemoteEmbedder({ ...options, id, dimensions, engine, call });
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((component) => typeof component === 'number');
}
