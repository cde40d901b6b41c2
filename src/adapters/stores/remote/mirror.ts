import { performance } from 'node:perf_hooks';
import type { CallOptions } from '../../../core/contracts.js';
import { abortable } from '../../../core/flow.js';
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
  /** False before the first reading. */
  readonly loaded: boolean;
  /** Looks at the server, in one short trip: true when there is nothing that the mirror doesn't know. */
  look(options: CallOptions): Promise<boolean>;
  /** The collection's version, by a look at the server. */
  version(options: CallOptions): Promise<string>;
  /** Writers at work, of these rows, just read; one's own too. */
  active(writers: readonly WriterRow[]): ReadonlySet<string>;
  /** Learns what the server knows by now, and resolves with its writer rows. Callers that meet share one reading that starts after them. */
  refresh(): Promise<readonly WriterRow[]>;
  /** What this process itself just wrote, so that it need not read it. */
  learn(put: readonly DocumentStamp[], dropped: readonly string[]): void;
  /** The writer of whom `learn` tells everything; undefined: none, what the last one wrote has to be read. */
  setOwnWriter(writer: string | undefined): void;
}

export function createMirror(tables: RemoteTables): Mirror {
  const watch = createWriterWatch(() => performance.now());
  const entries = new Map<string, MirrorEntry>();
  let ownWriter: string | undefined;
  /** The others' rows at the last reading, and how far each one's documents are surely known. */
  let known: ReadonlyMap<string, number> | undefined;
  let floors: ReadonlyMap<string, number> = new Map();
  /** The pulse before that reading, and the version that the rows stood for; undefined while somebody was at work. */
  let settled: { readonly pulse: string; readonly version: string | undefined } | undefined;
  let generation = 0;
  let sorted: readonly string[] | undefined;
  /** While a reading is under way: documents that `learn` told of since it began. What it finds of them may be older. */
  let fresher: Set<string> | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<readonly WriterRow[]> | undefined;

  const isLive = (documentId: string, stamp: Stamp): boolean => {
    const entry = entries.get(documentId);
    return entry !== undefined && sameStamp(entry.stamp, stamp);
  };

  const apply = (put: readonly DocumentStamp[], dropped: readonly string[]): void => {
    const changed = put.filter(({ id, stamp }) => !isLive(id, stamp));
    const gone = dropped.filter((id) => entries.has(id));
    if (changed.length + gone.length === 0) return;
    generation++;
    sorted = undefined;
    for (const row of changed) entries.set(row.id, { ...row, generation });
    for (const id of gone) entries.delete(id);
  };

  const others = (writers: readonly WriterRow[]) => writers.filter(({ writer }) => writer !== ownWriter);

  const covers = (writers: readonly WriterRow[]): boolean => {
    const active = watch.active(writers);
    const rows = others(writers);
    return rows.length === known?.size && rows.every(({ writer, seq }) => known?.get(writer) === seq && !active.has(writer));
  };

  /** True when everything found could be taken over. */
  const takeOver = (rows: readonly DocumentStamp[], dropped: readonly string[]): boolean => {
    const found = rows.filter(({ id }) => !fresher?.has(id));
    const gone = dropped.filter((id) => !fresher?.has(id));
    apply(found, gone);
    return found.length === rows.length && gone.length === dropped.length;
  };

  const readAll = async (): Promise<boolean> => {
    const rows = await tables.stamps(undefined);
    const there = new Set(rows.map(({ id }) => id));
    return takeOver(
      rows,
      [...entries.keys()].filter((id) => !there.has(id)),
    );
  };

  /** What was written since the last reading. A removed document leaves no row behind: its absence shows in the count. */
  const readNew = async (rows: readonly WriterRow[]): Promise<boolean> => {
    const news = rows.filter(({ writer, seq }) => writer !== EPOCH && floors.get(writer) !== seq);
    const lists = await Promise.all(news.map(({ writer }) => tables.stamps({ writer, seq: floors.get(writer) ?? -1 })));
    const complete = takeOver(lists.flat(), []);
    return (await tables.countDocuments()) === entries.size ? complete : readAll();
  };

  const read = async (): Promise<readonly WriterRow[]> => {
    fresher = new Set();
    settled = undefined;
    const pulse = await tables.pulse?.read();
    const writers = await tables.writers();
    if (covers(writers) || (await catchUp(writers))) {
      const working = watch.active(writers);
      const quiet = working.size === 0 || (working.size === 1 && ownWriter !== undefined && working.has(ownWriter));
      if (pulse !== undefined && quiet) settled = { pulse, version: working.size === 0 ? settledVersion(writers) : undefined };
    }
    return writers;
  };

  /** False when it is not certain that everything was learnt. */
  const catchUp = async (writers: readonly WriterRow[]): Promise<boolean> => {
    const rows = others(writers);
    const present = new Map(rows.map(({ writer, seq }) => [writer, seq]));
    const before = known;
    const missedSome =
      before === undefined ||
      before.get(EPOCH) !== present.get(EPOCH) ||
      [...before.keys()].some((writer) => writer !== ownWriter && !present.has(writer));
    const complete = missedSome ? await readAll() : await readNew(rows);
    if (!complete) return false;
    // A writer at work goes on under the same count: its documents are surely known only up to the last count that stood still,
    // and should it die now, they have to be looked at once more.
    const active = watch.active(writers);
    known = new Map(rows.map(({ writer, seq }) => [writer, active.has(writer) ? -1 : seq]));
    floors = new Map(rows.map(({ writer, seq }) => [writer, seq % 2 === 0 ? seq : (floors.get(writer) ?? -1)]));
    return true;
  };

  // Shared by callers who may each give up, so it follows nobody's signal; every call to the server has its own time limit.
  const refresh = (): Promise<readonly WriterRow[]> => {
    waiting ??= running
      .catch(() => {}) // told to those who waited for it
      .then(() => {
        waiting = undefined;
        return read();
      })
      .finally(() => {
        fresher = undefined;
      });
    running = waiting;
    return waiting;
  };

  return {
    get generation() {
      return generation;
    },
    get: (documentId) => entries.get(documentId),
    ids: () => {
      sorted ??= [...entries.keys()].sort(compareText);
      return sorted;
    },
    isLive,
    get loaded() {
      return known !== undefined;
    },
    look: async (options) => {
      if (tables.pulse === undefined) return covers(await tables.writers(options));
      return settled !== undefined && (await tables.pulse.read(options)) === settled?.pulse;
    },
    version: async (options) => {
      if (tables.pulse !== undefined && settled !== undefined) {
        const pulse = await tables.pulse.read(options);
        if (pulse === settled?.pulse) return settled.version ?? passingVersion();
      }
      const writers = tables.pulse === undefined ? await tables.writers(options) : await abortable(refresh(), options.signal);
      return watch.active(writers).size > 0 ? passingVersion() : settledVersion(writers);
    },
    active: (writers) => watch.active(writers),
    refresh,
    learn: (put, dropped) => {
      for (const { id } of put) fresher?.add(id);
      for (const id of dropped) fresher?.add(id);
      apply(put, dropped);
    },
    setOwnWriter: (writer) => {
      ownWriter = writer;
    },
  };
}
