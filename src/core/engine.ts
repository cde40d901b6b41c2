import { createAnswering } from './answering.js';
import { collect } from './collect.js';
import { infoOfCollections } from './collections.js';
import type {
  ChatMessage,
  Chunker,
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
  Watcher,
} from './contracts.js';
import { deleteDocuments, listDocuments, readDocument } from './documents.js';
import { createEmbedding } from './embedding.js';
import { invalidInput, isRagError, RagError } from './errors.js';
import { abortable, eitherSignal } from './flow.js';
import type { Checksum } from './frame.js';
import { ingest } from './ingest.js';
import { listItems, pathsOf } from './items.js';
import { type CacheParts, createLayers } from './layers.js';
import { createOpened } from './opened.js';
import type { PromptBuilder } from './prompt.js';
import { checkCollectionName, checkOptions, checkSampling, checkSearch, type RequestRules } from './requests.js';
import { createSearching, searchKey } from './searching.js';
import type { AnswerEvent, GenerateOptions, IngestOptions, IngestReport, Rag, RequestOptions } from './types.js';
import { createVersions } from './versions.js';
import { watch } from './watch.js';

/** Everything the engine is made of; sdk/compose.ts builds it. */
export interface EngineParts {
  readonly collection: string;
  readonly store: VectorStore;
  readonly metric: Metric;
  readonly embedder: Embedder;
  readonly reranker: Reranker | undefined;
  /** Finds it at the first answer; `close` frees what was found. @throws RagError NO_ENGINE */
  readonly generator: (() => Promise<TextGenerator>) & { readonly close?: () => Promise<void> };
  readonly prompt: PromptBuilder;
  readonly loaders: readonly Loader[];
  readonly groups: Readonly<Record<string, Chunker>>;
  readonly finder: SourceFinder;
  readonly watcher: Watcher;
  readonly roots: readonly string[] | undefined;
  readonly fields: readonly Field[];
  /** Files that an ingest reads before their turn. */
  readonly readAhead: number;
  readonly caches: CacheParts;
  readonly sessions: LocalCache<readonly ChatMessage[]>;
  /** How old a collection's version may be that is taken for the current one, ms. 0: what was written is seen at once. */
  readonly maxStaleMs: number;
  /** Differs where the prompt does. */
  readonly promptId: string;
  /** Of any bytes, 32 bits. */
  readonly checksum: Checksum;
  /** Told of what is lost without a call that fails. */
  readonly warn: (message: string) => void;
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
  const { clock, store } = parts;
  const fingerprint: Fingerprint = { embedder: parts.embedder.id, dimensions: parts.embedder.dimensions, metric: parts.metric };
  const rules: RequestRules = {
    fields: parts.fields,
    groups: Object.keys(parts.groups),
    hasReranker: parts.reranker !== undefined,
  };
  const layers = createLayers(parts);
  const versions = createVersions(parts);
  const opened = createOpened({ store, fingerprint, fields: parts.fields, collection: parts.collection });
  const embedding = createEmbedding({ embedder: parts.embedder, memo: layers.embeddings, digest: parts.digest });
  const search = createSearching({
    opened,
    versions,
    rules,
    retrieve: { embedder: parts.embedder, embedQueries: embedding.queries, reranker: parts.reranker, clock },
    memo: parts.caches.search === undefined ? undefined : layers.searches,
    clock,
  });
  const ingesting = new Map<AbortController, Promise<unknown>>();
  const watching = new Set<AbortController>();
  let closed: Promise<void> | undefined;

  const answer = createAnswering({
    generator: parts.generator,
    prompt: parts.prompt,
    memo: layers.answers,
    sessions: parts.sessions,
    clock,
    search: (queries, { maxTokens, temperature, session, rewrite, ...options }) => search(queries, options),
    sessionScope: (options) => options.collection ?? parts.collection,
    async searchKey(question, options) {
      checkOptions('generate', options);
      checkSampling(options);
      const request = checkSearch(question, options, rules, 'question');
      return opened.with(options.collection, async (collection) =>
        searchKey(collection, await versions.read(collection, options), request),
      );
    },
  });

  function stream(question: string, options: GenerateOptions = {}): AsyncIterable<AnswerEvent> {
    return answer(question, options);
  }

  async function ingestSources(sources: unknown, options: IngestOptions = {}): Promise<IngestReport> {
    const stop = new AbortController();
    const signal = eitherSignal(options.signal, stop.signal);
    signal.throwIfAborted();
    checkOptions('ingest', options);
    const { finder, fields, hash, roots } = parts;
    const work = (async () => {
      const list = await listItems({ finder, fields, hash, roots }, sources, { ...options, signal });
      const run = { ...list, prune: options.prune === true ? list.origins : undefined, onProgress: options.onProgress, signal };
      const ingestParts = { ...parts, embedDocuments: embedding.documents };
      return await opened.with(
        options.collection,
        (collection) => ingest(ingestParts, collection, run).finally(() => versions.forget(collection)),
        true,
      );
    })();
    ingesting.set(stop, work);
    return work.finally(() => ingesting.delete(stop));
  }

  return {
    collection: parts.collection,

    ingest: ingestSources,

    async *watch(sources, options = {}) {
      checkOptions('ingest', options);
      const stop = new AbortController();
      const signal = eitherSignal(options.signal, stop.signal);
      const { roots = parts.roots, prune = true } = options;
      const resolve = () => parts.finder.resolve(pathsOf(sources), { roots, signal });
      const ingest = () => ingestSources(sources, { ...options, prune, signal });
      watching.add(stop);
      try {
        yield* watch({ resolve, watcher: parts.watcher, ingest, signal });
      } finally {
        watching.delete(stop);
      }
    },

    search,

    async generate(question, options) {
      return (await collect(stream(question, options))).finish.answer;
    },

    stream,

    documents: {
      async list(options: ListOptions = {}) {
        checkOptions('list', options);
        return opened.with(options.collection, (collection) => listDocuments(collection, parts.fields, options));
      },
      async read(id, options = {}) {
        checkOptions('read', options);
        return opened.with(options.collection, (collection) => readDocument(collection, id, options));
      },
      async delete({ collection, signal, ...selection } = {}, options = {}) {
        const request = { collection, signal, ...options };
        return opened.with(request.collection, (handle) =>
          deleteDocuments(handle, parts.fields, selection, request.signal).finally(() => versions.forget(handle)),
        );
      },
    },

    collections: {
      list: (options) => infoOfCollections(store, options),
      async drop(name, options) {
        const collection = checkCollectionName(name);
        await opened.release(collection);
        if (!(await store.drop(collection, options))) throw new RagError('NOT_FOUND', `there is no collection '${collection}'`);
      },
    },

    async cacheStats(options = {}) {
      const collection = options.collection === undefined ? parts.collection : checkCollectionName(options.collection);
      const version = await opened
        .with(collection, (handle) => handle.version({ signal: options.signal }))
        .catch((error: unknown) => {
          if (isRagError(error) && error.code === 'NOT_FOUND') return '';
          throw error;
        });
      return { layers: layers.stats(), collection, version };
    },

    async warm(options = {}) {
      const generator = await abortable(parts.generator(), options.signal);
      await generator.warm?.(options);
    },

    close() {
      closed ??= (async () => {
        opened.end();
        for (const controller of [...watching, ...ingesting.keys()])
          controller.abort(invalidInput('rag', 'it was closed during the ingest'));
        await Promise.allSettled(ingesting.values());
        await opened.close();
        const held = [...parts.loaders, parts.generator, parts.reranker, parts.embedder];
        await Promise.allSettled(held.map((part) => part?.close?.()));
        await layers.close();
        await store.close();
      })();
      return closed;
    },
  };
}

type ListOptions = NonNullable<Parameters<Rag['documents']['list']>[0]> & RequestOptions;
