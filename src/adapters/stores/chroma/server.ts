import type { Collection as ChromaCollection } from 'chromadb';
import * as z from 'zod';
import type { CallOptions, Metric, Space } from '../../../core/contracts.js';
import { isRagError, RagError } from '../../../core/errors.js';
import type { RemoteServer } from '../remote/contract.js';
import { tableName } from '../remote/names.js';
import { storedSpace } from '../remote/space.js';
import { chromaCompiler } from './compile.js';
import { type ChromaConnection, NO_EMBEDDING } from './connection.js';
import type { ChromaOptions } from './options.js';
import { createChromaTables } from './tables.js';

/** Chroma takes 3 to 512 of these; some room is left for what is appended to a name. */
const NAME_RULES = { plain: /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,400}[a-zA-Z0-9]$/, allowed: /[a-zA-Z0-9_-]/, filler: '-' };
/** Collections that one call lists. */
const PAGE = 100;
/** Of the two tables beside the chunks: nobody searches them, so their index is as small as it can be. */
const NO_SEARCH = { hnsw: { space: 'l2', max_neighbors: 2, ef_construction: 2 } } as const;

/** The metrics as the options call them, and how a collection is made for each. */
const SPACE_OF: Readonly<Record<Metric, 'cosine' | 'ip' | 'l2'>> = { cosine: 'cosine', dot: 'ip', l2: 'l2' };
/**
 * Our vectors have length 1 already, so their cosine is their inner product. Chroma's own cosine divides by the length once more: it
 * gives back vectors, and scores, that differ in the last digit from what was written.
 */
const MADE_AS: Readonly<Record<Metric, 'ip' | 'l2'>> = { cosine: 'ip', dot: 'ip', l2: 'l2' };

/** What marks a collection of Chroma as one of ours; the space is JSON, since Chroma's metadata is flat. */
const marked = z.object({ hotrag: z.literal('chunks'), space: z.string().transform(readJson).pipe(storedSpace) });

/**
 * A Chroma server. A collection is three of Chroma's: the chunks, under the collection's own name; the documents and the writers,
 * under names that hold its uuid. Whoever makes the first one makes the collection.
 */
export function createChromaServer(connection: ChromaConnection, options: ChromaOptions): RemoteServer {
  const { run, address } = connection;
  const nameOf = (collection: string) => tableName(collection, NAME_RULES);

  const find = async (collection: string, { signal }: CallOptions = {}): Promise<Space | undefined> => {
    const name = nameOf(collection);
    const found = await orUndefined(
      run(`find collection ${JSON.stringify(name)}`, (client) => client.getCollection({ name, ...NO_EMBEDDING }), signal),
    );
    if (found === undefined) return undefined;
    const space = spaceOf(found);
    if (space?.collection === collection) return space;
    throw new RagError(
      'INPUT_INVALID',
      `the Chroma collection ${JSON.stringify(name)} at ${address} was not made by hotrag; choose another name for the collection, or ` +
        'another database',
      { adapter: 'chroma' },
    );
  };

  const remove = (name: string, signal: AbortSignal | undefined): Promise<boolean> =>
    orUndefined(
      run(`remove ${JSON.stringify(name)}`, (client) => client.deleteCollection({ name }).then(() => true), signal),
    ).then((removed) => removed ?? false);

  return {
    name: 'chroma',
    address,
    compiler: chromaCompiler,
    async spaces({ signal } = {}) {
      const spaces: Space[] = [];
      for (let offset = 0; ; offset += PAGE) {
        const page = await run('list collections', (client) => client.listCollections({ limit: PAGE, offset }), signal);
        spaces.push(...page.flatMap((collection) => spaceOf(collection) ?? []));
        if (page.length < PAGE) return spaces;
      }
    },
    find,
    async create(space, { signal } = {}) {
      const { metric } = space.fingerprint;
      if (options.hnsw.space !== SPACE_OF[metric]) throw spaceMismatch(options.hnsw.space, SPACE_OF[metric]);
      const name = nameOf(space.collection);
      try {
        await run(
          `create collection ${JSON.stringify(name)}`,
          (client) =>
            client.createCollection({
              name,
              metadata: { hotrag: 'chunks', space: JSON.stringify(space) },
              configuration: { hnsw: { ...options.hnsw, space: MADE_AS[metric] } },
              ...NO_EMBEDDING,
            }),
          signal,
        );
        return space;
      } catch (error) {
        // Another process made it meanwhile; then it is there, or the error is another one.
        const there = await find(space.collection, { signal });
        if (there === undefined) throw error;
        return there;
      }
    },
    async drop(collection, callOptions = {}) {
      const space = await find(collection, callOptions);
      if (space === undefined) return false;
      const removed = await remove(nameOf(collection), callOptions.signal);
      for (const name of sideNames(space)) await remove(name, callOptions.signal);
      return removed;
    },
    async tables(space, { signal } = {}) {
      const open = (name: string, kind: string) =>
        run(
          `open ${JSON.stringify(name)}`,
          (client) =>
            client.getOrCreateCollection({
              name,
              metadata: { hotrag: kind, pulse: '' },
              configuration: NO_SEARCH,
              ...NO_EMBEDDING,
            }),
          signal,
        );
      const name = nameOf(space.collection);
      const chunks = await run(
        `open ${JSON.stringify(name)}`,
        (client) => client.getCollection({ name, ...NO_EMBEDDING }),
        signal,
      );
      const [documentsName, writersName] = sideNames(space);
      const documents = await open(documentsName, 'documents');
      const writers = await open(writersName, 'writers');
      await tuneSearch(connection, chunks, options.hnsw.ef_search, signal);
      return createChromaTables(connection, space, { chunks, documents, writers });
    },
    close: async () => {}, // the client keeps nothing open
  };
}

/** Names that no other collection, dropped or alive, has or had. */
function sideNames({ uuid }: Space): readonly [string, string] {
  return [`hotrag-${uuid}.documents`, `hotrag-${uuid}.writers`];
}

/** Undefined: not made by hotrag. */
function spaceOf({ metadata }: ChromaCollection): Space | undefined {
  const marks = marked.safeParse(metadata);
  return marks.success ? marks.data.space : undefined;
}

/** Undefined, which no schema takes, where it is not JSON. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function orUndefined<Value>(call: Promise<Value>): Promise<Value | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRagError(error) && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** How widely a search looks is no property of the collection, so what this process is told counts. */
async function tuneSearch(
  { run }: ChromaConnection,
  chunks: ChromaCollection,
  ef_search: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (chunks.configuration.hnsw?.ef_search === ef_search) return;
  await run('set ef_search', () => chunks.modify({ configuration: { hnsw: { ef_search } } }), signal);
}

function spaceMismatch(configured: string, wanted: string): RagError {
  const message = `store.hnsw.space is "${configured}", but the collection is to be compared by "${wanted}"; leave the option out or set it so`;
  return new RagError('CONFIG_INVALID', message, { adapter: 'chroma' });
}
