import { RagError } from '../core/errors.js';
import type { Rag } from '../core/types.js';
import { mayOpen, type Principal } from './principal.js';

/**
 * The engine as one caller may use it. A collection that isn't theirs is refused in the same words whether it exists or not, before the
 * engine is asked, so that nothing about it (not even the time a look-up takes) reaches them.
 */
export function limitRag(rag: Rag, principal: Principal): Rag {
  const { collections } = principal;
  const home = homeOf(rag, principal);

  /** The collection that a call works on. @throws RagError FORBIDDEN */
  function mine(asked: string | undefined): string {
    const collection = asked ?? home;
    if (mayOpen(principal, collection)) return collection;
    throw new RagError('FORBIDDEN', `this token opens ${listed(collections)} only, not ${JSON.stringify(collection)}`);
  }

  function scoped<Options extends { readonly collection?: string | undefined }>(options: Options): Options {
    return { ...options, collection: mine(options.collection) };
  }

  function writable(): void {
    if (principal.access === 'read') throw new RagError('FORBIDDEN', 'this token may only read');
  }

  /** Two callers who choose the same name for a conversation must not hear each other's. */
  function own<Options extends { readonly collection?: string | undefined; readonly session?: string | undefined }>(
    options: Options,
  ): Options {
    const { session } = options;
    return scoped(session === undefined ? options : { ...options, session: JSON.stringify([principal.id, session]) });
  }

  return {
    collection: home,
    async ingest(sources, options = {}) {
      writable();
      return rag.ingest(sources, scoped(options));
    },
    async *watch(sources, options = {}) {
      writable();
      yield* rag.watch(sources, scoped(options));
    },
    search: async (query, options = {}) => rag.search(query, scoped(options)),
    generate: async (question, options = {}) => rag.generate(question, own(options)),
    async *stream(question, options = {}) {
      yield* rag.stream(question, own(options));
    },
    documents: {
      list: async (options = {}) => rag.documents.list(scoped(options)),
      read: async (id, options = {}) => rag.documents.read(id, scoped(options)),
      async delete({ collection, ...selection }, options = {}) {
        writable();
        return rag.documents.delete(selection, scoped({ ...options, collection: options.collection ?? collection }));
      },
    },
    collections: {
      async list(options) {
        const all = await rag.collections.list(options);
        return all.filter(({ name }) => mayOpen(principal, name));
      },
      async drop(name, options) {
        writable();
        await rag.collections.drop(mine(name), options);
      },
    },
    async cacheStats(options = {}) {
      if (collections !== undefined) {
        throw new RagError(
          'FORBIDDEN',
          `cache statistics are of all collections together; this token opens ${listed(collections)} only`,
        );
      }
      return rag.cacheStats(options);
    },
    warm: (options) => rag.warm(options),
    close: () => Promise.resolve(), // the engine is its owner's, not a caller's
  };
}

/** What a call works on that names no collection: the engine's own, or the first that the caller may open. */
function homeOf(rag: Rag, principal: Principal): string {
  return mayOpen(principal, rag.collection) ? rag.collection : (principal.collections?.[0] ?? rag.collection);
}

function listed(collections: readonly string[] = []): string {
  return `the ${collections.length === 1 ? 'collection' : 'collections'} ${collections.map((name) => JSON.stringify(name)).join(', ')}`;
}
