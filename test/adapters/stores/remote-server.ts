import type {
  ChunkRow,
  RemoteHit,
  RemoteServer,
  RemoteTables,
  StoredDocument,
  WriterRow,
} from '../../../src/adapters/stores/remote/contract.js';
import type { Filter, Space } from '../../../src/core/contracts.js';
import { RagError } from '../../../src/core/errors.js';
import { matches } from '../../../src/core/filter.js';

/** What a call is about to do; an error that `onCall` throws is the server's answer, and the call does nothing. */
export type OnCall = (method: string) => void | Promise<void>;

export interface FakeServer extends RemoteServer {
  /** Another client of the same server: its own faults, the same rows. */
  client(onCall?: OnCall): RemoteServer;
  /** Chunk rows that are there, stale ones too. */
  chunkRows(): readonly ChunkRow[];
  writerRows(): readonly WriterRow[];
}

interface Stored {
  readonly space: Space;
  readonly chunks: Map<string, ChunkRow>;
  readonly documents: Map<string, StoredDocument>;
  readonly writers: Map<string, WriterRow>;
  pulse: string;
}

/** The smallest server that fills the contract: maps, brute force, filters by `matches`. `startsWith` is left to the core. */
export function createFakeServer(options: { readonly pulse?: boolean } = {}): FakeServer {
  const spaces = new Map<string, Stored>();
  const client = (onCall: OnCall = () => {}): RemoteServer => ({
    name: 'fake',
    address: 'fake://here',
    compiler: { canPush: ({ op }) => op !== 'startsWith', compile: (filter) => filter },
    spaces: async () => [...spaces.values()].map(({ space }) => space),
    find: async (collection) => {
      await onCall('find');
      return spaces.get(collection)?.space;
    },
    create: async (space) => {
      await onCall('create');
      const stored = spaces.get(space.collection) ?? emptyStored(space);
      spaces.set(space.collection, stored);
      return stored.space;
    },
    drop: async (collection) => spaces.delete(collection),
    tables: async (space) => {
      const stored = spaces.get(space.collection);
      if (stored === undefined) throw new RagError('NOT_FOUND', 'no such table');
      return createFakeTables(stored, onCall, options.pulse ?? false);
    },
    close: async () => {},
  });
  const rows = <Row>(pick: (stored: Stored) => Iterable<Row>) => [...spaces.values()].flatMap((stored) => [...pick(stored)]);
  return {
    ...client(),
    client,
    chunkRows: () => rows(({ chunks }) => chunks.values()),
    writerRows: () => rows(({ writers }) => writers.values()),
  };
}

function emptyStored(space: Space): Stored {
  return { space, chunks: new Map(), documents: new Map(), writers: new Map(), pulse: '' };
}

function createFakeTables(stored: Stored, onCall: OnCall, withPulse: boolean): RemoteTables {
  const { chunks, documents, writers } = stored;
  return {
    mostHits: 1000,
    insertChunks: async (rows) => {
      await onCall('insertChunks');
      for (const row of rows) {
        if (chunks.has(row.rowId)) throw new Error(`row id used twice: ${row.rowId}`);
        chunks.set(row.rowId, row);
      }
    },
    deleteChunks: async (rowIds) => {
      await onCall('deleteChunks');
      for (const id of rowIds) chunks.delete(id);
    },
    nearest: async ({ vector, limit, groups, native }) => {
      await onCall('nearest');
      const hits = [...chunks.values()]
        .filter(({ entry }) => entry.vector.some((value) => value !== 0))
        .filter(({ entry }) => groups === undefined || groups.includes(entry.group))
        .filter(({ entry }) => native === undefined || matches(native as Filter, entry))
        .map((row): RemoteHit => ({ ...storedOf(row), score: dot(vector, row.entry.vector) }))
        .sort((left, right) => right.score - left.score);
      return { hits: hits.slice(0, limit), more: hits.length > limit, index: 'fake' };
    },
    chunks: async (rowIds) => {
      await onCall('chunks');
      return rowIds.flatMap((id) => chunks.get(id) ?? []).map(storedOf);
    },
    chunksOf: async function* ({ documentIds, groups, vectors }) {
      await onCall('chunksOf');
      for (const row of [...chunks.values()]) {
        const { documentId, group, vector } = row.entry;
        if (!documentIds.includes(documentId) || (groups !== undefined && !groups.includes(group))) continue;
        yield vectors ? { ...storedOf(row), vector } : storedOf(row);
      }
    },
    chunkKeys: async function* (documentIds) {
      await onCall('chunkKeys');
      for (const { rowId, stamp, entry } of [...chunks.values()]) {
        if (documentIds === undefined || documentIds.includes(entry.documentId))
          yield { rowId, stamp, documentId: entry.documentId };
      }
    },
    writers: async () => {
      await onCall('writers');
      return [...writers.values()];
    },
    ...(withPulse && {
      pulse: {
        read: async () => {
          await onCall('readPulse');
          return stored.pulse;
        },
        set: async (value) => {
          await onCall('setPulse');
          stored.pulse = value;
        },
      },
    }),
    putWriter: async (row) => {
      await onCall('putWriter');
      writers.set(row.writer, row);
    },
    deleteWriters: async (ids) => {
      await onCall('deleteWriters');
      for (const id of ids) writers.delete(id);
    },
    stamps: async (since) => {
      await onCall('stamps');
      return [...documents.values()]
        .filter(({ stamp }) => since === undefined || (stamp.writer === since.writer && stamp.seq > since.seq))
        .map(({ document: { id, hash, chunks: count }, stamp }) => ({ id, hash, chunks: count, stamp }));
    },
    countDocuments: async () => documents.size,
    documents: async (ids) => {
      await onCall('documents');
      return ids.flatMap((id) => documents.get(id) ?? []);
    },
    putDocuments: async (rows) => {
      await onCall('putDocuments');
      for (const row of rows) documents.set(row.document.id, row);
    },
    deleteDocuments: async (ids) => {
      await onCall('deleteDocuments');
      for (const id of ids) documents.delete(id);
    },
    close: async () => {},
  };
}

function storedOf({ rowId, stamp, entry: { vector: _, ...chunk } }: ChunkRow) {
  return { rowId, stamp, chunk };
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}
