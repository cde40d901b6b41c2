import type { FoundSource, Watcher } from './contracts.js';
import type { IngestReport } from './types.js';

export interface WatchParts {
  /** The sources, resolved; nothing is listed yet. */
  readonly resolve: () => Promise<readonly FoundSource[]>;
  readonly watcher: Watcher;
  readonly ingest: () => Promise<IngestReport>;
  readonly signal: AbortSignal;
}

/**
 * Keeps a collection in step with its sources: one report for the state at the start, then one after each burst of changes that altered
 * something. Each run is a whole ingest, which reads what is there and does only what changed: no event can be lost or misread.
 * An error ends the watching; a document that fails is told in the report.
 */
export async function* watch({ resolve, watcher, ingest, signal }: WatchParts): AsyncGenerator<IngestReport, void, undefined> {
  const bases = [...new Set((await resolve()).map(({ base }) => base))];
  let isFirst = true;
  for await (const _ of watcher.changes(bases, { signal })) {
    const report = await ingest();
    if (isFirst || isNews(report)) yield report;
    isFirst = false;
  }
}

function isNews({ added, changed, removed, failed }: IngestReport): boolean {
  return added + changed + removed + failed.length > 0;
}
