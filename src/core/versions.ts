import type { CallOptions, Collection } from './contracts.js';

export interface VersionsParts {
  /** How old a version may be that is taken for the current one, ms. 0: it is read for every search. */
  readonly maxStaleMs: number;
  /** Milliseconds, monotonic: a wall clock that is set back would make an old version young. */
  readonly clock: () => number;
}

/** The versions of open collections, which stand in the key of every search that is kept. */
export interface Versions {
  /** The collection's version, now or `maxStaleMs` ago at most. */
  read(collection: Collection, options?: CallOptions): Promise<string>;
  /** Of a remote collection the version last read: a guess, while `read` is under way. */
  seen(collection: Collection): string | undefined;
  /** This process has written: what was read before, or is being read, is not known to be true any more. */
  forget(collection: Collection): void;
}

interface Known {
  readonly version: string;
  /** When the reading began. */
  readonly at: number;
}

export function createVersions({ maxStaleMs, clock }: VersionsParts): Versions {
  const known = new WeakMap<Collection, Known>();
  /** Raised by `forget`. */
  const writes = new WeakMap<Collection, number>();

  return {
    async read(collection, options) {
      const at = clock();
      const last = known.get(collection);
      if (maxStaleMs > 0 && last !== undefined && at - last.at <= maxStaleMs) return last.version;
      const before = writes.get(collection);
      const version = await collection.version(options);
      if ((maxStaleMs > 0 || collection.remote === true) && writes.get(collection) === before)
        known.set(collection, { version, at });
      return version;
    },
    seen: (collection) => (collection.remote === true ? known.get(collection)?.version : undefined),
    forget(collection) {
      known.delete(collection);
      writes.set(collection, (writes.get(collection) ?? 0) + 1);
    },
  };
}
