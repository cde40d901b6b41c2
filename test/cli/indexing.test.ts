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
const ragWith = (ingest: (sources: unknown, options: IngestOptions) => Promise<IngestReport>) => ({ ingest }) as unknown as Rag;

describe('indexing beside the server', () => {
  it('tells how far it is, and nothing before there is work or after it', async () => {
    const lines: string[] = [];
    const indexing = createIndexing(['/notes'], (line) => lines.push(line));
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
    expect(createIndexing([], () => {}).status()).toBeUndefined();
    expect(lines).toEqual([
      'not indexed: b.md: INPUT_INVALID broken',
      'warning: c.md: odd',
      'indexed: 1 added, 0 changed, 0 removed, 2 unchanged',
    ]);
  });

  it('logs a failure instead of throwing it, and not its own ending', async () => {
    const lines: string[] = [];
    const failing = createIndexing(['/notes'], (line) => lines.push(line));
    await failing.run(
      ragWith(() => Promise.reject(new Error('disk full'))),
      new AbortController().signal,
    );
    const ended = createIndexing(['/notes'], (line) => lines.push(line));
    await ended.run(
      ragWith(() => Promise.reject(new Error('ended'))),
      AbortSignal.abort(),
    );
    expect(lines).toEqual(['indexing failed: disk full']);
    expect(failing.status()).toBeUndefined();
  });
});
