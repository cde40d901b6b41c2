import type { Embedder } from '../../core/contracts.js';

export interface PrefixedParts {
  /** Runtime, model and quantisation. */
  readonly id: string;
  readonly dimensions: number;
  readonly maxBatch: number;
  readonly hybridWeight?: number | undefined;
  readonly queryPrefix?: string | undefined;
  readonly documentPrefix?: string | undefined;
  /** One vector a text, none of them empty. */
  readonly embed: (texts: readonly string[], signal: AbortSignal | undefined) => Promise<readonly Float32Array[]>;
  readonly close?: (() => Promise<void>) | undefined;
}

/**
 * An embedder whose texts get the prefix of their role, and whose empty texts get the zero vector: there is nothing to compare, and
 * servers refuse them, or give the vector of their marks.
 */
export function createPrefixedEmbedder(parts: PrefixedParts): Embedder {
  const { id, dimensions, maxBatch, hybridWeight, queryPrefix = '', documentPrefix = '', close } = parts;
  const prefixes = queryPrefix !== '' || documentPrefix !== '';
  return {
    id: prefixes ? `${id}?${encodeURIComponent(JSON.stringify([queryPrefix, documentPrefix]))}` : id,
    dimensions,
    maxBatch,
    ...(hybridWeight !== undefined && { hybridWeight }),
    async embed(texts, { role = 'document', signal } = {}) {
      signal?.throwIfAborted();
      const prefix = role === 'query' ? queryPrefix : documentPrefix;
      const filled = texts.flatMap((text) => (text.trim() === '' ? [] : [prefix + text]));
      const vectors = filled.length === 0 ? [] : await parts.embed(filled, signal);
      let next = 0;
      return texts.map((text) => (text.trim() === '' ? undefined : vectors[next++]) ?? new Float32Array(dimensions));
    },
    ...(close !== undefined && { close }),
  };
}
