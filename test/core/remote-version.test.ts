import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import type { Collection, VectorStore } from '../../src/core/contracts.js';
import { openTestRag } from '../support/rag.js';

/** A store whose version takes as long as the test likes to be read. */
async function openSlowVersions() {
  const inner = await openMemoryStore({});
  const gate = { open: Promise.resolve(), reads: 0 };
  const slow = (collection: Collection): Collection => ({
    ...collection,
    remote: true,
    async version(options) {
      gate.reads++;
      await gate.open;
      return collection.version(options);
    },
  });
  const store: VectorStore = { ...inner, open: async (request, options) => slow(await inner.open(request, options)) };
  return { store, gate };
}

describe('the version of a remote collection', () => {
  it('is read beside a search, which does not wait for it', async () => {
    const { store, gate } = await openSlowVersions();
    const rag = await openTestRag({ store });
    await rag.ingest([{ id: 'a', text: 'one whale' }]);
    await rag.search('whale');
    let release = () => {};
    gate.open = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reads = gate.reads;
    expect((await rag.search('another whale')).hits).toHaveLength(1);
    expect(gate.reads).toBe(reads + 1);
    release();
  });

  it('guards what is kept: the same search is cached, and after a write of another process it is not', async () => {
    const { store } = await openSlowVersions();
    const reader = await openTestRag({ store });
    const writer = await openTestRag({ store });
    await writer.ingest([{ id: 'a', text: 'one whale' }]);
    await reader.search('anything');
    for (let round = 0; round < 20; round++) {
      expect(await reader.search('whale', { topK: 100 })).toMatchObject({ cached: false, hits: { length: round + 1 } });
      expect(await reader.search('whale', { topK: 100 })).toMatchObject({ hits: { length: round + 1 } });
      expect((await reader.search('whale', { topK: 100 })).cached).toBe(true);
      await writer.ingest([{ id: `b${round}`, text: `whale number ${round}` }]);
    }
  });

  it('is waited for when the same search is under way: that one may have begun before a write', async () => {
    const { store } = await openSlowVersions();
    const reader = await openTestRag({ store });
    const writer = await openTestRag({ store });
    await writer.ingest([{ id: 'a', text: 'one whale' }]);
    await reader.search('anything');
    const early = reader.search('whale');
    await writer.ingest([{ id: 'b', text: 'two whales' }]);
    expect((await reader.search('whale')).hits).toHaveLength(2);
    await early;
  });
});
