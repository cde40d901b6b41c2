import { createAnswering, type KeptAnswer } from './answering.js';
import { collect } from './collect.js';
import { infoOfCollections } from './collections.js';
import type {
  ChatMessage,
  Chunker,
  Collection,
  Embedder,
  Field,
  Fingerprint,
  Loader,
  LocalCache,
  Metric,
  Reranker,
  SourceFinder,
  TextGenerator,
  VectorStore,
} from './contracts.js';
import { deleteDocuments, listDocuments, readDocument } from './documents.js';
import { createEmbedding } from './embedding.js';
import { invalidInput, isRagError, RagError } from './errors.js';
import { deepFreeze } from './freeze.js';
import { ingest } from './ingest.js';
import { listItems } from './items.js';
import { createMemo, type Memoised } from './memo.js';
import type { PromptBuilder } from './prompt.js';
import { checkCollectionName, checkOptions, checkSampling, checkSearch, type RequestRules } from './requests.js';
import { type RetrieveRequest, retrieve } from './retrieve.js';
import type { AnswerEvent, GenerateOptions, Hit, Rag, RequestOptions, SearchOptions } from './types.js';

/** Everything the engine is made of; sdk/compose.ts builds it. */
export interface EngineParts {
  readonly collection: string;
  readonly store: VectorStore;
  readonly metric: Metric;
  readonly embedder: Embedder;
  readonly reranker: Reranker | undefined;
  /** @throws RagError NO_ENGINE */
  readonly generator: () => Promise<TextGenerator>;
  readonly prompt: PromptBuilder;
  readonly loaders: readonly Loader[];
  readonly groups: Readonly<Record<string, Chunker>>;
  readonly finder: SourceFinder;
  readonly roots: readonly string[] | undefined;
  readonly fields: readonly Field[];
  /** Files that an ingest reads before their turn. */
  readonly readAhead: number;
  /** One a layer; undefined = nothing is kept. */
  readonly caches: {
    readonly embeddings: LocalCache<Memoised<Float32Array>> | undefined;
    readonly search: LocalCache<Memoised<readonly Hit[]>> | undefined;
    readonly answers: LocalCache<Memoised<KeptAnswer>> | undefined;
    readonly sessions: LocalCache<readonly ChatMessage[]>;
  };
  /** Hex digest of a short text. */
  readonly digest: (text: string) => string;
  /** Hex digest of parts of any size, each delimited from the next. */
  readonly hash: (parts: readonly (string | Uint8Array)[]) => Promise<string>;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly now: () => Date;
}

/** The whole system over its parts. Nothing here knows which store, embedder or engine it talks to. */
export function createEngine(parts: EngineParts): Rag {
  const { clock, caches, store } = parts;
  const fingerprint: Fingerprint = { embedder: parts.embedder.id, dimensions: parts.embedder.dimensions, metric: parts.metric };
  const rules: RequestRules = {
    fields: parts.fields,
    groups: Object.keys(parts.groups),
    hasReranker: parts.reranker !== undefined,
  };
  const embeddings = createMemo<Float32Array>({ local: caches.embeddings, sizeOf: (vector) => vector.byteLength, clock });
  const searches = createMemo<readonly Hit[]>({ local: caches.search, sizeOf: sizeOfHits, clock });
  const answers = createMemo<KeptAnswer>({
    local: caches.answers,
    sizeOf: ({ answer, hits }) => 2 * answer.text.length + sizeOfHits(hits),
    clock,
  });
  const embedding = createEmbedding({ embedder: parts.embedder, memo: embeddings, digest: parts.digest });
  const retrieveParts = { embedder: parts.embedder, embedQueries: embedding.queries, reranker: parts.reranker, clock };
  const open = new Map<string, Promise<Collection>>();
  /** Of remote collections the version last seen. */
  const versions = new WeakMap<Collection, string>();
  const ingesting = new Map<AbortController, Promise<unknown>>();
  let closed: Promise<void> | undefined;

  function use(name: string | undefined, create = false): Promise<Collection> {
    if (closed !== undefined) return Promise.reject(invalidInput('rag', 'it was closed; open it again'));
    const collection = name === undefined ? parts.collection : checkCollectionName(name);
    const known = open.get(collection);
    if (known !== undefined) return known;
    const opening = store.open({ collection, fingerprint, fields: parts.fields, create });
    open.set(collection, opening);
    opening.catch(() => open.delete(collection));
    return opening;
  }

  /** Runs `work` on a collection; one that was dropped elsewhere since it was opened is opened anew, once. */
  async function withCollection<Value>(
    name: string | undefined,
    work: (collection: Collection) => Promise<Value>,
    create = false,
  ) {
    const collection = await use(name, create).catch((error: unknown) => {
      // An ingest may be creating it at this moment; or it was looked for, in vain, by a call that must not create it.
      if (create && isRagError(error) && error.code === 'NOT_FOUND') return use(name, true);
      throw error;
    });
    try {
      return await work(collection);
    } catch (error) {
      if (!(isRagError(error) && error.code === 'NOT_FOUND') || (await stillThere(collection))) throw error;
      open.delete(collection.space.collection);
      await collection.close();
      return work(await use(name, create));
    }
  }

  async function stillThere({ space }: Collection): Promise<boolean> {
    return (await store.collections()).some(({ uuid }) => uuid === space.uuid);
  }

  async function readVersion(collection: Collection, signal?: AbortSignal): Promise<string> {
    const version = await collection.version({ signal });
    if (collection.remote === true) versions.set(collection, version);
    return version;
  }

  async function search(query: unknown, options: SearchOptions = {}) {
    const startedAt = clock();
    const { signal } = options;
    signal?.throwIfAborted();
    checkOptions('search', options);
    const request = checkSearch(query, options, rules);
    return withCollection(options.collection, async (collection) => {
      if (options.explain === true || caches.search === undefined) {
        const { hits, explain } = await retrieve(retrieveParts, collection, request, signal);
        const result = { hits, tookMs: clock() - startedAt, cached: false };
        return options.explain === true ? { ...result, explain } : result;
      }
      const work = async (flight: AbortSignal) => deepFreeze((await retrieve(retrieveParts, collection, request, flight)).hits);
      // A result is kept under a version that was read before its search began: it may be newer than its key, never older, and
      // versions don't come back, so no entry can be stale.
      const seen = versions.get(collection);
      if (seen !== undefined && !searches.has(keyOf(collection, seen, request))) {
        readVersion(collection).catch(() => {}); // for the next search; what is wrong with the store, this one will tell
        const { value: hits } = await searches.compute(keyOf(collection, seen, request), work, { signal });
        return { hits, tookMs: clock() - startedAt, cached: false };
      }
      const key = keyOf(collection, await readVersion(collection, signal), request);
      const kept = searches.peek(key);
      if (kept !== undefined) return { hits: kept, tookMs: clock() - startedAt, cached: true };
      const { value: hits, joined } = await searches.compute(key, work, { signal });
      return { hits, tookMs: clock() - startedAt, cached: joined };
    });
  }

  const answer = createAnswering({
    generator: parts.generator,
    prompt: parts.prompt,
    memo: answers,
    sessions: caches.sessions,
    clock,
    search: (question, { maxTokens, temperature, session, ...options }) => search(question, options),
    sessionScope: (options) => options.collection ?? parts.collection,
    async searchKey(question, options) {
      checkOptions('generate', options);
      checkSampling(options);
      const request = checkSearch(question, options, rules, 'question');
      return withCollection(options.collection, async (collection) =>
        keyOf(collection, await collection.version(options), request),
      );
    },
  });

  function stream(question: string, options: GenerateOptions = {}): AsyncIterable<AnswerEvent> {
    return answer(question, options);
  }

  return {
    collection: parts.collection,

    async ingest(sources, options = {}) {
      const stop = new AbortController();
      const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
      signal.throwIfAborted();
      checkOptions('ingest', options);
      const { finder, fields, hash, roots } = parts;
      const work = (async () => {
        const list = await listItems({ finder, fields, hash, roots }, sources, { ...options, signal });
        const run = { ...list, prune: options.prune === true ? list.origins : undefined, onProgress: options.onProgress, signal };
        const ingestParts = { ...parts, embedDocuments: embedding.documents };
        return await withCollection(
          options.collection,
          (collection) => ingest(ingestParts, collection, run).finally(() => versions.delete(collection)),
          true,
        );
      })();
      ingesting.set(stop, work);
      return work.finally(() => ingesting.delete(stop));
    },

    search,

    async generate(question, options) {
      return (await collect(stream(question, options))).finish.answer;
    },

    stream,

    documents: {
      async list(options: ListOptions = {}) {
        checkOptions('list', options);
        return withCollection(options.collection, (collection) => listDocuments(collection, parts.fields, options));
      },
      async read(id, options = {}) {
        checkOptions('read', options);
        return withCollection(options.collection, (collection) => readDocument(collection, id, options));
      },
      async delete({ collection, signal, ...selection } = {}, options = {}) {
        const request = { collection, signal, ...options };
        return withCollection(request.collection, (opened) => deleteDocuments(opened, parts.fields, selection, request.signal));
      },
    },

    collections: {
      list: (options) => infoOfCollections(store, options),
      async drop(name, options) {
        const collection = checkCollectionName(name);
        const known = open.get(collection);
        open.delete(collection);
        await known?.then((handle) => handle.close()).catch(() => {}); // it may never have opened
        if (!(await store.drop(collection, options))) throw new RagError('NOT_FOUND', `there is no collection '${collection}'`);
      },
    },

    async cacheStats(options = {}) {
      const collection = options.collection === undefined ? parts.collection : checkCollectionName(options.collection);
      const version = await withCollection(collection, (handle) => handle.version({ signal: options.signal })).catch(
        (error: unknown) => {
          if (isRagError(error) && error.code === 'NOT_FOUND') return '';
          throw error;
        },
      );
      return {
        layers: { embeddings: embeddings.stats(), search: searches.stats(), answers: answers.stats() },
        collection,
        version,
      };
    },

    close() {
      closed ??= (async () => {
        for (const controller of ingesting.keys()) controller.abort(invalidInput('rag', 'it was closed during the ingest'));
        await Promise.allSettled(ingesting.values());
        await Promise.allSettled([...open.values()].map(async (opening) => (await opening).close()));
        await store.close();
      })();
      return closed;
    },
  };
}

type ListOptions = NonNullable<Parameters<Rag['documents']['list']>[0]> & RequestOptions;

/** Under what a search is kept: the collection as it is at this version, and everything asked of it. */
function keyOf({ space }: Collection, version: string, request: RetrieveRequest): string {
  return JSON.stringify([space.uuid, version, request]);
}

/** UTF-16 text and a rough constant for the objects around it. */
function sizeOfHits(hits: readonly Hit[]): number {
  return hits.reduce((sum, hit) => sum + 2 * (hit.text.length + hit.id.length) + 512, 64);
}
