import { describe, expect, it } from 'vitest';
import { createIndexing } from '../../src/cli/indexing.js';
import type { IngestOptions, IngestReport, Rag } from '../../src/core/types.js';

const report: IngestReport = {
  added: 1,
  changed: 0,
  unchanged: 2,
  removed: 0,
  failed: [{ uri: 'b.md', code: 'INPUT_INVALID', message: 'broken' }],
  warnings: [{ uri: 'c.md', message: 'odd' }],
  documents: 3,
  chunks: 5,
  tookMs: 1,
};

/** Only `ingest` is called. */
const ragWith = (ingest: (sources: unknown, options: IngestOptions) => Promise<IngestReport>) =>
  ({ collection: 'notes', ingest }) as unknown as Rag;

describe('indexing beside the server', () => {
  it('tells how far it is, and nothing before there is work or after it', async () => {
    const lines: string[] = [];
    const indexing = createIndexing(['/notes'], { log: (line) => lines.push(line) });
    const seen: (string | undefined)[] = [];
    const rag = ragWith(async (sources, { onProgress, roots, prune }) => {
      expect({ sources, roots, prune }).toEqual({ sources: ['/notes'], roots: ['/notes'], prune: true });
      seen.push(indexing.status());
      onProgress?.({ phase: 'ingesting', done: 120, total: 400, chunks: 9 });
      seen.push(indexing.status());
      return report;
    });
    await indexing.run(rag, new AbortController().signal);
    expect(seen).toEqual([
      'indexing has just begun: results may be incomplete',
      'indexing: 120 of 400 documents; results may be incomplete',
    ]);
    expect(indexing.status()).toBeUndefined();
    expect(createIndexing([], { log: () => {} }).status()).toBeUndefined();
    expect(lines).toEqual([
      'not indexed: b.md: INPUT_INVALID broken',
      'warning: c.md: odd',
      'indexed: 1 added, 0 changed, 0 removed, 2 unchanged',
    ]);
  });

  it('logs a failure instead of throwing it, and not its own ending', async () => {
    const lines: string[] = [];
    const failing = createIndexing(['/notes'], { log: (line) => lines.push(line) });
    await failing.run(
      ragWith(() => Promise.reject(new Error('disk full'))),
      new AbortController().signal,
    );
    const ended = createIndexing(['/notes'], { log: (line) => lines.push(line) });
    await ended.run(
      ragWith(() => Promise.reject(new Error('ended'))),
      AbortSignal.abort(),
    );
    expect(lines).toEqual(['indexing failed: disk full']);
    expect(failing.status()).toBeUndefined();
  });

  it('tells clients when something changed, and only then', async () => {
    const told: string[] = [];
    const options = { log: () => {}, changed: (collection: string) => told.push(collection) };
    const same: IngestReport = { ...report, added: 0 };
    const { signal } = new AbortController();
    await createIndexing(['/notes'], options).run(
      ragWith(async () => same),
      signal,
    );
    expect(told).toEqual([]);
    await createIndexing(['/notes'], options).run(
      ragWith(async () => report),
      signal,
    );
    expect(told).toEqual(['notes']);
  });

  it('watches on when it is asked to, and ends with the server', async () => {
    const lines: string[] = [];
    const told: string[] = [];
    const statuses: (string | undefined)[] = [];
    const ending = new AbortController();
    const indexing = createIndexing(['/notes'], {
      log: (line) => lines.push(line),
      watch: true,
      changed: (collection) => told.push(collection),
    });
    const rag = {
      collection: 'notes',
      async *watch(sources: unknown, { roots, prune, signal }: IngestOptions): AsyncIterable<IngestReport> {
        expect({ sources, roots, prune }).toEqual({ sources: ['/notes'], roots: ['/notes'], prune: true });
        statuses.push(indexing.status());
        yield { ...report, failed: [], warnings: [] };
        statuses.push(indexing.status());
        yield { ...report, added: 0, removed: 1, failed: [], warnings: [] };
        ending.abort(new Error('the server is ending'));
        signal?.throwIfAborted();
      },
    } as unknown as Rag; // only `watch` is called
    await indexing.run(rag, ending.signal);
    expect(statuses).toEqual(['indexing has just begun: results may be incomplete', undefined]);
    expect(told).toEqual(['notes', 'notes']);
    expect(lines).toEqual([
      'indexed: 1 added, 0 changed, 0 removed, 2 unchanged',
      'indexed: 0 added, 0 changed, 1 removed, 2 unchanged',
    ]);
  });
});
