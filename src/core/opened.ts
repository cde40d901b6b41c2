import type { Collection, Field, Fingerprint, VectorStore } from './contracts.js';
import { invalidInput, isRagError } from './errors.js';
import { checkCollectionName } from './requests.js';

export interface OpenedParts {
  readonly store: VectorStore;
  readonly fingerprint: Fingerprint;
  readonly fields: readonly Field[];
  /** The one that calls mean which name none. */
  readonly collection: string;
}

/** The collections that are in use, each opened once. */
export interface Opened {
  /**
   * Runs `work` on a collection; one that was dropped elsewhere since it was opened is opened anew, once.
   * @param create make it where there is none
   * @throws RagError NOT_FOUND · FINGERPRINT_MISMATCH · INPUT_INVALID (the name; everything was closed)
   */
  with<Value>(name: string | undefined, work: (collection: Collection) => Promise<Value>, create?: boolean): Promise<Value>;
  /** Closes one, if it is open, so that it can be dropped. */
  release(name: string): Promise<void>;
  /** Nothing opens any more. */
  end(): void;
  close(): Promise<void>;
}

export function createOpened({ store, fingerprint, fields, collection: home }: OpenedParts): Opened {
  const open = new Map<string, Promise<Collection>>();
  let isEnded = false;

  function use(name: string | undefined, create: boolean): Promise<Collection> {
    if (isEnded) return Promise.reject(invalidInput('rag', 'it was closed; open it again'));
    const collection = name === undefined ? home : checkCollectionName(name);
    const known = open.get(collection);
    if (known !== undefined) return known;
    const opening = store.open({ collection, fingerprint, fields, create });
    open.set(collection, opening);
    opening.catch(() => open.delete(collection));
    return opening;
  }

  async function isStillThere({ space }: Collection): Promise<boolean> {
    return (await store.collections()).some(({ uuid }) => uuid === space.uuid);
  }

  return {
    async with(name, work, create = false) {
      const collection = await use(name, create).catch((error: unknown) => {
        // An ingest may be creating it at this moment; or it was looked for, in vain, by a call that must not create it.
        if (create && isRagError(error) && error.code === 'NOT_FOUND') return use(name, true);
        throw error;
      });
      try {
        return await work(collection);
      } catch (error) {
        if (!(isRagError(error) && error.code === 'NOT_FOUND') || (await isStillThere(collection))) throw error;
        open.delete(collection.space.collection);
        await collection.close();
        return work(await use(name, create));
      }
    },
    async release(name) {
      const known = open.get(name);
      open.delete(name);
      await known?.then((collection) => collection.close()).catch(() => {}); // it may never have opened
    },
    end() {
      isEnded = true;
    },
    async close() {
      await Promise.allSettled([...open.values()].map(async (opening) => (await opening).close()));
    },
  };
}
