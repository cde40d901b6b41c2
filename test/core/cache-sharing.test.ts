import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import type { Collection, VectorStore } from '../../src/core/contracts.js';
import type { CacheStats } from '../../src/core/types.js';
import type { OpenRagOptions } from '../../src/sdk/index.js';
import { createMapCache, hang, refuse } from '../adapters/caches/map-cache.js';
import { makeFolder } from '../support/folder.js';
import { createEchoGenerator, createLetterEmbedder, openTestRag } from '../support/rag.js';

const WHALE = { id: 'a', text: 'one whale' };
const tier = (stats: CacheStats, layer: keyof CacheStats['layers'], name: string) =>
  stats.layers[layer].tiers.find((one) => one.name === name);

/** Several engines over one store and one shared cache, as replicas are. */
async function openReplicas(options: OpenRagOptions = {}) {
  const store = { type: 'memory', path: makeFolder() } as const;
  const shared = createMapCache();
  const open = (more: OpenRagOptions = {}) =>
    openTestRag({ store, ...options, ...more, caches: { shared: shared.connect(), ...more.caches } });
  const first = await open();
  await first.ingest([WHALE]);
  return { store, shared, first, open };
}

describe('a shared cache', () => {
  it('gives one replica what another has computed: embeddings, hits and answers', async () => {
    const generator = createEchoGenerator();
    const { first, open } = await openReplicas({ generator });
    const found = await first.search('whale');
    const told = await first.generate('whale?');
    await first.close(); // waits until all is kept

    const second = await open();
    expect(await second.search('whale')).toEqual({ hits: found.hits, tookMs: expect.any(Number), cached: true });
    const answer = await second.generate('whale?');
    expect(answer).toEqual({ ...told, cached: 'exact', metrics: expect.objectContaining({ outputTokens: null }) });
    expect(generator.requests).toHaveLength(1);
    const stats = await second.cacheStats();
    expect(tier(stats, 'search', 'map')).toEqual({ name: 'map', hits: 1, misses: 0, errors: 0 });
    expect(tier(stats, 'search', 'memory')).toEqual({ name: 'memory', hits: 0, misses: 1, errors: 0 });
    expect(stats.layers.search).toMatchObject({ hits: 1, misses: 0, hitRate: 1, entries: 1 });
    // The second time it is in the process.
    expect((await second.search('whale')).cached).toBe(true);
    expect(tier(await second.cacheStats(), 'search', 'memory')).toMatchObject({ hits: 1, misses: 1 });
  });

  it('hands out frozen hits, as the cache in the process does', async () => {
    const { first, open } = await openReplicas();
    await first.search('whale');
    await first.close();
    const { hits } = await (await open()).search('whale');
    expect(Object.isFrozen(hits) && Object.isFrozen(hits[0]?.metadata)).toBe(true);
  });

  it('never answers from before a write that was acknowledged, in any replica', async () => {
    const { first, open } = await openReplicas();
    const second = await open();
    for (let round = 0; round < 30; round++) {
      await first.ingest([{ id: `b${round}`, text: `whale number ${round}` }]);
      expect((await second.search('whale', { topK: 100 })).hits).toHaveLength(round + 2);
      expect((await second.search('whale', { topK: 100 })).cached).toBe(true);
      expect((await first.search('whale', { topK: 100 })).hits).toHaveLength(round + 2);
    }
    await first.documents.delete({ ids: ['a'] });
    expect((await second.search('whale', { topK: 100 })).hits).toHaveLength(30);
  });

  it('never answers from before a write on a store that is far away, where the last version is guessed', async () => {
    const inner = await openMemoryStore({});
    const remote = (collection: Collection): Collection => ({ ...collection, remote: true });
    const store: VectorStore = { ...inner, open: async (request, options) => remote(await inner.open(request, options)) };
    const shared = createMapCache();
    const open = () => openTestRag({ store, caches: { shared: shared.connect() } });
    const [reader, other, writer] = await Promise.all([open(), open(), open()]);
    await writer.ingest([WHALE]);
    for (let round = 0; round < 30; round++) {
      await other.search('whale', { topK: 100 });
      expect((await reader.search('whale', { topK: 100 })).hits).toHaveLength(round + 1);
      await writer.ingest([{ id: `b${round}`, text: `whale number ${round}` }]);
      expect((await reader.search('whale', { topK: 100 })).hits).toHaveLength(round + 2);
    }
  });

  it('is apart for two deployments, also where one store is a copy of the other', async () => {
    const { first, store, shared } = await openReplicas();
    const copy = makeFolder();
    await first.close();
    cpSync(store.path, copy, { recursive: true });
    const [left, right] = await Promise.all(
      [store.path, copy].map((path) => openTestRag({ store: { type: 'memory', path }, caches: { shared: shared.connect() } })),
    );
    await left?.ingest([{ id: 'b', text: 'a whale on the left' }]);
    await right?.ingest([{ id: 'c', text: 'a whale on the right' }]);
    const idsOf = async (rag = left) => (await rag?.search('whale'))?.hits.map(({ documentId }) => documentId).sort();
    expect(await idsOf(left)).toEqual(['a', 'b']);
    expect(await idsOf(right)).toEqual(['a', 'c']);
  });

  it('is apart for engines that would answer differently', async () => {
    const generator = createEchoGenerator();
    const { first, open } = await openReplicas({ generator });
    await first.search('whale');
    await first.generate('whale?');
    await first.close();
    const reranking = await open({ reranker: { id: 'backwards', rerank: async (_, texts) => texts.map((_, index) => index) } });
    expect((await reranking.search('whale')).cached).toBe(false);
    const prompted = await open({ prompt: 'Answer in rhyme.' });
    expect((await prompted.search('whale')).cached).toBe(true);
    expect((await prompted.generate('whale?')).cached).toBe(false);
  });

  it('does not keep what it has no room for, which stays in the process', async () => {
    const shared = createMapCache({ maxValueBytes: 700 });
    const rag = await openTestRag({ caches: { shared } });
    await rag.ingest([{ id: 'a', text: `whale ${'of great length '.repeat(40)}` }]);
    await rag.search('whale');
    expect((await rag.search('whale')).cached).toBe(true);
    const stats = await rag.cacheStats();
    expect(tier(stats, 'search', 'map')).toEqual({ name: 'map', hits: 0, misses: 1, errors: 0 });
    expect([...shared.entries.values()].every(({ value }) => value.length <= 700)).toBe(true);
  });

  it('holds only what ages', async () => {
    let time = 0;
    const shared = createMapCache({ now: () => time });
    const caches = () => ({ shared: shared.connect(), search: { ttlMs: 60_000 } });
    const store = { type: 'memory', path: makeFolder() } as const;
    const first = await openTestRag({ store, caches: caches() });
    await first.ingest([WHALE]);
    await first.search('whale');
    await first.close();
    time = 60_001;
    expect((await (await openTestRag({ store, caches: caches() })).search('whale')).cached).toBe(false);
  });

  it.each([
    ['garbage', (_: Uint8Array) => Uint8Array.of(1, 2, 3)],
    ['a truncated value', (value: Uint8Array) => value.subarray(0, value.length - 5)],
    ['a value of another version', (value: Uint8Array) => value.map((byte, index) => (index === 2 ? byte + 1 : byte))],
    ['another key’s value', (_: Uint8Array, other: Uint8Array) => other],
  ])('that returns %s is no more than a miss and an error', async (_name, spoil) => {
    const { first, shared, open } = await openReplicas();
    const { hits } = await first.search('whale');
    await first.generate('whale?');
    await first.close();
    const values = [...shared.entries.values()].map(({ value }) => value);
    for (const [key, entry] of shared.entries) {
      const other = values.find((value) => value !== entry.value) ?? entry.value;
      shared.entries.set(key, { ...entry, value: spoil(entry.value, other) });
    }
    const second = await open();
    expect(await second.search('whale')).toMatchObject({ hits, cached: false });
    const stats = await second.cacheStats();
    expect(tier(stats, 'search', 'map')).toMatchObject({ hits: 0, misses: 0, errors: 1 });
    expect(tier(stats, 'embeddings', 'map')).toMatchObject({ hits: 0, errors: 1 });
    await second.close();
    expect((await (await open()).search('whale')).cached).toBe(true); // it was kept anew
  });

  it.each([
    ['is away', refuse],
    ['hangs', hang],
  ])('that %s fails nothing; the loss is counted and told once, and it comes back by itself', async (_name, fail) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const { first, shared } = await openReplicas();
    shared.fail = fail;
    for (let round = 0; round < 20; round++) {
      expect(await first.search(`whale ${round}`)).toMatchObject({ hits: { length: 1 }, cached: false });
      expect((await first.search(`whale ${round}`)).cached).toBe(true); // from the process
      expect((await first.generate(`whale ${round}?`)).cached).toBe(false);
    }
    const lost = await first.cacheStats();
    expect(tier(lost, 'search', 'map')?.errors).toBeGreaterThanOrEqual(20);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toContain('map cache is left out');

    shared.fail = undefined;
    await vi.waitFor(
      async () => {
        await first.search(`whale ${performance.now()}`);
        expect(shared.entries.size).toBeGreaterThan(5);
      },
      { timeout: 10_000, interval: 50 },
    );
    expect(warn).toHaveBeenLastCalledWith('map cache is back', 'HotragWarning');
  });

  it('is asked once for a hundred identical requests, and the engine too; one that is aborted ends none of the others', async () => {
    const generator = createEchoGenerator();
    const { shared, open } = await openReplicas({ generator });
    const rag = await open();
    const leaver = new AbortController();
    const gets = shared.calls.get;
    const leaves = rag.generate('whale?', { signal: leaver.signal });
    const answers = Array.from({ length: 99 }, () => rag.generate('whale?'));
    leaver.abort(new Error('gone'));
    await expect(leaves).rejects.toThrow('gone');
    expect(new Set((await Promise.all(answers)).map(({ text }) => text)).size).toBe(1);
    expect(generator.requests).toHaveLength(1);
    expect(shared.calls.get - gets).toBe(3); // the answer, the hits, the query's vector
  });
});

describe('embeddings on disk', () => {
  const options = (path: string, more: OpenRagOptions['caches'] = {}) =>
    ({ store: { type: 'memory', path }, caches: more }) as const satisfies OpenRagOptions;

  it('are there after a restart: ingesting the same again embeds nothing, in another collection too', async () => {
    const path = makeFolder();
    const sources = Array.from({ length: 40 }, (_, index) => ({ id: `d${index}`, text: `document of number ${index} whale` }));
    const first = await openTestRag({ ...options(path), embedder: createLetterEmbedder() });
    await first.ingest(sources);
    await first.close();

    const embedder = createLetterEmbedder();
    const second = await openTestRag({ ...options(path), embedder });
    await second.ingest(sources, { collection: 'another' });
    expect(embedder.embedded).toEqual([]);
    expect(tier(await second.cacheStats(), 'embeddings', 'disk')).toMatchObject({ hits: 40, misses: 0, errors: 0 });
    const bare = await openTestRag({ embedder: createLetterEmbedder() });
    await bare.ingest(sources);
    const scores = async (rag = bare, collection?: string) =>
      (await rag.search('whale', { mode: 'vector', ...(collection === undefined ? {} : { collection }) })).hits.map(
        ({ score }) => score,
      );
    expect(await scores(second, 'another')).toEqual(await scores(bare));
  });

  it('are asked before the shared cache, and filled from it', async () => {
    const shared = createMapCache();
    const fill = await openTestRag({ ...options(makeFolder(), { shared: shared.connect() }), embedder: createLetterEmbedder() });
    await fill.ingest([WHALE]);
    await fill.close();
    const path = makeFolder();
    const embedder = createLetterEmbedder();
    const first = await openTestRag({ ...options(path, { shared: shared.connect() }), embedder });
    await first.ingest([WHALE]);
    expect(tier(await first.cacheStats(), 'embeddings', 'map')).toMatchObject({ hits: 1 });
    await first.close();
    const second = await openTestRag({ ...options(path, { shared: shared.connect() }), embedder });
    await second.ingest([WHALE], { collection: 'another' });
    const stats = await second.cacheStats();
    expect(tier(stats, 'embeddings', 'disk')).toMatchObject({ hits: 1 });
    expect(tier(stats, 'embeddings', 'map')).toMatchObject({ hits: 0, misses: 0 });
    expect(embedder.embedded).toEqual([]);
  });

  it('are none for the bundled embedder, unless they are asked for, nor where they are turned off', async () => {
    const tiersOf = async (rag: Awaited<ReturnType<typeof openTestRag>>) =>
      (await rag.cacheStats()).layers.embeddings.tiers.map(({ name }) => name);
    expect(await tiersOf(await openTestRag(options(makeFolder())))).toEqual(['memory']);
    expect(await tiersOf(await openTestRag(options(makeFolder(), { diskBytes: 1_000_000 })))).toEqual(['memory', 'disk']);
    const embedder = createLetterEmbedder();
    expect(await tiersOf(await openTestRag({ ...options(makeFolder(), { diskBytes: 0 }), embedder }))).toEqual(['memory']);
  });

  it('are left out when their folder cannot be made', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const path = makeFolder({ embeddings: 'a file' });
    const rag = await openTestRag({ ...options(join(path)), embedder: createLetterEmbedder() });
    expect(await rag.ingest([WHALE])).toMatchObject({ added: 1, failed: [] });
    expect((await rag.search('whale')).hits).toHaveLength(1);
    expect(tier(await rag.cacheStats(), 'embeddings', 'disk')?.errors).toBeGreaterThan(0);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describe('maxStaleMs', () => {
  it('lets results of before another process’s write stand for as long, and never those of before one’s own', async () => {
    const store = { type: 'memory', path: makeFolder() } as const;
    const reader = await openTestRag({ store, caches: { maxStaleMs: 86_400_000 } });
    const writer = await openTestRag({ store });
    await writer.ingest([WHALE]);
    expect((await reader.search('whale')).hits).toHaveLength(1);
    await writer.ingest([{ id: 'b', text: 'two whales' }]);
    expect(await reader.search('whale')).toMatchObject({ hits: { length: 1 }, cached: true });
    await reader.ingest([{ id: 'c', text: 'a whale of mine' }]);
    expect((await reader.search('whale')).hits).toHaveLength(3);
    await reader.documents.delete({ ids: ['c'] });
    expect((await reader.search('whale')).hits).toHaveLength(2);
  });
});

describe('an address of a shared cache', () => {
  it.each(['localhost:6379', 'http://localhost', 'redis://', 'memcached://'])('%s is refused', async (address) => {
    await expect(openTestRag({ caches: { shared: address } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('caches.shared'),
    });
  });
});
