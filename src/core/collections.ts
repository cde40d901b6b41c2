import type { CallOptions, VectorStore } from './contracts.js';

export interface CollectionInfo {
  readonly name: string;
  readonly documents: number;
  readonly chunks: number;
  readonly embedder: string;
}

/** What is in a store, counted from the manifests; by ascending name. */
export async function infoOfCollections(store: VectorStore, options: CallOptions = {}): Promise<readonly CollectionInfo[]> {
  const infos: CollectionInfo[] = [];
  for (const { collection: name, fingerprint, fields } of await store.collections(options)) {
    // Opened as what it is, whatever this process embeds with.
    const collection = await store.open({ collection: name, fingerprint, fields, create: false }, options);
    let documents = 0;
    let chunks = 0;
    try {
      for await (const row of collection.documents({}, options)) {
        documents++;
        chunks += row.chunks;
      }
    } finally {
      await collection.close();
    }
    infos.push({ name, documents, chunks, embedder: fingerprint.embedder });
  }
  return infos.sort((left, right) => (left.name < right.name ? -1 : 1));
}
