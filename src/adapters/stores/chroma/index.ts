import type { VectorStore } from '../../../core/contracts.js';
import { openKeywordStoreAt } from '../remote/keyword-store.js';
import { createRemoteStore } from '../remote/store.js';
import { createChromaConnection } from './connection.js';
import type { ChromaOptions } from './options.js';
import { createChromaServer } from './server.js';

export interface ChromaStoreParts {
  /** Opens the embedded store that holds the keyword indexes. @default one under `options.path`; without a path, in memory */
  readonly openKeywordStore?: (() => Promise<VectorStore>) | undefined;
}

/**
 * A Chroma server as a store. It is first spoken to at the first call, so one that is down shows there: CONNECTION_FAILED.
 * @throws RagError CONFIG_INVALID when `uri` is not the address of a server
 * @example await openChromaStore(chromaOptions.parse({ type: 'chroma', uri: 'http://localhost:8000' }))
 */
export async function openChromaStore(options: ChromaOptions, parts: ChromaStoreParts = {}): Promise<VectorStore> {
  const connection = createChromaConnection(options);
  const openKeywordStore = parts.openKeywordStore ?? (() => openKeywordStoreAt(connection.address, options.path));
  return createRemoteStore({
    server: createChromaServer(connection, options),
    openKeywordStore,
    keepsKeywords: options.path !== undefined,
  });
}
