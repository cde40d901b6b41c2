import { setImmediate as turnOver } from 'node:timers/promises';
import type { CallOptions } from '../../../core/contracts.js';
import { abortable, batches } from '../../../core/flow.js';
import { nextTurn, turnIsOver } from '../../../core/turns.js';
import type { DocumentStamp, RemoteTables, Stamp, WriterRow } from './contract.js';
import { sameStamp } from './row-id.js';
import { sortTexts } from './sort.js';
import { createWriterWatch, EPOCH, passingVersion, settledVersion } from './writers.js';

/** Documents that are taken over in one go. */
const SLICE = 1000;

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
  /** Ids in ascending order, as they were at some moment of the call. */
  ids(): Promise<readonly string[]>;
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
  /**
   * What this process itself just wrote, so that it need not read it. `since` is the generation before it was sent: where somebody
   * else's state of a document was learnt meanwhile, nobody here can tell which one came last, and all is read again.
   */
  learn(put: readonly DocumentStamp[], dropped: readonly string[], since: number): void;
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
  /** The generation in which a document was last learnt to be gone: of itself nothing is left to look at. */
  let lastGone = 0;
  let sorted: Promise<readonly string[]> | undefined;
  /** While a reading is under way: documents that `learn` told of since it began. What it finds of them may be older. */
  let fresher: Set<string> | undefined;
  /** Set when `learn` could not tell what is newer; the reading under way doesn't settle that. */
  let isDoubtful = false;
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<readonly WriterRow[]> | undefined;
  const { pulse } = tables;
  const readPulse = pulse && oncePerTurn(() => pulse.read());
  const readWriters = oncePerTurn(() => tables.writers());

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
    if (gone.length > 0) lastGone = generation;
  };

  const others = (writers: readonly WriterRow[]) => writers.filter(({ writer }) => writer !== ownWriter);

  const covers = (writers: readonly WriterRow[]): boolean => {
    const active = watch.active(writers);
    const rows = others(writers);
    return rows.length === known?.size && rows.every(({ writer, seq }) => known?.get(writer) === seq && !active.has(writer));
  };

  /** True when everything found could be taken over. In slices: each document is right by itself, and the loop is not held. */
  const takeOver = async (rows: readonly DocumentStamp[], dropped: readonly string[]): Promise<boolean> => {
    let complete = true;
    const known = (id: string) => fresher?.has(id) ?? false;
    for (const slice of batches(rows, SLICE)) {
      const found = slice.filter(({ id }) => !known(id));
      complete &&= found.length === slice.length;
      apply(found, []);
      if (turnIsOver()) await nextTurn();
    }
    const gone = dropped.filter((id) => !known(id));
    apply([], gone);
    return complete && gone.length === dropped.length;
  };

  const readAll = async (): Promise<boolean> => {
    const rows = await tables.stamps(undefined);
    const there = new Set(rows.map(({ id }) => id));
    const gone = [...entries.keys()].filter((id) => !there.has(id));
    return takeOver(rows, gone);
  };

  /** What was written since the last reading. A removed document leaves no row behind: its absence shows in the count. */
  const readNew = async (rows: readonly WriterRow[]): Promise<boolean> => {
    const news = rows.filter(({ writer, seq }) => writer !== EPOCH && floors.get(writer) !== seq);
    const lists = await Promise.all(news.map(({ writer }) => tables.stamps({ writer, seq: floors.get(writer) ?? -1 })));
    const complete = await takeOver(lists.flat(), []);
    return (await tables.countDocuments()) === entries.size ? complete : readAll();
  };

  const read = async (): Promise<readonly WriterRow[]> => {
    fresher = new Set();
    isDoubtful = false;
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
    if (!complete || isDoubtful) return false;
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
      sorted ??= sortTexts([...entries.keys()]);
      return sorted;
    },
    isLive,
    get loaded() {
      return known !== undefined;
    },
    look: async (options) => {
      if (readPulse === undefined) return covers(await abortable(readWriters(), options.signal));
      return settled !== undefined && (await abortable(readPulse(), options.signal)) === settled?.pulse;
    },
    version: async (options) => {
      if (readPulse !== undefined && settled !== undefined) {
        const pulse = await abortable(readPulse(), options.signal);
        if (pulse === settled?.pulse) return settled.version ?? passingVersion();
      }
      const writers = await abortable(readPulse === undefined ? readWriters() : refresh(), options.signal);
      return watch.active(writers).size > 0 ? passingVersion() : settledVersion(writers);
    },
    active: (writers) => watch.active(writers),
    refresh,
    learn: (put, dropped, since) => {
      for (const { id } of put) fresher?.add(id);
      for (const id of dropped) fresher?.add(id);
      const isOurs = (id: string) => (entries.get(id)?.generation ?? 0) <= since;
      const ours = put.filter(({ id }) => isOurs(id));
      const gone = dropped.filter(isOurs);
      const isCertain = ours.length === put.length && gone.length === dropped.length && lastGone <= since;
      apply(ours, gone);
      if (isCertain) return;
      isDoubtful = true;
      known = settled = undefined;
    },
    setOwnWriter: (writer) => {
      ownWriter = writer;
    },
  };
}

/**
 * One trip for all who ask within a turn of the event loop: a search by vector and by words, and the version beside it. It begins
 * when the turn is over, so that the reads it is to guard go to the server first and its own work is done while they are waited for.
 */
function oncePerTurn<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let next: Promise<Value> | undefined;
  return () => {
    next ??= turnOver().then(() => {
      next = undefined;
      return read();
    });
    return next;
  };
}
