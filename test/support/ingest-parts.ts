import type { Collection, VectorStore } from '../../src/core/contracts.js';
import { toArray } from '../../src/core/flow.js';
import type { IngestItem, IngestParts } from '../../src/core/ingest.js';
import { digest, hash } from '../../src/sdk/hash.js';

const DIMENSIONS = 8;

/** An ingest over nothing but a store: paragraphs are chunks, vectors follow from their letters; `embedded` tells what was embedded. */
export function createIngestParts(): IngestParts & { readonly embedded: string[] } {
  const embedded: string[] = [];
  return {
    embedded,
    loaders: [
      {
        id: 'plain',
        accepts: () => true,
        load: async ({ bytes }) => ({ text: new TextDecoder().decode(bytes), format: 'text', metadata: {}, warnings: [] }),
      },
    ],
    groups: {
      default: {
        id: 'paragraphs',
        *chunk({ text }) {
          for (const { index, 0: part } of text.matchAll(/[^\n]+/g)) yield { span: [index, index + part.length] };
        },
      },
    },
    fields: [],
    readAhead: 4,
    embedDocuments: async (texts) => {
      embedded.push(...texts);
      return texts.map(vectorOf);
    },
    hash,
    clock: () => performance.now(),
    now: () => new Date(),
  };
}

/** Documents of a few paragraphs each, the same in every process. */
export function makeItems(count: number): readonly IngestItem[] {
  return Array.from({ length: count }, (_, number) => {
    const id = `doc-${String(number).padStart(4, '0')}`;
    const parts = Array.from({ length: 5 + (number % 30) }, (_, part) => `${id} part ${part} ${digest(`${number} ${part}`)}`);
    const read = async () => ({ uri: id, bytes: Buffer.from(parts.join('\n')) });
    return { id, uri: id, origin: '/docs', metadata: { number }, read };
  });
}

export async function* streamOf<Item>(items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}

export function openNotes(store: VectorStore): Promise<Collection> {
  const fingerprint = { embedder: 'letters', dimensions: DIMENSIONS, metric: 'cosine' } as const;
  return store.open({ collection: 'notes', fingerprint, fields: [], create: true });
}

/** All that a collection holds and answers, but for times. */
export async function stateOf(collection: Collection) {
  const documents = (await toArray(collection.documents({}))).map(({ updatedAt, ...row }) => row);
  const entries = (await toArray(collection.scan({}))).map(({ id, text, vector }) => `${id} ${text} ${vector.join(' ')}`);
  const hits = [];
  for (const text of ['doc-0007 part', 'part 3', 'doc-0100']) {
    hits.push((await collection.keywords({ text, limit: 20 })).matches);
    hits.push((await collection.nearest({ vector: vectorOf(text), limit: 20 })).matches);
  }
  return { documents, entries, hits };
}

function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  for (let index = 0; index < text.length; index++) {
    const at = text.charCodeAt(index) % DIMENSIONS;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
