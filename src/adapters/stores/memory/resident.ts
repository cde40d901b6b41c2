import type { CallOptions, Fingerprint } from '../../../core/contracts.js';
import { abortable } from '../../../core/flow.js';
import { chunkId } from '../../../core/ids.js';
import { createPacer, type Pace } from '../../../core/turns.js';
import { headsOf, vectorsOf } from './blocks.js';
import { createDirectory, type Directory } from './directory.js';
import { createFlatVectors } from './flat-vectors.js';
import { createGate } from './gate.js';
import { createKeywordIndex, type KeywordIndex } from './keyword-index.js';
import type { OrdinalIndex } from './ordinal-index.js';
import type { BlockRef, Rows, Snapshot } from './rows.js';
import { createScalarIndex, type ScalarIndex } from './scalar-index.js';
import { type TermCounts, unpackTerms } from './terms.js';

/** What a query needs to have in memory; nothing else is loaded. */
export interface Needs {
  readonly vectors?: boolean;
  readonly keywords?: boolean;
  readonly fields?: ReadonlySet<string>;
}

/** One state of a collection, loaded; it stays as it is until it is released. */
export interface View {
  readonly directory: Directory;
  readonly vectors: OrdinalIndex<Float32Array, Float32Array>;
  readonly keywords: OrdinalIndex<TermCounts, string>;
  readonly scalars: ScalarIndex;
  idOf(ordinal: number): string;
  release(): void;
}

/** The indexes of a collection in this process, kept in step with its rows. */
export interface Resident {
  /** The latest state, with what is needed loaded. An abort ends the wait, not the loading: others may wait for the same. */
  view(needs: Needs, options?: CallOptions): Promise<View>;
  /** Forgets everything. */
  clear(): void;
}

/** Dead ordinals cost memory and time, so once they are most, everything is loaded anew; below this number they don't matter. */
const FEW_DEAD = 1024;
/** Chunks whose words are held, all at the same time, to be packed: by then the loops are compiled, and adding one by one is fast too. */
const LOADED_AT_ONCE = 8192;
/** Documents that are read at once while loading. */
const PAGE = 256;

interface Loaded {
  sequence: number;
  readonly directory: Directory;
  vectors: OrdinalIndex<Float32Array, Float32Array> | undefined;
  keywords: KeywordIndex | undefined;
  readonly scalars: ScalarIndex;
}

/**
 * Loads lazily and catches up from the log before each query: the commits of this process and those of others take the same way.
 * Queries share the indexes; catching up waits until none is at work, and happens within one snapshot of the rows, so a query never
 * sees half of a commit.
 */
export function createResident(rows: Rows, fingerprint: Fingerprint): Resident {
  const gate = createGate();
  let loaded: Loaded | undefined;

  return {
    async view(needs, { signal } = {}) {
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
          return fresh;
        });
      try {
        return await abortable(catchingUp, signal);
      } catch (error) {
        catchingUp.then(
          (view) => view.release(),
          () => {},
        );
        throw error;
      }
    },
    clear() {
      loaded = undefined;
    },
  };

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
        if (current.keywords === undefined) throw new Error('keywords were not asked for');
        return current.keywords;
      },
      scalars: current.scalars,
      idOf(ordinal) {
        const { block, index } = current.directory.locate(ordinal);
        return chunkId(block.documentId, block.hash, block.group, block.start + index);
      },
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
    const entries = loaded && snapshot.logAfter(loaded.sequence);
    let current: Loaded;
    if (loaded === undefined || entries === undefined) {
      current = await loadDirectory(snapshot, pace);
    } else {
      current = loaded;
      const removed = new Set(entries.flatMap((entry) => entry.removed));
      for (const number of removed) remove(current, number);
      for (const block of entries.flatMap((entry) => entry.added)) {
        // Added, and removed by a later commit: it is gone from the rows.
        if (removed.has(block.number)) continue;
        add(current, snapshot, block);
        await pace();
      }
      current.sequence = snapshot.state.sequence;
      const dead = current.directory.size - current.directory.liveCount;
      if (dead > FEW_DEAD && dead > current.directory.liveCount) current = await loadDirectory(snapshot, pace);
    }
    loaded = current;
    await loadParts(current, snapshot, needs, pace);
    return current;
  }

  async function loadDirectory(snapshot: Snapshot, pace: Pace): Promise<Loaded> {
    const directory = createDirectory();
    let after: string | undefined;
    for (;;) {
      const page = snapshot.documents(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) break;
      for (const document of page) for (const block of document.blocks) directory.add(block);
      after = last.row.id;
      await pace();
    }
    return {
      sequence: snapshot.state.sequence,
      directory,
      vectors: undefined,
      keywords: undefined,
      scalars: createScalarIndex(),
    };
  }

  async function loadParts(current: Loaded, snapshot: Snapshot, needs: Needs, pace: Pace): Promise<void> {
    if (needs.vectors === true && current.vectors === undefined) {
      const vectors = createFlatVectors(fingerprint.dimensions, fingerprint.metric, current.directory.size);
      for (const { block, first } of current.directory.blocks()) {
        addVectors(vectors, snapshot, block, first);
        await pace();
      }
      current.vectors = vectors;
    }
    if (needs.keywords === true && current.keywords === undefined) {
      const { alive } = current.directory;
      const keywords = createKeywordIndex((ordinal) => alive.has(ordinal));
      const early: (readonly [number, TermCounts])[] = [];
      for (const { block, first } of current.directory.blocks()) {
        if (first >= LOADED_AT_ONCE) break;
        for (const [row, counts] of termsOf(snapshot, block).entries()) early.push([first + row, counts]);
        await pace();
      }
      await keywords.load(early, pace);
      for (const { block, first } of current.directory.blocks()) {
        if (first >= LOADED_AT_ONCE) addTerms(keywords, snapshot, block, first);
        await pace();
      }
      current.keywords = keywords;
    }
    const missing = current.scalars.missing(needs.fields ?? new Set());
    if (missing.size > 0) {
      current.scalars.start(missing);
      for (const { block, first } of current.directory.blocks()) {
        addHeads(current.scalars, snapshot, block, first, missing);
        await pace();
      }
    }
  }

  function add(current: Loaded, snapshot: Snapshot, block: BlockRef): void {
    const first = current.directory.add(block);
    if (current.vectors !== undefined) addVectors(current.vectors, snapshot, block, first);
    if (current.keywords !== undefined) addTerms(current.keywords, snapshot, block, first);
    if (!current.scalars.isEmpty) addHeads(current.scalars, snapshot, block, first);
  }

  function remove(current: Loaded, number: number): void {
    for (const ordinal of current.directory.remove(number)) {
      current.vectors?.remove(ordinal);
      current.keywords?.remove(ordinal);
    }
  }

  function addVectors(index: OrdinalIndex<Float32Array, Float32Array>, snapshot: Snapshot, block: BlockRef, first: number): void {
    const vectors = vectorsOf(snapshot.column(block.number, 'vectors'), fingerprint.dimensions);
    for (const [row, vector] of vectors.entries()) index.add(first + row, vector);
  }

  function addTerms(index: OrdinalIndex<TermCounts, string>, snapshot: Snapshot, block: BlockRef, first: number): void {
    for (const [row, counts] of termsOf(snapshot, block).entries()) index.add(first + row, counts);
  }

  function termsOf(snapshot: Snapshot, block: BlockRef): readonly TermCounts[] {
    return unpackTerms(snapshot.column(block.number, 'terms'), block.chunks);
  }

  function addHeads(index: ScalarIndex, snapshot: Snapshot, block: BlockRef, first: number, fields?: ReadonlySet<string>): void {
    const heads = headsOf(snapshot.column(block.number, 'heads'), block);
    for (const [row, head] of heads.entries()) index.add(first + row, head, fields);
  }
}
