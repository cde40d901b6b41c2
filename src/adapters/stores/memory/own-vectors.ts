import type { Entry, Fingerprint, Index, Space } from '../../../core/contracts.js';
import { messageOf, RagError } from '../../../core/errors.js';
import { abortable, batches } from '../../../core/flow.js';
import { describeValue, isZeroVector } from '../../../core/values.js';
import { headAt, textAt, vectorsOf } from './blocks.js';
import type { Directory } from './directory.js';
import type { OrdinalQueryOptions } from './ordinal-index.js';
import type { OpenVectors } from './resident-vectors.js';
import { createTop, type Found } from './top.js';

/** An index of the user's: it serves one open collection at a time, because ids of two collections may be the same. */
export interface OwnIndex {
  /** For a collection that is being opened; nothing is given to the index before vectors are needed. */
  attach(space: Space): { readonly open: OpenVectors; detach(): void };
  /** The collection was dropped: whoever has it open searches no more. */
  release(collection: string): void;
}

/** Entries or ids that are handed over at once. */
const BATCH = 256;

/**
 * @throws RagError from what it opens: UPSTREAM_FAILED (the index failed, or answered what it may not) · UNSUPPORTED (it serves another open
 * collection)
 */
export function createOwnIndex(index: Index<Float32Array>): OwnIndex {
  /** What was handed over and not removed since. */
  const given = new Set<string>();
  /** The space as one call of `attach` copied it: two may be open of the same collection. */
  let holder: Space | undefined;

  return {
    attach(attached) {
      const space = { ...attached };
      return {
        async open(directory) {
          if (holder !== undefined && holder !== space) {
            throw new RagError(
              'UNSUPPORTED',
              `store.index: an index of one's own serves one open collection, and this one serves "${holder.collection}"; ` +
                `close that, or open another store, with another index, for "${space.collection}"`,
              { adapter: 'memory' },
            );
          }
          holder = space;
          // What it holds may be of another state: it begins anew.
          await removeAll([...given]);
          return fill(space.fingerprint, directory);
        },
        detach() {
          if (holder === space) holder = undefined;
        },
      };
    },
    release(collection) {
      if (holder?.collection === collection) holder = undefined;
    },
  };

  function fill({ dimensions }: Fingerprint, directory: Directory): Awaited<ReturnType<OpenVectors>> {
    const ordinals = new Map<string, number>();
    let gone: string[] = [];
    let coming: Entry[] = [];
    let size = 0;
    return {
      name: 'own',
      isStale: false,
      isFarBehind: false,
      get size() {
        return size;
      },
      async addBlock(snapshot, { number, first, chunks }) {
        const [heads, texts] = [snapshot.column(number, 'heads'), snapshot.column(number, 'texts')];
        for (const [row, vector] of vectorsOf(snapshot.column(number, 'vectors'), dimensions).entries()) {
          if (isZeroVector(vector)) continue;
          const head = headAt(heads, row);
          ordinals.set(head.id, first + row);
          coming.push({ ...head, text: textAt(texts, row), vector: vector.slice() });
        }
        size = first + chunks;
        if (coming.length >= BATCH) await handOver();
      },
      remove(ordinal) {
        const id = directory.idOf(ordinal);
        if (ordinals.get(id) !== ordinal) return;
        ordinals.delete(id);
        gone.push(id);
      },
      settle: handOver,
      async tend() {},
      async query(vector, options) {
        if (options.limit === 0 || isZeroVector(vector)) return [];
        const allows = (id: string) => {
          const ordinal = ordinals.get(id);
          return ordinal !== undefined && options.allowed.has(ordinal);
        };
        const asked = call('query', () => index.query(vector.slice(), options.limit, allows));
        return check(await abortable(asked, options.signal), ordinals, options);
      },
    };

    async function handOver(): Promise<void> {
      // A chunk may have gone and come again under the same id.
      await removeAll(gone);
      gone = [];
      for (const batch of batches(coming, BATCH)) {
        for (const { id } of batch) given.add(id);
        await call('update', () => index.update(batch));
      }
      coming = [];
    }
  }

  async function removeAll(ids: readonly string[]): Promise<void> {
    for (const batch of batches(ids, BATCH)) {
      await call('remove', () => index.remove(batch));
      for (const id of batch) given.delete(id);
    }
  }
}

/** What an index answered, best first; it may find only what it was allowed to, each once, with a score. */
function check(matches: unknown, ordinals: ReadonlyMap<string, number>, options: OrdinalQueryOptions): readonly Found[] {
  const { limit, allowed, idOf } = options;
  if (!Array.isArray(matches)) throw wrong(`gave ${describeValue(matches)} instead of a list of matches`);
  if (matches.length > limit) throw wrong(`gave ${matches.length} matches where ${limit} were asked for`);
  const seen = new Set<unknown>();
  const top = createTop(limit, idOf);
  for (const match of matches as readonly unknown[]) {
    const { id, score } = (typeof match === 'object' && match !== null ? match : {}) as { id?: unknown; score?: unknown }; // read as unknown
    const name = typeof id === 'string' ? JSON.stringify(id) : describeValue(id);
    const ordinal = typeof id === 'string' ? ordinals.get(id) : undefined;
    if (ordinal === undefined) throw wrong(`found ${name}, which is not the id of an entry that it was given`);
    if (!allowed.has(ordinal)) throw wrong(`found ${name}, which \`allows\` refuses`);
    if (seen.has(id)) throw wrong(`found ${name} twice`);
    if (typeof score !== 'number' || !Number.isFinite(score)) {
      throw wrong(`gave ${name} the score ${typeof score === 'number' ? score : describeValue(score)}, not a finite number`);
    }
    seen.add(id);
    top.offer(ordinal, score);
  }
  return top.take();
}

async function call<Result>(name: keyof Index<never>, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw failed(`its ${name}() failed: ${messageOf(cause)}`, cause);
  }
}

function wrong(problem: string): RagError {
  return failed(`its query() ${problem}`);
}

/** Not worth another try: what failed is code beside this one. */
function failed(problem: string, cause?: unknown): RagError {
  return new RagError('UPSTREAM_FAILED', `store.index: ${problem}`, { adapter: 'memory', retryable: false, cause });
}
