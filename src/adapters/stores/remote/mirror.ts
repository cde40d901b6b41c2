import { performance } from 'node:perf_hooks';
import type { CallOptions } from '../../../core/contracts.js';
import { compareText } from '../../../core/ids.js';
import type { DocumentStamp, RemoteTables, Stamp, WriterRow } from './contract.js';
import { sameStamp } from './row-id.js';
import { createWriterWatch, EPOCH, passingVersion, settledVersion } from './writers.js';

/** A document as the mirror knows it; `generation` is the mirror's own when it learnt of this state. */
export interface MirrorEntry extends DocumentStamp {
  readonly generation: number;
}

/**
 * What this process knows of a collection's manifest, without its texts: which stamp counts for which document, about 200 bytes
 * each. With it a search needs no second trip to the server to tell live chunks from stale ones.
 */
export interface Mirror {
  /** Grows whenever a document is learnt to be new, other or gone. */
  readonly generation: number;
  get(documentId: string): MirrorEntry | undefined;
  /** Ids in ascending order. */
  ids(): readonly string[];
  /** Whether a chunk with this stamp counts. */
  isLive(documentId: string, stamp: Stamp): boolean;
  /** True when these rows, just read, tell of nothing that the mirror doesn't know. */
  covers(writers: readonly WriterRow[]): boolean;
  /** The collection's version according to these rows, just read. */
  version(writers: readonly WriterRow[]): string;
  /** Writers at work, of these rows, just read; one's own too. */
  active(writers: readonly WriterRow[]): ReadonlySet<string>;
  /** Learns what the server knows now. Calls that meet share one reading that starts after them. Resolves with the writer rows read. */
  refresh(options?: CallOptions): Promise<readonly WriterRow[]>;
  /** What this process itself just wrote, so that it need not read it. */
  learn(put: readonly DocumentStamp[], dropped: readonly string[]): void;
  /** Rows of this writer tell the mirror nothing: what it writes is learnt. */
  ignore(writer: string): void;
}

export function createMirror(tables: RemoteTables): Mirror {
  const watch = createWriterWatch(() => performance.now());
  const entries = new Map<string, MirrorEntry>();
  const own = new Set<string>();
  /** The writers of the last reading, and how far each one's rows are surely known. */
  let known: ReadonlyMap<string, number> | undefined;
  let floors: ReadonlyMap<string, number> = new Map();
  let generation = 0;
  let sorted: readonly string[] | undefined;
  let reading: Promise<readonly WriterRow[]> | undefined;
  let next: Promise<readonly WriterRow[]> | undefined;

  const others = (writers: readonly WriterRow[]) => writers.filter(({ writer }) => !own.has(writer));

  const covers = (writers: readonly WriterRow[]): boolean => {
    const rows = others(writers);
    const active = watch.active(writers);
    return (
      known !== undefined &&
      rows.length === known.size &&
      rows.every(({ writer, seq }) => known?.get(writer) === seq && !active.has(writer))
    );
  };

  const learn = (put: readonly DocumentStamp[], dropped: readonly string[]): void => {
    const changed = put.filter(({ id, stamp }) => !mirror.isLive(id, stamp));
    const gone = dropped.filter((id) => entries.has(id));
    if (changed.length + gone.length === 0) return;
    generation++;
    sorted = undefined;
    for (const row of changed) entries.set(row.id, { ...row, generation });
    for (const id of gone) entries.delete(id);
  };

  const readAll = async (options: CallOptions): Promise<void> => {
    const rows = await tables.stamps(undefined, options);
    const there = new Set(rows.map(({ id }) => id));
    const dropped = [...entries.keys()].filter((id) => !there.has(id));
    learn(rows, dropped);
  };

  /** What `writers` wrote since the last reading. Removed documents leave no row behind: their absence shows in the count. */
  const readNew = async (writers: readonly WriterRow[], options: CallOptions): Promise<void> => {
    const news = writers.filter(({ writer, seq }) => writer !== EPOCH && floors.get(writer) !== seq);
    const lists = await Promise.all(news.map(({ writer }) => tables.stamps({ writer, seq: floors.get(writer) ?? -1 }, options)));
    learn(lists.flat(), []);
    if ((await tables.countDocuments(options)) !== entries.size) await readAll(options);
  };

  const read = async (): Promise<readonly WriterRow[]> => {
    // Shared by callers who may each give up, so it follows nobody's signal; every call to the server has its own time limit.
    const options: CallOptions = {};
    const writers = await tables.writers(options);
    if (covers(writers)) return writers;
    const rows = others(writers);
    const present = new Map(rows.map(({ writer, seq }) => [writer, seq]));
    const before = known;
    const gone = before !== undefined && [...before.keys()].some((writer) => !present.has(writer));
    if (before === undefined || gone || before.get(EPOCH) !== present.get(EPOCH)) await readAll(options);
    else await readNew(rows, options);
    known = present;
    // A writer at work goes on writing under the same count: its rows are known only up to the last count that stood still.
    floors = new Map(rows.map(({ writer, seq }) => [writer, seq % 2 === 0 ? seq : (floors.get(writer) ?? -1)]));
    return writers;
  };

  const mirror: Mirror = {
    get generation() {
      return generation;
    },
    get: (documentId) => entries.get(documentId),
    ids: () => {
      sorted ??= [...entries.keys()].sort(compareText);
      return sorted;
    },
    isLive: (documentId, stamp) => {
      const entry = entries.get(documentId);
      return entry !== undefined && sameStamp(entry.stamp, stamp);
    },
    covers,
    version: (writers) => (watch.active(writers).size > 0 ? passingVersion() : settledVersion(writers)),
    active: (writers) => watch.active(writers),
    refresh: () => {
      if (reading === undefined) {
        reading = read().finally(() => {
          reading = undefined;
        });
        return reading;
      }
      // The reading under way may have passed what this caller has to see.
      next ??= reading.then(read, read).finally(() => {
        next = undefined;
      });
      return next;
    },
    learn,
    ignore: (writer) => void own.add(writer),
  };
  return mirror;
}
