import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FilterJson, type IngestSource, openRag, type Rag, type StoreOption } from '../../src/sdk/index.js';
import { chroma } from './chroma.js';
import { isIsolated, milvusLite, milvusStandalone, runIsolated } from './milvus-servers.js';
import { requireServer } from './require-server.js';

const requiredChroma = await requireServer(chroma);
const requiredMilvus = await requireServer(milvusLite);
const standalone = await requireServer(milvusStandalone);

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

/** A server, as it is configured and ended. */
interface Started {
  readonly name: string;
  readonly store: StoreOption;
  stop(): Promise<void>;
}

/** For tests that ask Milvus 2.3: it takes a fifth of a second for every search. */
const SLOW_MS = 600_000;

const skipped = requiredChroma.skipped || requiredMilvus.skipped || isIsolated();
describe.skipIf(skipped)(`${requiredMilvus.title} and ${requiredChroma.title}`, () => {
  if (requiredChroma.skipped || requiredMilvus.skipped) return;
  const { server: startChroma } = requiredChroma;
  const { server: startMilvus } = requiredMilvus;
  sameHits(['Milvus Lite', 'Chroma'], async (folder) => {
    const [milvusServer, chromaServer] = [await startMilvus(), await startChroma(join(folder, 'chroma'))];
    const milvus: StoreOption = { type: 'milvus', uri: milvusServer.uri, index: 'FLAT', timeoutMs: 60_000 };
    // Above the number of chunks, so that its graph is looked through whole.
    const chromaStore: StoreOption = { type: 'chroma', uri: chromaServer.uri, hnsw: { ef_search: 10_000 } };
    return [
      { name: 'Milvus Lite', store: milvus, stop: milvusServer.stop },
      { name: 'Chroma', store: chromaStore, stop: chromaServer.stop },
    ];
  });
});

describe.skipIf(standalone.skipped)(`${standalone.title} 2.3.5`, () => {
  if (standalone.skipped) return;
  const { server: start } = standalone;
  if (!isIsolated()) {
    it('does the same in a network namespace of its own', { timeout: 3 * SLOW_MS }, async () => {
      const { status, output } = await runIsolated('test/servers/same-hits.test.ts');
      expect(status, output).toBe(0);
    });
    return;
  }
  sameHits(['Milvus 2.3.5'], async () => {
    const server = await start();
    const store: StoreOption = { type: 'milvus', uri: server.uri, index: 'FLAT', timeoutMs: 60_000 };
    return [{ name: 'Milvus 2.3.5', store, stop: server.stop }];
  });
});

/** Compares all servers, and the embedded store in a folder, with the embedded store in memory. */
function sameHits(names: readonly string[], start: (folder: string) => Promise<readonly Started[]>): void {
  let folder: string;
  let servers: readonly Started[];
  let chunks: number;
  const rags = new Map<string, Rag>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hotrag-same-hits-'));
    servers = await start(folder);
    const embedded: readonly (readonly [string, StoreOption])[] = [
      ['memory, volatile', { type: 'memory' }],
      ['memory, durable', { type: 'memory', path: join(folder, 'memory') }],
    ];
    const counts = new Set<number>();
    for (const [name, store] of [...embedded, ...servers.map((server) => [server.name, server.store] as const)]) {
      const rag = await openRag({ store, groups: { default: { maxChars: 400 } }, caches: { search: false } });
      rags.set(name, rag);
      const report = await rag.ingest(SOURCES);
      expect(report).toMatchObject({ failed: [], documents: PACKAGES.length + 36 });
      counts.add(report.chunks);
    }
    expect(counts.size).toBe(1);
    chunks = Math.max(...counts);
  }, SLOW_MS);
  afterAll(async () => {
    for (const rag of rags.values()) await rag.close();
    for (const server of servers) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has a corpus of hundreds of chunks and queries whose answers tie', async () => {
    expect(chunks).toBeGreaterThan(300);
    expect(chunks).toBeLessThan(10_000);
    expect(QUERIES).toHaveLength(25);
    const { hits } = await found('memory, volatile', SAID_OFTEN[0] ?? '', undefined, 'vector');
    expect(new Set(hits.map(({ score }) => score)).size).toBe(1);
  });

  const compared = ['memory, durable', ...names].flatMap((name) => MODES.map((mode) => [name, mode] as const));
  it.each(compared)('the same ten hits from %s, by %s', { timeout: SLOW_MS }, async (name, mode) => {
    let hits = 0;
    for (const query of QUERIES) {
      const counts = FILTERS.map(async (filter) => {
        const wanted = await found('memory, volatile', query, filter, mode);
        const given = await found(name, query, filter, mode);
        const idsOf = (result: typeof wanted) => result.hits.map(({ id }) => id);
        expect(idsOf(given), `${query} ${JSON.stringify(filter)}`).toEqual(idsOf(wanted));
        return given.hits.length;
      });
      for (const count of await Promise.all(counts)) hits += count;
    }
    expect(hits).toBeGreaterThan(mode === 'keyword' ? 500 : 950);
  });

  function found(name: string, query: string, filter: FilterJson | undefined, mode: (typeof MODES)[number]) {
    const rag = rags.get(name);
    if (rag === undefined) throw new Error(`there is no ${name}`);
    return rag.search(query, { filter, mode, topK: 10 });
  }
}
