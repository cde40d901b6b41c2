import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type OpenRagOptions, parseConfig, parsePlainConfig } from '../../src/sdk/config.js';
import { DEFAULTS, simpleConfig } from '../../src/sdk/simple-config.js';
import { createEchoGenerator, createLetterEmbedder } from '../support/rag.js';

const SIMPLE: readonly OpenRagOptions[] = [
  {},
  { collection: 'x', store: { type: 'memory' } },
  { store: { type: 'memory', path: 'p' }, roots: ['a', 'b'] },
  { embedder: createLetterEmbedder(), generator: createEchoGenerator() },
  { generator: [createEchoGenerator(), createEchoGenerator()] },
  { groups: { default: { id: 'mine', chunk: () => [] } }, reranker: { id: 'mine', rerank: async () => [] } },
  { metadata: z.object({ year: z.number() }) },
];

/** For each the schema must be asked: it is wrong, or says something that the schema fills in. */
const OTHERS: readonly unknown[] = [
  { colection: 'x' },
  { collection: '' },
  { collection: 7 },
  { store: { type: 'memory', pth: 'p' } },
  { store: { type: 'memory', path: '' } },
  { store: { type: 'memory', index: 'flat' } },
  { store: { type: 'chroma', uri: 'http://x' } },
  { embedder: { type: 'static' } },
  { generator: { type: 'ollama' } },
  { generator: [] },
  { groups: { fine: { maxChars: 300 } } },
  { groups: null },
  { metadata: { year: 'number' } },
  { roots: [1] },
  { caches: { search: false } },
  null,
  [],
];

describe('a simple configuration', () => {
  it('has the defaults of the schema', () => {
    expect(DEFAULTS).toEqual(parsePlainConfig({}));
  });

  it.each(SIMPLE)('is what the schema makes of it: %#', (options) => {
    const { generators, metadata: _, ...config } = { metadata: undefined, ...parseConfig(options) };
    expect(simpleConfig(options)).toEqual({ ...config, generators });
  });

  it.each(OTHERS)('is not %j', (options) => {
    expect(simpleConfig(options as OpenRagOptions)).toBeUndefined(); // wrong on purpose
  });
});
