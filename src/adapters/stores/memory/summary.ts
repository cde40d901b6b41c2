import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowStore } from './rows.js';

/** Keeps `summary.json` beside the store in step: what is in it, for those who must not take the time to open it. */
export interface Summary {
  /** Something changed: writes it again soon. */
  touch(): void;
  /** Writes what is still to be written. */
  close(): Promise<void>;
}

/** Commits of an ingest come by the dozen; one file for all of them is enough. */
const QUIET_MS = 250;
/** Documents that are looked at for names of fields and documents. */
const SAMPLE = 200;
const MOST_FIELDS = 20;
const MOST_EXAMPLES = 5;

export function createSummary(rows: RowStore, folder: string): Summary {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  return {
    touch() {
      timer ??= setTimeout(() => {
        timer = undefined;
        write();
      }, QUIET_MS).unref();
    },
    async close() {
      if (timer !== undefined) {
        clearTimeout(timer);
        timer = undefined;
        write();
      }
      await writing;
    },
  };

  function write(): void {
    writing = writing.then(async () => {
      const temporary = join(folder, `summary.${process.pid}.tmp`);
      try {
        const collections = rows.collections().map(describe);
        await writeFile(temporary, `${JSON.stringify({ collections }, undefined, 2)}\n`);
        await rename(temporary, join(folder, 'summary.json'));
      } catch {
        // It repeats what is in the store: a commit that succeeded must not fail over it.
        await rm(temporary, { force: true }).catch(() => {});
      }
    });
  }

  function describe(space: ReturnType<RowStore['collections']>[number]) {
    const snapshot = rows.rowsOf(space).snapshot();
    try {
      const sample = snapshot.documents(undefined, SAMPLE).map(({ row }) => row);
      const counts = new Map<string, number>();
      for (const row of sample) for (const field of Object.keys(row.metadata)) counts.set(field, (counts.get(field) ?? 0) + 1);
      return {
        name: space.collection,
        documents: snapshot.state.documents,
        chunks: snapshot.state.chunks,
        embedder: space.fingerprint.embedder,
        fields: [...counts]
          .sort((left, right) => right[1] - left[1])
          .slice(0, MOST_FIELDS)
          .map(([field]) => field),
        examples: sample.slice(0, MOST_EXAMPLES).map((row) => row.uri),
      };
    } finally {
      snapshot.release();
    }
  }
}
