import { messageOf } from '../core/errors.js';
import type { IngestOptions, IngestProgress, IngestReport, Rag } from '../core/types.js';

export interface IndexingOptions {
  readonly log: (message: string) => void;
  /** Go on, and keep the collection in step with every change. @default false */
  readonly watch?: boolean | undefined;
  /** Called after each run that altered something. */
  readonly changed?: ((collection: string) => void) | undefined;
}

/** Folders that are indexed while the server serves. */
export interface Indexing {
  /** Resolves when it is through, or when watching ends; what fails is logged, never thrown. */
  readonly run: (rag: Rag, signal: AbortSignal) => Promise<void>;
  /** What is being done just now, in a sentence; undefined: nothing. */
  readonly status: () => string | undefined;
}

/** Brings the collection in step with folders: what is new or changed goes in, what is gone from them goes out. */
export function createIndexing(folders: readonly string[], { log, watch = false, changed }: IndexingOptions): Indexing {
  let state: 'waiting' | 'running' | 'done' = folders.length === 0 ? 'done' : 'waiting';
  let progress: IngestProgress | undefined;

  function take({ collection }: Rag, { failed, warnings, ...counts }: IngestReport): void {
    for (const { uri, code, message } of failed) log(`not indexed: ${uri}: ${code} ${message}`);
    for (const { uri, message } of warnings) log(`warning: ${uri}: ${message}`);
    log(`indexed: ${counts.added} added, ${counts.changed} changed, ${counts.removed} removed, ${counts.unchanged} unchanged`);
    state = 'done'; // when watching, with the first report: later ones find a collection that is whole
    if (counts.added + counts.changed + counts.removed > 0) changed?.(collection);
  }

  return {
    async run(rag, signal) {
      if (state !== 'waiting') return;
      state = 'running';
      const onProgress = (event: IngestProgress) => {
        progress = event;
      };
      const options: IngestOptions = { prune: true, roots: folders, signal, onProgress };
      try {
        if (watch) for await (const report of rag.watch(folders, options)) take(rag, report);
        else take(rag, await rag.ingest(folders, options));
      } catch (error) {
        if (signal.aborted) return;
        log(`${watch ? 'watching' : 'indexing'} failed: ${messageOf(error)}`);
        changed?.(rag.collection); // it may have come half-way
      } finally {
        state = 'done';
      }
    },
    status() {
      if (state === 'done') return undefined;
      if (progress === undefined || progress.total === 0) return 'indexing has just begun: results may be incomplete';
      return `indexing: ${progress.done} of ${progress.total} documents; results may be incomplete`;
    },
  };
}
