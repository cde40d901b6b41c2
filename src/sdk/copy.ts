import type { Metric, Space, VectorStore } from '../core/contracts.js';
import { type CopyProgress, type CopyReport, copyDocuments } from '../core/copy.js';
import { nearestName, RagError } from '../core/errors.js';
import { checkCollectionName, checkInteger } from '../core/requests.js';
import { metricOf, openStore } from './compose.js';
import type { Config, OpenRagOptions } from './config.js';
import { isStore } from './parts.js';

/** A store as `openRag` takes it: options, or an object of one's own. */
export type StoreOption = NonNullable<OpenRagOptions['store']>;

export interface CopyOptions {
  readonly from: StoreOption;
  /** Its metric, where it has such an option, is the source's if none is given. */
  readonly to: StoreOption;
  /** @default 'default' */
  readonly collection?: string | undefined;
  /** Name in the target. @default the same */
  readonly toCollection?: string | undefined;
  /** Documents that are compared chunk by chunk at the end; the manifests are compared whole. @default 50 */
  readonly sample?: number | undefined;
  readonly onProgress?: ((event: CopyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies a collection to another store with its vectors: nothing is embedded, so its embedder need not be there. The target is made
 * where there is none, with the fingerprint and fields of the source; documents that it has already are skipped, so an aborted copy
 * goes on where it ended. Stores given as objects stay open.
 * @throws RagError CONFIG_INVALID (a store's options; the target compares vectors otherwise) · NOT_FOUND (the source) ·
 *   FINGERPRINT_MISMATCH (the target is there, with another embedder's vectors) · INPUT_INVALID (source and target are one) ·
 *   UPSTREAM_FAILED (what arrived differs; names the document) · STORE_LOCKED (the source never stood still)
 * @example await copyCollection({ from: { type: 'memory', path: '.hotrag' }, to: { type: 'chroma', uri: 'http://localhost:8000' }, collection: 'docs' })
 */
export async function copyCollection(options: CopyOptions): Promise<CopyReport> {
  const { sample = 50, onProgress, signal } = options;
  const collection = checkCollectionName(options.collection ?? 'default');
  const toCollection = checkCollectionName(options.toCollection ?? collection);
  checkInteger('sample', sample, 0, 1_000_000);
  const source = await checkStore('from', options.from);
  await checkStore('to', options.to);
  signal?.throwIfAborted();
  return withStore(source, async (fromStore) => {
    const { fingerprint, fields } = await findSpace(fromStore, collection, signal);
    return withStore(await targetFor(options.to, collection, fingerprint.metric), async (toStore) => {
      const from = await fromStore.open({ collection, fingerprint, fields, create: false }, { signal });
      try {
        const to = await toStore.open({ collection: toCollection, fingerprint, fields, create: true }, { signal });
        try {
          return await copyDocuments({ from, to, sample, clock: () => performance.now(), onProgress, signal });
        } finally {
          await to.close();
        }
      } finally {
        await from.close();
      }
    });
  });
}

async function checkStore(name: 'from' | 'to', store: StoreOption): Promise<Config['store']> {
  if (isStore(store)) return store;
  const { parsePlainConfig } = await import('./config.js');
  return parsePlainConfig({ store }, () => name).store;
}

/** The target's options with the source's metric: vectors of one metric can't be searched by another. */
async function targetFor(store: StoreOption, collection: string, metric: Metric): Promise<Config['store']> {
  if (isStore(store)) return store;
  const checked = await checkStore('to', withMetric(store, metric));
  const own = metricOf(checked);
  if (own === metric) return checked;
  const words = `to: this store compares vectors by ${own}, and collection "${collection}" is made to be compared by ${metric}`;
  const option = store.type === 'chroma' ? 'hnsw.space' : 'metric';
  throw new RagError('CONFIG_INVALID', `${words}; leave \`${option}\` out, and it is set so`);
}

function withMetric(store: Exclude<StoreOption, VectorStore>, metric: Metric): StoreOption {
  switch (store.type) {
    case 'memory':
    case 'milvus':
      return { ...store, metric: store.metric ?? metric };
    case 'chroma':
      return { ...store, hnsw: { ...store.hnsw, space: store.hnsw?.space ?? (metric === 'dot' ? 'ip' : metric) } };
  }
}

async function findSpace(store: VectorStore, collection: string, signal: AbortSignal | undefined): Promise<Space> {
  const spaces = await store.collections({ signal });
  const space = spaces.find((candidate) => candidate.collection === collection);
  if (space !== undefined) return space;
  const near = nearestName(
    collection,
    spaces.map((candidate) => candidate.collection),
  );
  throw new RagError(
    'NOT_FOUND',
    `there is no collection "${collection}" in the ${store.name} store to copy from${near === undefined ? '' : `; did you mean "${near}"?`}`,
  );
}

/** Closes what it opened, and nothing else. */
async function withStore<Result>(config: Config['store'], use: (store: VectorStore) => Promise<Result>): Promise<Result> {
  const store = await openStore(config);
  try {
    return await use(store);
  } finally {
    if (store !== config) await store.close();
  }
}
