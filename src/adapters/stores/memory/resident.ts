import { randomUUID } from 'node:crypto';
import type { CallOptions } from '../../../core/contracts.js';
import { abortable } from '../../../core/flow.js';
import { createPacer } from '../../../core/turns.js';
import type { Directory } from './directory.js';
import { createGate } from './gate.js';
import { PieceGone } from './keyword-part.js';
import { type Loaded, loadParts, loadRows, type Needs, pieceReader, replay, restore } from './loading.js';
import type { OrdinalIndex, OrdinalQueryOptions } from './ordinal-index.js';
import type { OpenVectors, ResidentVectors } from './resident-vectors.js';
import type { Rows, Snapshot } from './rows.js';
import { saveIndexes } from './saver.js';
import type { ScalarIndex } from './scalar-index.js';
import { tendVectors } from './tending.js';
import type { TermCounts } from './terms.js';
import type { BuildTask } from './vectors/build-task.js';
import type { BuildThread } from './vectors/build-thread.js';

/** One state of a collection, loaded; it stays as it is until it is released. */
export interface View {
  readonly directory: Directory;
  readonly vectors: Pick<ResidentVectors, 'name' | 'query'>;
  readonly keywords: OrdinalIndex<TermCounts, string>;
  readonly scalars: ScalarIndex;
  idOf(ordinal: number): string;
  release(): void;
}

/** The indexes of a collection in this process, kept in step with its rows. */
export interface Resident {
  /** The latest state, with what is needed loaded. An abort ends the wait, not the loading: others may wait for the same. */
  view(needs: Needs, options?: CallOptions): Promise<View>;
  /**
   * Loads the keywords anew at the next query, after one of their saved pieces was gone or damaged.
   * @param entirely from the rows
   */
  renounce(piece: PieceGone, entirely: boolean): void;
  /** Tells of chunks that this process wrote or removed. */
  noteWritten(chunks: number): void;
  /** Saves what is worth it, and forgets everything. */
  close(): Promise<void>;
}

export interface ResidentOptions {
  /** Chunks that must have come or gone before the indexes are saved again. @default 512 */
  readonly saveAfter?: number | undefined;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined;
  readonly openVectors: OpenVectors;
  /** Vectors are in an index of the user's: they are given to it when a search needs them, and not to be saved. */
  readonly isOwnIndex: boolean;
  /** Where much of a graph is built. @default in this thread, in turns */
  readonly buildThread?: BuildThread | undefined;
}

/** Dead ordinals cost memory and time, so once they are most, everything is loaded anew; below this number they don't matter. */
const FEW_DEAD = 1024;
/** A query saves what it found unsaved this much later, so that it isn't in the way of the next ones. */
const SAVE_DELAY_MS = 1000;
/** Until it is looked again whether another process has built a graph. */
const BUILT_ELSEWHERE_MS = 5000;
/** Of a larger collection this part must be unsaved: to follow the log takes less than to write everything again and again. */
const WORTH_SAVING = 1 / 32;
/** Damaged pieces that are remembered. */
const MOST_DISTRUSTED = 64;

/**
 * Loads lazily and catches up from the log before each query: the commits of this process and those of others take the same way.
 * Queries share the indexes; catching up waits until none is at work, and happens within one snapshot of the rows, so a query never
 * sees half of a commit. What was loaded is saved, off the way of queries, for whoever opens the collection next.
 */
export function createResident(rows: Rows, options: ResidentOptions): Resident {
  const { saveAfter = 512, now = Date.now, openVectors, isOwnIndex, buildThread } = options;
  const holder = randomUUID();
  const gate = createGate();
  let loaded: Loaded | undefined;
  let written = 0;
  let distrusted: readonly string[] = [];
  let trustsNothing = false;
  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> = Promise.resolve();
  let tending: Promise<void> | undefined;
  const closing = new AbortController();

  return {
    view,
    renounce({ piece }, entirely) {
      distrusted = [...distrusted, piece].slice(-MOST_DISTRUSTED);
      trustsNothing = entirely;
      if (loaded !== undefined) loaded.keywords = undefined;
    },
    noteWritten(chunks) {
      written += chunks;
    },
    async close() {
      clearTimeout(timer);
      closing.abort();
      await tending;
      await saving;
      if (Math.max(loaded?.unsaved ?? 0, written) >= saveAfter) await save();
      loaded = undefined;
    },
  };

  async function view(needs: Needs, { signal }: CallOptions = {}): Promise<View> {
    signal?.throwIfAborted();
    const snapshot = rows.snapshot();
    if (loaded !== undefined && isReady(loaded, snapshot, needs) && gate.tryRead()) return viewOf(loaded, snapshot);
    snapshot.release();
    let fresh: View | undefined;
    const catchingUp = gate
      .writeThenRead(async () => {
        const latest = rows.snapshot();
        try {
          fresh = viewOf(await catchUp(latest, needs), latest);
        } catch (error) {
          latest.release();
          loaded = undefined;
          throw error;
        }
      })
      .then(() => {
        if (fresh === undefined) throw new Error('nothing was loaded');
        saveLater();
        return fresh;
      });
    try {
      return await abortable(catchingUp, signal);
    } catch (error) {
      catchingUp.then(
        (late) => late.release(),
        () => {},
      );
      throw error;
    }
  }

  function isReady(current: Loaded, snapshot: Snapshot, needs: Needs): boolean {
    return (
      current.sequence === snapshot.state.sequence &&
      !(needs.vectors === true && current.vectors === undefined) &&
      !(needs.keywords === true && current.keywords === undefined) &&
      !(needs.fields !== undefined && current.scalars.missing(needs.fields).size > 0)
    );
  }

  function viewOf(current: Loaded, snapshot: Snapshot): View {
    let open = true;
    return {
      directory: current.directory,
      get vectors() {
        if (current.vectors === undefined) throw new Error('vectors were not asked for');
        return current.vectors;
      },
      get keywords() {
        const { keywords } = current;
        if (keywords === undefined) throw new Error('keywords were not asked for');
        const read = pieceReader(snapshot);
        return { ...keywords, query: (text: string, request: OrdinalQueryOptions) => keywords.query(text, { ...request, read }) };
      },
      scalars: current.scalars,
      idOf: current.directory.idOf,
      release() {
        if (!open) return;
        open = false;
        snapshot.release();
        gate.leave();
      },
    };
  }

  async function catchUp(snapshot: Snapshot, needs: Needs): Promise<Loaded> {
    const pace = createPacer();
    let current = loaded ?? (await restore(snapshot, pace)) ?? (await loadRows(snapshot, pace));
    const entries = snapshot.logAfter(current.sequence);
    if (entries === undefined) current = await loadRows(snapshot, pace);
    else await replay(current, entries, snapshot, pace);
    const dead = current.directory.size - current.directory.liveCount;
    if (dead > FEW_DEAD && dead > current.directory.liveCount) current = await loadRows(snapshot, pace);
    loaded = current;
    const isTrusted = (name: string) => !trustsNothing && !distrusted.some((piece) => piece.startsWith(`${name}/`));
    await loadParts(current, snapshot, needs, { openVectors, isTrusted }, pace);
    return current;
  }

  function saveLater(delayMs = SAVE_DELAY_MS): void {
    if (loaded === undefined || timer !== undefined || closing.signal.aborted) return;
    const isUnsaved = rows.saved !== undefined && loaded.unsaved >= Math.max(saveAfter, loaded.directory.size * WORTH_SAVING);
    if (!isUnsaved && loaded.vectors?.isStale !== true) return;
    timer = setTimeout(() => {
      tending = tendAndSave().then(
        (isElsewhere) => {
          timer = undefined;
          if (isElsewhere) saveLater(BUILT_ELSEWHERE_MS);
        },
        () => {
          timer = undefined; // closed meanwhile; or it could not be built, and searches compare more than they would have to
        },
      );
    }, delayMs).unref();
  }

  /** @returns whether it is worth to look again, because another process is building */
  async function tendAndSave(): Promise<boolean> {
    const tended = loaded?.vectors === undefined ? 'tended' : await tend(loaded.vectors);
    switch (tended) {
      case 'elsewhere':
        return true;
      case 'saved':
        loaded = undefined; // the next query takes what another process has saved
        return false;
      case 'tended':
        await save();
        return false;
    }
  }

  function tend(vectors: ResidentVectors) {
    const build = buildThread && ((task: BuildTask) => buildThread.build(task, closing.signal));
    return tendVectors({ rows, vectors, holder, now, build, pace: createPacer(closing.signal) });
  }

  function save(): Promise<void> {
    saving = saving.then(async () => {
      const { saved } = rows;
      if (saved === undefined) return;
      const hold = async () => {
        // A process that only wrote has loaded nothing; what it wrote is to be found at once by the next one.
        const held = await view(loaded === undefined ? { keywords: true, vectors: !isOwnIndex } : {});
        if (loaded === undefined) throw new Error('nothing was loaded');
        return { loaded, release: held.release };
      };
      try {
        await saveIndexes({ rows, saved, holder, now, hold, pace: createPacer() });
        written = 0;
        trustsNothing = false;
      } catch (error) {
        // It repeats what the rows tell: nothing that anybody asked for may fail over it.
        if (error instanceof PieceGone && loaded !== undefined) loaded.keywords = undefined;
      }
    });
    return saving;
  }
}
