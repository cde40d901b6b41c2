import type { VectorStore } from '../../../core/contracts.js';
import { openKeywordStoreAt } from '../remote/keyword-store.js';
import { createRemoteStore } from '../remote/store.js';
import type { MilvusOptions } from './options.js';
import { createMilvusServer } from './server.js';

export interface MilvusStoreParts {
  /** Opens the embedded store that holds the keyword indexes. @default one under `options.path`; without a path, in memory */
  readonly openKeywordStore?: (() => Promise<VectorStore>) | undefined;
}

/**
 * A Milvus server as a store: Lite, standalone or distributed. It is first spoken to at the first call, so one that is down shows
 * there: CONNECTION_FAILED. The client, which takes long to import, is imported then too.
 * @throws RagError CONFIG_INVALID when `uri` is not the address of a server
 * @example openMilvusStore(milvusOptions.parse({ type: 'milvus', uri: 'http://localhost:19530' }))
 */
export function openMilvusStore(options: MilvusOptions, parts: MilvusStoreParts = {}): VectorStore {
  const server = createMilvusServer(options);
  const openKeywordStore = parts.openKeywordStore ?? (() => openKeywordStoreAt(server.address, options.path));
  return createRemoteStore({ server, openKeywordStore, keepsKeywords: options.path !== undefined });
}
