import { messageOf } from '../core/errors.js';
import type { IngestProgress, Rag } from '../core/types.js';

/** Folders that are indexed while the server serves. */
export interface Indexing {
  /** Resolves when it is through; what fails is logged, never thrown. */
  readonly run: (rag: Rag, signal: AbortSignal) => Promise<void>;
  /** What is being done just now, in a sentence; undefined: nothing. */
  readonly status: () => string | undefined;
}

/** Brings the collection in step with folders: what is new or changed goes in, what is gone from them goes out. */
export function createIndexing(folders: readonly string[], log: (message: string) => void): Indexing {
  let state: 'waiting' | 'running' | 'done' = folders.length === 0 ? 'done' : 'waiting';
  let progress: IngestProgress | undefined;

  return {
    async run(rag, signal) {
      if (state !== 'waiting') return;
      state = 'running';
      const onProgress = (event: IngestProgress) => {
        progress = event;
      };
      try {
        const { failed, warnings, ...counts } = await rag.ingest(folders, { prune: true, roots: folders, signal, onProgress });
        for (const { uri, code, message } of failed) log(`not indexed: ${uri}: ${code} ${message}`);
        for (const { uri, message } of warnings) log(`warning: ${uri}: ${message}`);
        log(
          `indexed: ${counts.added} added, ${counts.changed} changed, ${counts.removed} removed, ${counts.unchanged} unchanged`,
        );
      } catch (error) {
        if (!signal.aborted) log(`indexing failed: ${messageOf(error)}`);
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
