import { createHash, randomUUID } from 'node:crypto';
import type { WriterRow } from './contract.js';

/**
 * The row whose counter is raised whenever writer rows are removed: a mirror that missed a writer who came, wrote and went sees it.
 * Writers' own ids are hex.
 */
export const EPOCH = 'epoch';
/** A commit renews its row far more often than this, ms; one that did not for so long is dead. */
const SILENCE_MS = 60_000;

/** Tells which writers are at work, by this process's own clock only: clocks of several machines differ. */
export interface WriterWatch {
  /** Those whose row says that a commit runs, and of which nothing tells that they died. Must be shown every reading, whole. */
  active(writers: readonly WriterRow[]): ReadonlySet<string>;
}

/**
 * A watch that has seen nothing yet: a writer that died an hour ago counts as active for the first minute. That costs time only:
 * nothing is cached and the mirror looks for changes at each search. The other way round costs nothing either: what a slow writer
 * that is taken for dead makes visible late, it makes visible before its commit resolves, and then its row changes again.
 * @param clock milliseconds, never falling
 */
export function createWriterWatch(clock: () => number): WriterWatch {
  let seen = new Map<string, { readonly seq: number; readonly since: number }>();
  return {
    active(writers) {
      const now = clock();
      const working = writers.filter(({ writer, seq }) => writer !== EPOCH && seq % 2 === 1);
      seen = new Map(
        working.map(({ writer, seq }) => {
          const known = seen.get(writer);
          return [writer, known?.seq === seq ? known : { seq, since: now }];
        }),
      );
      return new Set([...seen].filter(([, { since }]) => now - since < SILENCE_MS).map(([writer]) => writer));
    },
  };
}

/** One text for the state that settled writer rows stand for, in any order. */
export function settledVersion(writers: readonly WriterRow[]): string {
  const rows = writers.map(({ writer, seq }) => `${writer}.${seq}`).sort();
  return createHash('sha256').update(rows.join()).digest('hex').slice(0, 32);
}

/** A version while somebody writes: no other is equal to it, so nothing that was read meanwhile is ever found in a cache. */
export function passingVersion(): string {
  return `writing-${randomUUID()}`;
}
