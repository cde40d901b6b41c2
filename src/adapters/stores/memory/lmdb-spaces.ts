import type { Space } from '../../../core/contracts.js';
import { RagError } from '../../../core/errors.js';
import { storeError } from './lmdb-file.js';
import * as keys from './lmdb-keys.js';
import { apply, createWriting, type LmdbParts, type Operation, put, putState, remove } from './lmdb-write.js';
import { describeProcess, isRunning, type ProcessCard } from './process-card.js';
import type { RowState } from './rows.js';
import { unpackRow } from './seal.js';

/** The layout that this code reads and writes; a store with a later one is refused. */
export const FORMAT = 1;
/** Rows of a dropped collection that are removed at once. */
const SWEEP_SIZE = 512;

/** A collection, and the number that its rows lie under. */
export interface SpaceRow {
  readonly space: Space;
  readonly number: number;
}

/** A collection whose rows are written already, under a reserved number. */
export interface BuiltSpace extends SpaceRow {
  readonly state: RowState;
}

/** Which collections there are in a file. Whoever changes that raises the revision of one row, so only one of two at once succeeds. */
export interface Spaces {
  list(): readonly SpaceRow[];
  find(collection: string): SpaceRow | undefined;
  /** False when another process has made a collection of this name meanwhile. */
  create(space: Space): Promise<boolean>;
  drop(collection: string): Promise<boolean>;
  /** Numbers for collections that are to be built unseen, the first of `count`. They are cleared away if this process ends before `replace`. */
  reserve(count: number): Promise<number>;
  /** Clears away what was written under reserved numbers. */
  discard(first: number, count: number): Promise<void>;
  /**
   * Puts built collections in the place of all that are there, at once.
   * @throws what `check` does, which is asked about those to be replaced
   */
  replace(built: readonly BuiltSpace[], check: (replaced: readonly SpaceRow[]) => void): Promise<void>;
}

interface FormatRow {
  readonly format: number;
  /** Raised whenever a collection comes or goes. */
  readonly revision: number;
  readonly nextCollection: number;
}

/** @throws RagError UNSUPPORTED when the store has a format that this version doesn't know */
export function createSpaces(parts: LmdbParts): Spaces {
  const { table, folder } = parts;
  const writing = createWriting(parts);
  checkFormat(readFormat().format, folder);

  return {
    list,
    find,
    async create(space) {
      const before = readFormat();
      if (find(space.collection) !== undefined) return false;
      const number = before.nextCollection;
      return writeFormat(before, number + 1, [
        put(keys.spaceKey(space.collection), { space, number } satisfies SpaceRow),
        putState(number, { sequence: 0, nextBlock: 0, documents: 0, chunks: 0 }),
      ]);
    },
    async drop(collection) {
      for (;;) {
        const before = readFormat();
        const found = find(collection);
        if (found === undefined) return false;
        if (await writeFormat(before, before.nextCollection, dropping(found))) break;
      }
      await sweep();
      return true;
    },
    async reserve(count) {
      for (;;) {
        const before = readFormat();
        const first = before.nextCollection;
        const numbers = Array.from({ length: count }, (_, index) => first + index);
        const marks = numbers.map((number) => put(keys.buildingKey(number), describeProcess()));
        if (await writeFormat(before, first + count, marks)) return first;
      }
    },
    async discard(first, count) {
      for (let number = first; number < first + count; number++) await clear(keys.buildingKey(number));
    },
    async replace(built, check) {
      for (;;) {
        const before = readFormat();
        const replaced = list();
        check(replaced);
        const done = await writeFormat(before, before.nextCollection, [
          ...replaced.flatMap(dropping),
          ...built.flatMap(({ space, number, state }) => [
            put(keys.spaceKey(space.collection), { space, number } satisfies SpaceRow),
            putState(number, state),
            remove(keys.buildingKey(number)),
          ]),
        ]);
        if (done) break;
      }
      await sweep();
    },
  };

  function list(): readonly SpaceRow[] {
    return reading(() => [...table.getRange(keys.spacesRange())].map(({ value }) => unpackRow<SpaceRow>(value, 'a collection')));
  }

  function find(collection: string): SpaceRow | undefined {
    const bytes = reading(() => table.get(keys.spaceKey(collection)));
    return bytes && unpackRow<SpaceRow>(bytes, `collection "${collection}"`);
  }

  function readFormat(): FormatRow {
    const bytes = reading(() => table.get(keys.formatKey()));
    return bytes === undefined
      ? { format: FORMAT, revision: 0, nextCollection: 1 }
      : unpackRow<FormatRow>(bytes, 'the format row');
  }

  function reading<Result>(read: () => Result): Result {
    try {
      table.resetReadTxn();
      return read();
    } catch (error) {
      throw storeError(`reading the store at ${folder}`, error);
    }
  }

  function writeFormat(before: FormatRow, nextCollection: number, others: readonly Operation[]): Promise<boolean> {
    const key = keys.formatKey();
    const revision = before.revision + 1;
    const row: FormatRow = { format: FORMAT, revision, nextCollection };
    const operations = [{ ...put(key, row), version: revision }, ...others];
    return writing(`writing the store at ${folder}`, () =>
      before.revision === 0
        ? table.ifNoExists(key, () => apply(table, operations))
        : table.ifVersion(key, before.revision, () => apply(table, operations)),
    );
  }

  /** Removes what dropped collections left, and unfinished ones, also those whose process died over it. */
  async function sweep(): Promise<void> {
    for (const key of [...table.getKeys(keys.droppedRange())]) await clear(key);
    for (const { key, value } of [...table.getRange(keys.buildingRange())]) {
      if (isRunning(unpackRow<ProcessCard>(value, 'an unfinished collection')) === false) await clear(key);
    }
  }

  /** @param mark the key that says that a collection's rows are to go */
  async function clear(mark: Buffer): Promise<void> {
    const number = keys.numberOf(mark);
    for (const kind of keys.COLLECTION_KINDS) {
      for (;;) {
        table.resetReadTxn();
        const some = [...table.getKeys({ ...keys.rowsRange(kind, number), limit: SWEEP_SIZE })];
        if (some.length === 0) break;
        await removeAll(some);
      }
    }
    await removeAll([mark]);
  }

  async function removeAll(some: readonly Buffer[]): Promise<void> {
    await writing('removing a dropped collection', async () => {
      await Promise.all(some.map((key) => table.remove(key)));
      return true;
    });
  }
}

/** Refused, never guessed at: an older layout than the first there was none, and what a later one means is not known. */
function checkFormat(format: number, folder: string): void {
  if (format === FORMAT) return;
  const [made, advice] =
    format > FORMAT
      ? ['a newer hotrag', 'update hotrag']
      : ['an older hotrag', 'back it up with that version, or move it away, and ingest again'];
  throw new RagError(
    'UNSUPPORTED',
    `the store at ${folder} has format ${format}, made by ${made}; this one reads format ${FORMAT}: ${advice}`,
    { adapter: 'memory' },
  );
}

function dropping({ space, number }: SpaceRow): readonly Operation[] {
  return [remove(keys.spaceKey(space.collection)), remove(keys.stateKey(number)), put(keys.droppedKey(number), {})];
}
