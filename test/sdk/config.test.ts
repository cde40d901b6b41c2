import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Embedder, TextGenerator, VectorStore } from '../../src/core/contracts.js';
import { type ConfigInput, maskSecrets, parseConfig } from '../../src/sdk/config.js';

const problemOf = (input: unknown): string => {
  try {
    parseConfig(input as ConfigInput); // wrong on purpose
  } catch (error) {
    return error instanceof Error && 'code' in error
      ? `${String(error.code)} ${error.message}`
      : `not a RagError: ${String(error)}`;
  }
  return 'accepted';
};

describe('parseConfig', () => {
  it('fills in every default', () => {
    expect(parseConfig()).toMatchObject({
      collection: 'default',
      store: { type: 'memory', index: 'auto' },
      embedder: { type: 'static' },
      groups: { default: { type: 'auto' } },
      caches: { search: { entries: 1000 } },
      fields: [],
    });
    expect(parseConfig().generators).toBeUndefined();
  });

  it('takes a Milvus index by name or with parameters, and one generator or several', () => {
    const index = (value: 'HNSW' | { type: 'HNSW'; M: number }) =>
      parseConfig({ store: { type: 'milvus', uri: 'http://x', index: value } }).store;
    expect(index('HNSW')).toMatchObject({ index: { type: 'HNSW', M: 16, efConstruction: 200 } });
    expect(index({ type: 'HNSW', M: 32 })).toMatchObject({ index: { type: 'HNSW', M: 32, ef: 100 } });
    expect(parseConfig({ generator: { type: 'ollama' } }).generators).toHaveLength(1);
    expect(parseConfig({ generator: [{ type: 'ollama' }, { type: 'ollama', model: 'b' }] }).generators).toHaveLength(2);
  });

  it.each([
    [{ colection: 'x' }, 'colection is not an option; did you mean collection?'],
    [{ store: { type: 'memory', pth: 'x' } }, 'store.pth is not an option; did you mean store.path?'],
    [{ store: { type: 'memory', uri: 'x' } }, 'store.uri is an option of milvus and chroma, not of memory'],
    [{ store: { type: 'milvs' } }, 'store.type: "milvs" is none of memory, milvus, chroma; did you mean milvus?'],
    [{ store: { type: 'milvus', uri: 'x', index: { type: 'HNSW', nlist: 3 } } }, 'store.index.nlist is an option of IVF_FLAT'],
    [{ store: { type: 'milvus', uri: 'x', index: 'IVF_PQ' } }, 'store.index: "IVF_PQ" can\'t stand here; needed: AUTOINDEX'],
    [{ embedder: { type: 'telepathy' } }, 'embedder.type: "telepathy" is none of static'],
    [{ generator: [{ type: 'ollama', concurrency: 0 }] }, 'generator[0].concurrency: must be at least 1'],
    [{ caches: { search: { entires: 1 } } }, 'caches.search.entires is not an option; did you mean caches.search.entries?'],
    [{ caches: { search: true } }, "caches.search: a boolean can't stand here; needed: false or an object"],
    [{ groups: { fine: { maxChars: 100, overlap: 60 } } }, 'groups.fine.overlap: must be less than half of maxChars'],
    [{ metadata: { year: 'nmber' } }, 'metadata.year: "nmber" is none of string, number, boolean'],
    [{ metadata: { $id: 'string' } }, 'metadata.$id: field names that start with "$" are reserved'],
    [{ metadata: z.object({ when: z.date() }) }, 'metadata.when: z.date is not a kind of metadata'],
    [{ ingest: { concurrency: 1.5 } }, 'ingest.concurrency: must be a whole number, not 1.5'],
    [{ reranker: {} }, 'reranker.type: is missing'],
    ['x', 'configuration: must be an object, not a string'],
  ])('refuses %j', (input, words) => {
    expect(problemOf(input)).toContain(`CONFIG_INVALID ${words}`);
  });

  it('tells everything that is wrong at once', () => {
    expect(problemOf({ colection: 'x', ingest: { concurrency: 0 } })).toMatch(
      /ingest\.concurrency.*colection|colection.*ingest\.concurrency/,
    );
  });

  it('keeps objects of one’s own, and still checks what stands beside them', () => {
    // Only what they are recognised by: the configuration passes them on and calls nothing.
    const store = { open: () => {} } as unknown as VectorStore;
    const embedder = { embed: () => {} } as unknown as Embedder;
    const generator = { generate: () => {} } as unknown as TextGenerator;
    const chunker = { id: 'mine', chunk: () => [] };
    const config = parseConfig({
      store,
      embedder,
      generator: [generator, { type: 'ollama', model: 'm' }],
      groups: { mine: chunker, fine: { maxChars: 400 } },
    });
    expect(config.store).toBe(store);
    expect(config.embedder).toBe(embedder);
    expect(config.generators?.[0]).toBe(generator);
    expect(config.generators?.[1]).toMatchObject({ type: 'ollama', model: 'm', concurrency: 4 });
    expect(config.groups.mine).toBe(chunker);
    expect(config.groups.fine).toMatchObject({ type: 'auto', maxChars: 400 });
    expect(problemOf({ generator: [generator, { type: 'olama' }] })).toContain('generator[1].type');
  });
});

describe('maskSecrets', () => {
  it('hides secrets and passwords in addresses, wherever they stand, and nothing else', () => {
    const config = {
      store: { type: 'milvus', uri: 'http://me:pass@host:1', token: 'geheim' },
      generator: [{ type: 'ollama', model: 'm' }],
    };
    expect(maskSecrets(config)).toEqual({
      store: { type: 'milvus', uri: 'http://***@host:1', token: '***' },
      generator: [{ type: 'ollama', model: 'm' }],
    });
    expect(config.store.token).toBe('geheim');
    expect(maskSecrets({ store: { open: () => {}, token: 'geheim' } })).toEqual({ store: '(object)' });
  });
});
