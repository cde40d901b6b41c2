import { describe, expect, it, onTestFinished } from 'vitest';
import type { Index } from '../../src/core/contracts.js';
import { maskSecrets, parseConfig } from '../../src/sdk/config.js';
import { openRag } from '../../src/sdk/index.js';

describe('the vector index of the embedded store, as one configures it', () => {
  it('is a name, or parameters within their bounds', () => {
    const index = (value: 'hnsw' | { type: 'hnsw'; ef?: number; efConstruction?: number }) =>
      parseConfig({ store: { type: 'memory', index: value } }).store;
    expect(index('hnsw')).toMatchObject({ index: 'hnsw' });
    expect(index({ type: 'hnsw', ef: 200 })).toMatchObject({ index: { type: 'hnsw', ef: 200, efConstruction: 128 } });
    expect(() => index({ type: 'hnsw', ef: 5 })).toThrow('store.index');
    expect(() => index({ type: 'hnsw', efConstruction: 2000 })).toThrow('store.index');
    expect(() => parseConfig({ store: { type: 'memory', index: 'ivf' as 'hnsw' } })).toThrow('store.index');
  });

  it('is an object of one’s own, which searches go through', async () => {
    const ids = new Set<string>();
    const index: Index<Float32Array> = {
      update: (entries) => entries.forEach(({ id }) => void ids.add(id)),
      remove: (gone) => gone.forEach((id) => void ids.delete(id)),
      query: (_query, limit, allows = () => true) =>
        [...ids]
          .filter((id) => allows(id))
          .slice(0, limit)
          .map((id) => ({ id, score: 0.5 })),
    };
    const config = parseConfig({ store: { type: 'memory', index } });
    expect(config.store).toMatchObject({ type: 'memory', metric: 'cosine', index });
    expect(maskSecrets(config)).toMatchObject({ store: { index: '(object)' } });
    const rag = await openRag({ store: { type: 'memory', index } });
    onTestFinished(() => rag.close());
    await rag.ingest([{ text: 'Penguins live in the south.', id: 'penguins' }]);
    const { hits, explain } = await rag.search('ice birds', { mode: 'vector', explain: true });
    expect(hits[0]).toMatchObject({ documentId: 'penguins' });
    expect(explain?.index).toContain('own');
    expect(ids.size).toBe(1);
  });

  it('is checked beside everything else of the store', () => {
    const index = { update() {}, remove() {}, query: () => [] };
    expect(() => parseConfig({ store: { type: 'memory', index, pth: 'x' } as { type: 'memory' } })).toThrow('store.pth');
    const incomplete = { update() {}, query: () => [] };
    expect(() => parseConfig({ store: { type: 'memory', index: incomplete as unknown as 'flat' } })).toThrow('store.index');
  });
});
