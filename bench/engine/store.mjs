import { DIMENSIONS } from './data.mjs';
import { ours, rowOf, TOP_K } from './engines.mjs';

const HASH = 'a'.repeat(64);
const ROWS_A_COMMIT = 1000;
/** A process that uses less than this within a wait has nothing left to do. A search leaves its work to a timer of a second. */
const IDLE_CPU_MS = 30;
const IDLE_WAIT_MS = 1300;

/**
 * The embedded store, in memory only, with a graph: what a search of the SDK asks, filter and version included. A row is a document of
 * one chunk.
 */
export async function openStore() {
  const { openMemoryStore } = await ours();
  const store = await openMemoryStore({ index: 'hnsw' });
  const fingerprint = { embedder: 'none', dimensions: DIMENSIONS, metric: 'cosine' };
  const collection = await store.open({ collection: 'bench', fingerprint, fields: [], create: true });

  return {
    /** Puts rows of `vectors`, each by its number or by the name that `nameOf` gives it. */
    async put(vectors, numbers, { metadataOf = () => ({}), nameOf = (row) => row } = {}) {
      for (let start = 0; start < numbers.length; start += ROWS_A_COMMIT) {
        const some = numbers.slice(start, start + ROWS_A_COMMIT);
        await collection.commit({
          put: some.map((row) => documentOf(nameOf(row), rowOf(vectors, row), metadataOf(row))),
          drop: [],
        });
      }
    },
    drop: (numbers) => collection.commit({ put: [], drop: numbers.map(String) }),
    /** Waits until the graph holds what was put and is led around what was dropped. */
    async settle() {
      const vector = new Float32Array(DIMENSIONS).fill(DIMENSIONS ** -0.5);
      for (;;) {
        await collection.nearest({ vector, limit: TOP_K });
        const before = process.cpuUsage();
        await new Promise((resolve) => setTimeout(resolve, IDLE_WAIT_MS));
        const { user, system } = process.cpuUsage(before);
        if ((user + system) / 1000 < IDLE_CPU_MS) return;
      }
    },
    /** Names of the nearest. */
    async search(vector, filter) {
      const plan = filter === undefined ? undefined : collection.plan(filter);
      const { matches } = await collection.nearest({ vector, limit: TOP_K, plan });
      return matches.map(({ id }) => Number(id.slice(0, id.indexOf('#'))));
    },
    close: () => store.close(),
  };
}

function documentOf(name, vector, metadata) {
  const documentId = String(name);
  const common = { uri: documentId, hash: HASH, metadata };
  const document = {
    ...common,
    id: documentId,
    loader: 'text',
    origin: '',
    length: 1,
    chunks: 1,
    updatedAt: '2024-01-01T00:00:00.000Z',
  };
  const entry = {
    ...common,
    id: `${documentId}#${HASH.slice(0, 12)}/default/000000`,
    documentId,
    group: 'default',
    position: 0,
    text: '-',
    span: [0, 1],
    location: {},
    vector,
  };
  return { document, entries: [entry] };
}
