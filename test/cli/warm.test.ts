import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { warmCaches } from '../../src/sdk/warm.js';
import { createMapCache } from '../adapters/caches/map-cache.js';
import { makeFolder } from '../support/folder.js';
import { createEchoGenerator, openTestRag } from '../support/rag.js';
import { fakeHost } from './fake-host.js';

const NOTES = [
  { id: 'a', text: 'one whale', metadata: { year: 2020 } },
  { id: 'b', text: 'two ants', metadata: { year: 2024 } },
];

describe('warmCaches', () => {
  it('computes what is asked and leaves it for other processes; the second time all is there', async () => {
    const store = { type: 'memory', path: makeFolder() } as const;
    const shared = createMapCache();
    const open = () => openTestRag({ store, caches: { shared: shared.connect() } });
    const queries = ['whale', { query: 'ants', filter: { year: 2024 }, topK: 3, mode: 'keyword' as const }];
    const first = await open();
    await first.ingest(NOTES);
    expect(await warmCaches(first, queries)).toMatchObject({ queries: 2, cached: 0, computed: 2, failed: [] });
    await first.close();
    const second = await open();
    expect(await warmCaches(second, queries)).toMatchObject({ queries: 2, cached: 2, computed: 0 });
    expect((await second.search('ants', { filter: { year: 2024 }, topK: 3, mode: 'keyword' })).cached).toBe(true);
    expect((await second.search('ants')).cached).toBe(false);
  });

  it('answers too, where that is asked for', async () => {
    const generator = createEchoGenerator();
    const rag = await openTestRag({ generator });
    await rag.ingest(NOTES);
    await warmCaches(rag, ['whale']);
    expect(generator.requests).toHaveLength(0);
    expect(await warmCaches(rag, ['whale', 'ants'], { answers: true })).toMatchObject({ computed: 2 });
    expect(generator.requests).toHaveLength(2);
    expect((await rag.generate('whale')).cached).toBe('exact');
  });

  it('reports a query that is wrong by its position, and goes on', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const report = await warmCaches(rag, ['whale', { query: 'ants', topK: 0 }, '', 'ants']);
    expect(report).toMatchObject({ queries: 4, computed: 2 });
    expect(report.failed.map(({ position, code }) => [position, code])).toEqual([
      [2, 'INPUT_INVALID'],
      [3, 'INPUT_INVALID'],
    ]);
  });

  it('ends where nothing can be had, and when it is aborted', async () => {
    const rag = await openTestRag();
    await expect(warmCaches(rag, ['whale'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const reason = new Error('enough');
    await expect(warmCaches(rag, ['whale'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('the command', () => {
  const run = async (folder: string, ...words: string[]) => {
    const { host, written } = fakeHost({ cwd: folder, home: folder });
    return { status: await runProgram(words, host), ...written };
  };

  /** A folder with a store, and a configuration under which embeddings outlive the process. */
  async function makePlace(files: Readonly<Record<string, string>>) {
    const config = JSON.stringify({ store: { type: 'memory', path: '.hotrag' }, caches: { diskBytes: 1_000_000 } });
    const folder = makeFolder({ 'hotrag.config.json': config, ...files });
    const rag = await openTestRag({ store: { type: 'memory', path: join(folder, '.hotrag') } });
    await rag.ingest(NOTES);
    await rag.close();
    return folder;
  }

  it('warm refuses where what it computes would end with it', async () => {
    const folder = makeFolder({ 'queries.txt': 'whale' });
    expect((await run(folder, 'warm', 'queries.txt')).stderr).toContain('caches.shared: none is set');
  });

  it('warm asks one query a line, texts and JSON, and reports', async () => {
    const queries = '# often asked\n\nwhale\n{"query":"ants","topK":3}\n{"query":"ants","top":3}\n';
    const folder = await makePlace({ 'queries.txt': queries });
    const { status, stdout, stderr } = await run(folder, 'warm', 'queries.txt', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      queries: 3,
      computed: 2,
      cached: 0,
      failed: [{ position: 3, code: 'INPUT_INVALID' }],
    });
    expect(status).toBe(1);
    expect((await run(folder, 'warm', 'queries.txt')).stdout).toContain('3 queries in');
  });

  it.each([
    ['a file that is not there', 'none.txt', 'none.txt: the file can'],
    ['a broken line', 'broken.txt', 'broken.txt:2'],
    ['a line without a query', 'empty.txt', 'empty.txt:1: needs a "query"'],
  ])('warm names %s', async (_name, file, words) => {
    const folder = await makePlace({ 'broken.txt': 'whale\n{"query":', 'empty.txt': '{"q":"x"}' });
    const { status, stderr } = await run(folder, 'warm', file);
    expect(stderr).toContain(words);
    expect(status).toBeGreaterThan(0);
  });

  it('stats shows each cache with its hit rate, the time saved, and its tiers', async () => {
    const { status, stdout } = await run(await makePlace({}), 'stats');
    expect(status).toBe(0);
    expect(stdout).toMatch(/default is at version \S+/);
    expect(stdout).toMatch(/cache +entries +bytes +evicted +hits +misses +hit rate +ms saved/);
    expect(stdout).toMatch(/embeddings +disk +0 +0 +0/);
  });
});
