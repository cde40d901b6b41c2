import { completeAnswer, prepareAnswer, withHits } from './answer.js';
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
import { abortable } from './flow.js';
import { deepFreeze } from './freeze.js';
import { ingest } from './ingest.js';
import { listItems } from './items.js';
import { createLive, type Live } from './live.js';
import { createMemo, type Memoised } from './memo.js';
import type { PromptBuilder } from './prompt.js';
import { checkCollectionName, checkSampling, checkSearch, type RequestRules } from './requests.js';
import { retrieve } from './retrieve.js';
import type { Answer, AnswerEvent, GenerateOptions, Hit, Rag, RequestOptions, SearchOptions } from './types.js';

/** How many messages of a session are kept: eight turns. */
const SESSION_MESSAGES = 16;

/** What an answer's cache keeps: enough to tell it again as it was told. */
export interface KeptAnswer {
  readonly answer: Answer;
  readonly hits: readonly Hit[];
}

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
  const answering = new Map<string, Live<AnswerEvent>>();
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

  async function search(query: unknown, options: SearchOptions = {}) {
    const startedAt = clock();
    const { signal } = options;
    signal?.throwIfAborted();
    const request = checkSearch(query, options, rules);
    return withCollection(options.collection, async (collection) => {
      if (options.explain === true) {
        const { hits, explain } = await retrieve(retrieveParts, collection, request, signal);
        return { hits, tookMs: clock() - startedAt, cached: false, explain };
      }
      // The version is read before the search: what is found may be newer than it, never older, so no entry can be stale.
      const version = await collection.version({ signal });
      const key = JSON.stringify([collection.space.uuid, version, request]);
      const kept = searches.peek(key);
      if (kept !== undefined) return { hits: kept, tookMs: clock() - startedAt, cached: true };
      const work = async (flight: AbortSignal) => deepFreeze((await retrieve(retrieveParts, collection, request, flight)).hits);
      const { value: hits, joined } = await searches.compute(key, work, { signal });
      return { hits, tookMs: clock() - startedAt, cached: joined };
    });
  }

  async function* stream(question: string, options: GenerateOptions = {}): AsyncGenerator<AnswerEvent, void, undefined> {
    const startedAt = clock();
    const leaving = new AbortController();
    const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
    signal.throwIfAborted();
    checkSampling(options);
    const request = checkSearch(question, options, rules);
    const { maxTokens, temperature } = options;
    const sessionKey =
      options.session === undefined ? undefined : JSON.stringify([options.collection ?? parts.collection, options.session]);
    const history = (sessionKey === undefined ? undefined : caches.sessions.get(sessionKey)) ?? [];
    const searchOptions = { ...options, explain: false };

    const generator = await abortable(parts.generator(), signal).catch(async (error: unknown) => {
      if (!isRagError(error)) throw error;
      throw withHits(error, (await search(question, { ...searchOptions, signal })).hits);
    });
    const { space, version } = await withCollection(options.collection, async (collection) => ({
      space: collection.space,
      version: await collection.version({ signal }),
    }));
    const key = JSON.stringify([space.uuid, version, request, history, generator.id, maxTokens, temperature]);
    const remember = ({ text }: Answer) => {
      if (sessionKey === undefined) return;
      const turns: ChatMessage[] = [...history, { role: 'user', content: question }, { role: 'assistant', content: text }];
      const kept = turns.slice(-SESSION_MESSAGES);
      caches.sessions.set(sessionKey, kept, JSON.stringify(kept).length * 2);
    };

    const kept = answers.peek(key);
    if (kept !== undefined) {
      remember(kept.answer);
      yield { type: 'hits', hits: kept.hits };
      yield { type: 'text-delta', text: kept.answer.text };
      yield { type: 'finish', answer: { ...kept.answer, cached: 'exact', metrics: cachedMetrics(clock() - startedAt) } };
      return;
    }

    /** The one run that all who ask the same at this time watch. */
    async function run(live: Live<AnswerEvent>, flight: AbortSignal): Promise<KeptAnswer> {
      const { hits, tookMs: retrieveMs } = await search(question, { ...searchOptions, signal: flight });
      live.push({ type: 'hits', hits });
      const prepared = prepareAnswer({
        question,
        hits,
        history,
        prompt: parts.prompt,
        contextTokens: generator.contextTokens,
        maxTokens,
      });
      const sampling = { maxTokens, temperature };
      for await (const step of completeAnswer({ generator, prepared, sampling, clock, startedAt, retrieveMs, signal: flight })) {
        if (step.type === 'finish') return deepFreeze({ answer: step.answer, hits });
        live.push(step);
      }
      throw new RagError('UPSTREAM_FAILED', `${generator.engine} ${generator.model}: the answer has no end`, { hits });
    }

    const flying = answers.compute(
      key,
      (flight) => {
        const live = createLive<AnswerEvent>();
        answering.set(key, live);
        return run(live, flight).finally(() => {
          live.end();
          if (answering.get(key) === live) answering.delete(key);
        });
      },
      { signal },
    );
    flying.catch(() => {}); // thrown below, once the events before it are told
    try {
      const live = answering.get(key);
      if (live !== undefined) yield* live.watch(signal);
      const { value } = await flying;
      remember(value.answer);
      yield { type: 'finish', answer: value.answer };
    } finally {
      leaving.abort();
    }
  }

  return {
    collection: parts.collection,

    async ingest(sources, options = {}) {
      const stop = new AbortController();
      const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
      signal.throwIfAborted();
      const { finder, fields, hash, roots } = parts;
      const work = (async () => {
        const list = await listItems({ finder, fields, hash, roots }, sources, { ...options, signal });
        const run = { ...list, prune: options.prune === true ? list.origins : undefined, onProgress: options.onProgress, signal };
        const ingestParts = { ...parts, embedDocuments: embedding.documents };
        return await withCollection(options.collection, (collection) => ingest(ingestParts, collection, run), true);
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
      list: async (options: ListOptions = {}) =>
        withCollection(options.collection, (collection) => listDocuments(collection, parts.fields, options)),
      read: async (id, options = {}) => withCollection(options.collection, (collection) => readDocument(collection, id, options)),
      delete: async (selection, options = {}) =>
        withCollection(options.collection, (collection) => deleteDocuments(collection, parts.fields, selection, options.signal)),
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

/** UTF-16 text and a rough constant for the objects around it. */
function sizeOfHits(hits: readonly Hit[]): number {
  return hits.reduce((sum, hit) => sum + 2 * (hit.text.length + hit.id.length) + 512, 64);
}

/** No engine was asked, so its figures have no value. */
function cachedMetrics(totalMs: number): Answer['metrics'] {
  const none = {
    ttftMs: null,
    tpotMs: null,
    inputTokens: null,
    outputTokens: null,
    tokensPerSecond: null,
    queueMs: null,
    retrieveMs: null,
  };
  return { ...none, totalMs, source: 'client' };
}
