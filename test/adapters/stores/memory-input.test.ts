import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import type { Metric } from '../../../src/core/contracts.js';
import { openRag } from '../../../src/sdk/index.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { makeFolder } from '../../support/folder.js';
import { createLetterEmbedder } from '../../support/rag.js';

const requestFor = (dimensions: number, metric: Metric = 'cosine') => ({
  collection: 'docs',
  fingerprint: { ...FINGERPRINT, dimensions, metric },
  fields: [],
  create: true,
});

describe.each(['volatile', 'durable'])('what is given to a %s memory store', (kind) => {
  const open = async (dimensions: number, metric?: Metric) => {
    const store = await openMemoryStore(kind === 'volatile' ? {} : { path: makeFolder() });
    return { store, collection: await store.open(requestFor(dimensions, metric)) };
  };

  it.each([1, 8192])('may have %d dimensions', async (dimensions) => {
    const { store, collection } = await open(dimensions);
    const vectors =
      dimensions === 1 ? [Float32Array.of(1), Float32Array.of(-1)] : [makeVector('a', dimensions), makeVector('b', dimensions)];
    await collection.commit({
      put: [
        makeDocument(
          'a.md',
          vectors.map((vector) => ({ vector })),
        ),
      ],
      drop: [],
    });
    for (const [index, vector] of vectors.entries()) {
      const { matches } = await collection.nearest({ vector, limit: 2 });
      expect(matches).toHaveLength(2);
      expect(matches[0]?.id).toMatch(new RegExp(`/0*${index}$`));
      expect(matches[0]?.score).toBeCloseTo(1, 4);
    }
    await store.close();
  });

  it('has vectors with numbers, all of one length', async () => {
    const { store, collection } = await open(2);
    for (const vector of [
      Float32Array.of(Number.NaN, 1),
      Float32Array.of(1, Number.POSITIVE_INFINITY),
      Float32Array.of(1),
      Float32Array.of(1, 0, 0),
    ]) {
      const change = {
        put: [makeDocument('good.md', [{ vector: Float32Array.of(1, 0) }]), makeDocument('bad.md', [{ vector }])],
        drop: [],
      };
      await expect(collection.commit(change)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('bad.md'),
      });
      await expect(collection.nearest({ vector, limit: 1 })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    }
    expect((await collection.nearest({ vector: Float32Array.of(1, 0), limit: 9 })).matches).toEqual([]);
    await store.close();
  });

  it('may have a zero vector, which nothing is near', async () => {
    const { store, collection } = await open(2);
    const zero = new Float32Array(2);
    await collection.commit({
      put: [makeDocument('a.md', [{ vector: zero, text: 'needle' }, { vector: Float32Array.of(1, 0) }])],
      drop: [],
    });
    expect((await collection.nearest({ vector: Float32Array.of(0, 1), limit: 9 })).matches).toHaveLength(1);
    expect((await collection.nearest({ vector: zero, limit: 9 })).matches).toEqual([]);
    expect((await collection.keywords({ text: 'needle', limit: 9 })).matches).toHaveLength(1);
    await store.close();
  });

  it('holds no document twice in one change', async () => {
    const { store, collection } = await open(FINGERPRINT.dimensions);
    const twice = { put: [makeDocument('a.md', [{}]), makeDocument('a.md', [{}, {}])], drop: [] };
    await expect(collection.commit(twice)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('"a.md" occurs twice'),
    });
    const both = { put: [makeDocument('a.md', [{}])], drop: ['a.md'] };
    await expect(collection.commit(both)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await collection.commit({ put: [makeDocument('a.md', [{}])], drop: ['b.md', 'b.md'] });
    await store.close();
  });

  it.each([
    ['cosine', 0.6],
    ['dot', 0.6],
    ['l2', 1 / (1 + 0.4 ** 2 + 0.8 ** 2)],
  ] as const)('is scored by the metric of its collection: %s', async (metric, score) => {
    const { store, collection } = await open(2, metric);
    await collection.commit({ put: [makeDocument('a.md', [{ vector: Float32Array.of(0.6, 0.8) }])], drop: [] });
    const { matches } = await collection.nearest({ vector: Float32Array.of(1, 0), limit: 1 });
    expect(matches[0]?.score).toBeCloseTo(score, 5);
    await store.close();
  });
});

describe('the metric of an embedded store', () => {
  it('is an option, and part of what a collection is', async () => {
    const path = makeFolder();
    const embedder = createLetterEmbedder();
    const rag = await openRag({ store: { type: 'memory', path, metric: 'l2' }, embedder });
    await rag.ingest([{ id: 'a', text: 'aaa' }]);
    const { hits } = await rag.search('aaa', { mode: 'vector' });
    expect(hits[0]?.score).toBeCloseTo(1, 5);
    await rag.close();
    await expect(openRag({ store: { type: 'memory', path }, embedder })).rejects.toMatchObject({
      code: 'FINGERPRINT_MISMATCH',
      message: expect.stringMatching(/l2.*cosine/),
    });
    await expect(openRag({ store: { type: 'memory', metric: 'hamming' as never }, embedder })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
