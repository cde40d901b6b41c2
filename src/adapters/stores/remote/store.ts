import { randomUUID } from 'node:crypto';
import { checkFingerprint } from '../../../core/checks.js';
import type { CallOptions, Collection, OpenRequest, Space, VectorStore } from '../../../core/contracts.js';
import { invalidInput, RagError } from '../../../core/errors.js';
import { abortable } from '../../../core/flow.js';
import { createRemoteCollection } from './collection.js';
import type { RemoteServer } from './contract.js';
import { SIDECAR_FINGERPRINT } from './sidecar.js';

export interface RemoteStoreParts {
  readonly server: RemoteServer;
  /** Opens the embedded store of the keyword indexes: one collection a remote collection, called by its uuid. Called at first use. */
  readonly openKeywordStore: () => Promise<VectorStore>;
  /** True where that store outlives this process: commits feed it at once then, and no other process has to read all back. @default false */
  readonly keepsKeywords?: boolean | undefined;
}

/** Makes a VectorStore of a server. */
export function createRemoteStore({ server, openKeywordStore, keepsKeywords = false }: RemoteStoreParts): VectorStore {
  /** Open collections by uuid: all openers share one mirror, one writer and one queue of commits. */
  const open = new Map<string, Shared>();
  let keywordStore: Promise<VectorStore> | undefined;
  let closed: Promise<void> | undefined;

  const keywords = () => {
    keywordStore ??= openKeywordStore().catch((error: unknown) => {
      keywordStore = undefined;
      throw error;
    });
    return keywordStore;
  };

  const openKeywords = async ({ uuid, fields }: Space): Promise<Collection> => {
    const store = await keywords();
    return store.open({ collection: uuid, fingerprint: SIDECAR_FINGERPRINT, fields, create: true });
  };

  const share = (space: Space): Shared => {
    const abandoned = new AbortController();
    const call = { signal: abandoned.signal };
    const collection = server.tables(space, call).then((tables) =>
      createRemoteCollection({
        space,
        compiler: server.compiler,
        tables,
        keywords: { open: () => openKeywords(space), eager: keepsKeywords },
      }),
    );
    const shared: Shared = { users: 0, abandoned, collection };
    collection.catch(() => forget(space, shared)); // told to whoever opened it
    open.set(space.uuid, shared);
    return shared;
  };

  const forget = ({ uuid }: Space, shared: Shared): void => {
    if (open.get(uuid) === shared) open.delete(uuid);
  };

  /** The last one to go closes it, or gives up opening it. */
  const leave = async (space: Space, shared: Shared): Promise<void> => {
    shared.users--;
    if (shared.users > 0) return;
    forget(space, shared);
    shared.abandoned.abort();
    await (await shared.collection.catch(() => undefined))?.close();
  };

  const check = ({ signal }: CallOptions): void => {
    signal?.throwIfAborted();
    if (closed !== undefined) throw invalidInput('store', 'it was closed; open it again');
  };

  return {
    name: server.name,
    async collections(options = {}) {
      check(options);
      return server.spaces(options);
    },
    async open(request, options = {}) {
      if (closed !== undefined)
        throw new RagError('CONNECTION_FAILED', `the ${server.name} store is closed`, { retryable: false });
      const space = await findSpace(server, request, options);
      checkFingerprint(space, request.fingerprint, server.name);
      const shared = open.get(space.uuid) ?? share(space);
      shared.users++;
      const collection = await abortable(shared.collection, options.signal).catch((error: unknown) => {
        leave(space, shared).catch(() => {}); // the opening's own error says more
        throw error;
      });
      let left: Promise<void> | undefined;
      return {
        ...collection,
        close: () => {
          left ??= leave(space, shared);
          return left;
        },
      };
    },
    async drop(name, options = {}) {
      check(options);
      const space = await server.find(name, options);
      const dropped = await server.drop(name, options);
      if (space !== undefined) await (await keywords()).drop(space.uuid, options);
      return dropped;
    },
    close: () => {
      closed ??= closeAll(open, server, keywordStore);
      return closed;
    },
  };
}

interface Shared {
  users: number;
  /** Aborted when nobody is left who opens or uses it: one opener's own signal ends nobody else's opening. */
  readonly abandoned: AbortController;
  readonly collection: Promise<Collection>;
}

async function findSpace(server: RemoteServer, request: OpenRequest, options: CallOptions): Promise<Space> {
  const { collection, fingerprint, fields, create } = request;
  const space = await server.find(collection, options);
  if (space !== undefined) return space;
  if (create) return server.create({ collection, uuid: randomUUID(), fingerprint, fields }, options);
  const message = `there is no collection ${JSON.stringify(collection)} on the ${server.name} server at ${server.address}`;
  throw new RagError('NOT_FOUND', message, { adapter: server.name });
}

async function closeAll(
  open: ReadonlyMap<string, Shared>,
  server: RemoteServer,
  keywordStore: Promise<VectorStore> | undefined,
): Promise<void> {
  for (const { collection } of open.values()) await (await collection.catch(() => undefined))?.close();
  await server.close();
  await (await keywordStore?.catch(() => undefined))?.close();
}
