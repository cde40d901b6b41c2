import { invalidInput, isRagError, RagError } from '../core/errors.js';
import type { Rag } from '../core/types.js';
import type { Principal } from './principal.js';
import { bounded, count, oneLine, renderMetadata } from './render.js';
import { collectionUri, documentUri, parseResourceUri } from './resource-uri.js';

/** What a client can list, read and watch without a tool: each collection, and each document in it. */
export interface Resources {
  readonly templates: readonly ResourceTemplateListing[];
  /** Collections first, then their documents, page by page. @throws RagError INPUT_INVALID for a cursor that isn't ours */
  list(cursor: string | undefined, caller: Caller): Promise<ResourcePage>;
  /** undefined: there is no such resource, or it isn't the caller's to know of. */
  read(uri: string, caller: Caller): Promise<ResourceContents | undefined>;
  /** Values of a template's variable that begin with `value`; undefined: no such template or variable. */
  complete(request: CompletionRequest, caller: Caller): Promise<readonly string[] | undefined>;
}

export interface Caller {
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

export interface ResourceTemplateListing {
  readonly name: string;
  readonly title: string;
  readonly uriTemplate: string;
  readonly description: string;
  readonly mimeType?: string | undefined;
}

export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
}

export interface ResourcePage {
  readonly resources: readonly ResourceListing[];
  readonly nextCursor?: string | undefined;
}

/** A text, or bytes in base64. */
export type ResourceContents = { readonly uri: string; readonly mimeType: string } & (
  | { readonly text: string }
  | { readonly blob: string }
);

export interface CompletionRequest {
  readonly uriTemplate: string;
  readonly variable: string;
  readonly value: string;
  /** Of the template's other variables, as far as they are chosen. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** Documents of a page, and most that an overview names. */
const PAGE = 100;
/** The protocol's own bound. */
const MOST_COMPLETIONS = 100;
/** A longer document is read in parts, by the tool for it. UTF-16 units. */
const LONGEST_RESOURCE = 1_000_000;

const COLLECTION_TEMPLATE: ResourceTemplateListing = {
  name: 'collection',
  title: 'Collection',
  uriTemplate: 'hotrag://{collection}',
  description: 'What is in a collection: its size and its documents.',
  mimeType: 'text/markdown',
};
const DOCUMENT_TEMPLATE: ResourceTemplateListing = {
  name: 'document',
  title: 'Document',
  uriTemplate: 'hotrag://{collection}/{document}',
  description: 'The text of an indexed document, by its id.',
};

/** @param engineFor the engine as a caller may use it */
export function createResources(engineFor: (principal: Principal, signal: AbortSignal) => Promise<Rag>): Resources {
  const open = ({ principal, signal }: Caller) => engineFor(principal, signal);

  return {
    templates: [COLLECTION_TEMPLATE, DOCUMENT_TEMPLATE],

    async list(cursor, caller) {
      const rag = await open(caller);
      const { signal } = caller;
      const collections = await rag.collections.list({ signal });
      const place = cursor === undefined ? undefined : readCursor(cursor);
      const resources: ResourceListing[] = [];
      if (place === undefined) {
        for (const { name, documents, chunks } of collections) {
          const description = `${count(documents, 'document')}, ${count(chunks, 'passage')}`;
          resources.push({ uri: collectionUri(name), name, description, mimeType: 'text/markdown' });
        }
      }
      for (const { name: collection } of collections) {
        if (place !== undefined && collection < place.collection) continue;
        const after = place?.collection === collection ? place.after : undefined;
        const page = await rag.documents.list({ collection, limit: PAGE, cursor: after, signal });
        for (const { id, uri } of page.documents) {
          resources.push({ uri: documentUri(collection, id), name: oneLine(uri), mimeType: mimeTypeOf(uri) });
        }
        if (page.nextCursor !== undefined) return { resources, nextCursor: writeCursor(collection, page.nextCursor) };
        const next = collections[collections.findIndex(({ name }) => name === collection) + 1];
        if (resources.length >= PAGE && next !== undefined) return { resources, nextCursor: writeCursor(next.name, undefined) };
      }
      return { resources };
    },

    async read(uri, caller) {
      const named = parseResourceUri(uri);
      if (named === undefined) return undefined;
      const { collection, document } = named;
      const rag = await open(caller);
      const { signal } = caller;
      try {
        if (document === undefined) return { uri, mimeType: 'text/markdown', text: await overview(rag, collection, signal) };
        const read = await rag.documents.read(document, { collection, maxChars: LONGEST_RESOURCE, signal });
        if (read.nextLine !== undefined || read.cut === true) {
          throw new RagError(
            'UNSUPPORTED',
            `${document}: is longer than ${LONGEST_RESOURCE} characters; read it in parts with the tool read-document`,
          );
        }
        return { uri, mimeType: mimeTypeOf(read.uri), text: read.text };
      } catch (error) {
        if (isRagError(error) && ['NOT_FOUND', 'FORBIDDEN', 'INPUT_INVALID'].includes(error.code)) return undefined;
        throw error;
      }
    },

    async complete({ uriTemplate, variable, value, chosen }, caller) {
      const { signal } = caller;
      if (variable === 'collection' && [COLLECTION_TEMPLATE, DOCUMENT_TEMPLATE].some((one) => one.uriTemplate === uriTemplate)) {
        const collections = await (await open(caller)).collections.list({ signal });
        return collections.map(({ name }) => name).filter((name) => name.startsWith(value));
      }
      if (variable !== 'document' || uriTemplate !== DOCUMENT_TEMPLATE.uriTemplate) return undefined;
      const rag = await open(caller);
      const filter = value === '' ? {} : { $documentId: { $startsWith: value } };
      try {
        const { collection = rag.collection } = chosen;
        const { documents } = await rag.documents.list({ collection, filter, limit: MOST_COMPLETIONS, signal });
        return documents.map(({ id }) => id);
      } catch (error) {
        if (isRagError(error)) return []; // half-typed names are no mistakes
        throw error;
      }
    },
  };
}

async function overview(rag: Rag, collection: string, signal: AbortSignal): Promise<string> {
  const { documents, nextCursor } = await rag.documents.list({ collection, limit: PAGE, signal });
  const lines = documents.map(({ id, chunks, metadata }) =>
    ['-', oneLine(id), '·', count(chunks, 'passage'), renderMetadata(metadata)].join(' ').trimEnd(),
  );
  const more = nextCursor === undefined ? [] : ['', 'There are more: see them with the tool list-documents.'];
  return [`# ${collection}`, '', bounded(lines, PAGE), ...more].join('\n');
}

function mimeTypeOf(uri: string): string {
  return /\.(?:md|markdown|html?|docx)$/i.test(uri) ? 'text/markdown' : 'text/plain';
}

function writeCursor(collection: string, after: string | undefined): string {
  return Buffer.from(JSON.stringify([collection, after ?? null])).toString('base64url');
}

function readCursor(cursor: string): { readonly collection: string; readonly after: string | undefined } {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(value) && typeof value[0] === 'string' && (value[1] === null || typeof value[1] === 'string')) {
      return { collection: value[0], after: value[1] ?? undefined };
    }
  } catch {
    // told below
  }
  throw invalidInput('cursor', 'is none that resources/list gave');
}
