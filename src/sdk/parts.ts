import type { Cache, Chunker, Embedder, Index, Reranker, TextGenerator, VectorStore } from '../core/contracts.js';

/** Told by their one indispensable method: objects of one's own among options, whatever else they are. */
export function isStore(value: unknown): value is VectorStore {
  return hasMethod(value, 'open');
}

export function isIndex(value: unknown): value is Index<Float32Array> {
  return hasMethod(value, 'update') && hasMethod(value, 'remove') && hasMethod(value, 'query');
}

export function isEmbedder(value: unknown): value is Embedder {
  return hasMethod(value, 'embed');
}

export function isGenerator(value: unknown): value is TextGenerator {
  return hasMethod(value, 'generate');
}

export function isChunker(value: unknown): value is Chunker {
  return hasMethod(value, 'chunk');
}

export function isCache(value: unknown): value is Cache {
  return hasMethod(value, 'get') && hasMethod(value, 'set');
}

export function isReranker(value: unknown): value is Reranker {
  return hasMethod(value, 'rerank');
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value && typeof Reflect.get(value, name) === 'function';
}
