import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FilterJson, type IngestSource, openRag, type Rag, type StoreOption } from '../../src/sdk/index.js';
import { chroma, type StartedChroma } from './chroma.js';
import { type MilvusServer, milvusLite } from './milvus-servers.js';
import { requireServer } from './require-server.js';

const requiredChroma = await requireServer(chroma);
const requiredMilvus = await requireServer(milvusLite);

/** Packages whose Markdown is the corpus: real text, on every machine that has the development dependencies. */
const PACKAGES: readonly { readonly name: string; readonly year: number; readonly tags: readonly string[] }[] = [
  { name: 'chromadb', year: 2023, tags: ['database', 'client'] },
  { name: 'csv-parse', year: 2010, tags: ['parser', 'stream'] },
  { name: 'fast-check', year: 2017, tags: ['test'] },
  { name: 'lmdb', year: 2020, tags: ['database'] },
  { name: 'lru-cache', year: 2010, tags: ['cache'] },
  { name: 'ollama', year: 2023, tags: ['client'] },
  { name: 'p-limit', year: 2016.5, tags: ['async'] },
  { name: 'picomatch', year: 2018, tags: ['parser'] },
  { name: 'yaml', year: 2018, tags: ['parser'] },
  { name: 'zod', year: 2020, tags: ['parser', 'types'] },
];

/** Said by several documents, so that their chunks tie in every mode. */
const SAID_OFTEN = [
  'The licence is MIT. Contributions are welcome: open an issue first.',
  'Install it with npm install, then import it and open the database.',
  'A cache keeps the most recently used values and drops the oldest.',
];
const SOURCES: readonly IngestSource[] = [
  ...PACKAGES.map(({ name, year, tags }) => ({
    uri: `node_modules/${name}/{README,readme}.md`,
    metadata: { package: name, year, tags },
  })),
  ...SAID_OFTEN.flatMap((text, said) =>
    Array.from({ length: 12 }, (_, copy) => ({
      id: `said-${said}/${copy * 7}`,
      text,
      metadata: { package: 'none', year: 2000 + copy, tags: copy % 2 === 0 ? ['parser'] : ['cache', "it's"] },
    })),
  ),
];

const QUERIES = [
  ...SAID_OFTEN,
  'how do I install it?',
  'licence',
  'open a database and put a value',
  'limit the number of promises that run at once',
  'parse a csv file with a header',
  'stream records',
  'delimiter and quote options',
  'match a glob pattern with braces',
  'dotfiles',
  'parse a YAML document and keep its comments',
  'validate an object against a schema',
  'infer a TypeScript type',
  'evict the least recently used entry after its ttl',
  'maximum size of the cache',
  'chat with a model and stream the answer',
  'embeddings of a text',
  'transactions and snapshots',
  'property based testing',
  'shrink a failing example',
  'collection query with a where filter',
  'performance benchmark against other packages',
  'the quick brown fox',
];

const FILTERS: readonly (FilterJson | undefined)[] = [
  undefined,
  { year: { $gte: 2010, $lt: 2018.5 } },
  { tags: { $contains: 'parser' } },
  { $or: [{ package: { $in: ['zod', 'yaml', 'none'] } }, { tags: { $containsAny: ['cache', "it's"] } }], year: { $ne: 2004 } },
];
const MODES = ['vector', 'keyword', 'hybrid'] as const;

const skipped = requiredChroma.skipped || requiredMilvus.skipped;
const title = [requiredChroma, requiredMilvus].map((required) => required.title).join(' and ');

describe.skipIf(skipped)(`the same ten hits from ${title} as from the embedded store`, () => {
  let folder: string;
  let chromaServer: StartedChroma;
  let milvusServer: MilvusServer;
  let chunks: number;
  const rags = new Map<string, Rag>();

  beforeAll(async () => {
    if (requiredChroma.skipped || requiredMilvus.skipped) return;
    folder = await mkdtemp(join(tmpdir(), 'hotrag-same-hits-'));
    chromaServer = await requiredChroma.server(join(folder, 'chroma'));
    milvusServer = await requiredMilvus.server();
    const stores: Readonly<Record<string, StoreOption>> = {
      'memory, volatile': { type: 'memory' },
      'memory, durable': { type: 'memory', path: join(folder, 'memory') },
      'Milvus Lite': { type: 'milvus', uri: milvusServer.uri, index: 'FLAT', timeoutMs: 60_000 },
      // Above the number of chunks, so that its graph is looked through whole.
      Chroma: { type: 'chroma', uri: chromaServer.uri, hnsw: { ef_search: 10_000 } },
    };
    const counts = new Set<number>();
    for (const [name, store] of Object.entries(stores)) {
      const rag = await openRag({ store, groups: { default: { maxChars: 400 } }, caches: { search: false } });
      rags.set(name, rag);
      const report = await rag.ingest(SOURCES);
      expect(report).toMatchObject({ failed: [], documents: PACKAGES.length + 36 });
      counts.add(report.chunks);
    }
    expect(counts.size).toBe(1);
    chunks = Math.max(...counts);
  });
  afterAll(async () => {
    for (const rag of rags.values()) await rag.close();
    await chromaServer?.stop();
    await milvusServer?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has a corpus of hundreds of chunks and queries whose answers tie', async () => {
    expect(chunks).toBeGreaterThan(300);
    expect(chunks).toBeLessThan(10_000);
    expect(QUERIES).toHaveLength(25);
    const { hits } = await found('memory, volatile', SAID_OFTEN[0] ?? '', undefined, 'vector');
    expect(new Set(hits.map(({ score }) => score)).size).toBe(1);
  });

  const compared = ['memory, durable', 'Milvus Lite', 'Chroma'];
  it.each(compared.flatMap((name) => MODES.map((mode) => [name, mode] as const)))('%s, by %s', async (name, mode) => {
    let hits = 0;
    for (const query of QUERIES) {
      for (const filter of FILTERS) {
        const wanted = await found('memory, volatile', query, filter, mode);
        const given = await found(name, query, filter, mode);
        const idsOf = (result: typeof wanted) => result.hits.map(({ id }) => id);
        expect(idsOf(given), `${query} ${JSON.stringify(filter)}`).toEqual(idsOf(wanted));
        hits += given.hits.length;
      }
    }
    expect(hits).toBeGreaterThan(mode === 'keyword' ? 500 : 950);
  });

  function found(name: string, query: string, filter: FilterJson | undefined, mode: (typeof MODES)[number]) {
    const rag = rags.get(name);
    if (rag === undefined) throw new Error(`there is no ${name}`);
    return rag.search(query, { filter, mode, topK: 10 });
  }
});
