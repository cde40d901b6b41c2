import { type McpServer, ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server';
import type { Change } from '../changes.js';
import { mayOpen } from '../principal.js';
import { collectionUri, documentUri, parseResourceUri } from '../resource-uri.js';
import type { RagServer } from '../server.js';
import { asProtocolError } from './failure.js';
import type { Registration } from './register.js';

/** Resources that one client can watch. */
const MOST_SUBSCRIPTIONS = 1_000;
/** The protocol's own bound of a completion. */
const MOST_VALUES = 100;

/** Puts the resources into a protocol server: listing, reading, completion, and the news of what changed. */
export function registerResources(protocol: McpServer, server: RagServer, { principal, changes }: Registration): void {
  const { resources } = server;
  const watched = new Set<string>();

  protocol.server.setRequestHandler('resources/list', async ({ params }, { mcpReq: { signal } }) => {
    try {
      const { resources: listed, nextCursor } = await resources.list(params?.cursor, { principal, signal });
      return { resources: listed.map((one) => ({ ...one })), ...(nextCursor !== undefined && { nextCursor }) };
    } catch (error) {
      throw asProtocolError(error, server, 'resources/list');
    }
  });

  protocol.server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: resources.templates.map((template) => ({ ...template })),
  }));

  protocol.server.setRequestHandler('resources/read', async ({ params: { uri } }, { mcpReq: { signal } }) => {
    const found = await resources.read(uri, { principal, signal }).catch((error: unknown) => {
      throw asProtocolError(error, server, 'resources/read');
    });
    if (found === undefined) throw new ResourceNotFoundError(uri);
    return { contents: [{ ...found }] };
  });

  protocol.server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    // Whether there is such a resource isn't told: it may come later, and it may be somebody else's.
    if (!watched.has(uri) && watched.size >= MOST_SUBSCRIPTIONS) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `at most ${MOST_SUBSCRIPTIONS} resources can be watched at once`);
    }
    watched.add(uri);
    return {};
  });

  protocol.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    watched.delete(uri);
    return {};
  });

  protocol.server.setRequestHandler('completion/complete', async ({ params }, { mcpReq: { signal } }) => {
    const { ref, argument, context } = params;
    const values = await valuesFor(ref, argument, context?.arguments ?? {}, signal);
    return {
      completion: { values: values.slice(0, MOST_VALUES), total: values.length, hasMore: values.length > MOST_VALUES },
    };
  });

  async function valuesFor(
    ref: { readonly type: string; readonly uri?: string; readonly name?: string },
    { name: variable, value }: { readonly name: string; readonly value: string },
    chosen: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    try {
      if (ref.uri === undefined) {
        const prompt = server.prompts.find(({ name }) => name === ref.name);
        if (prompt === undefined)
          throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no prompt ${JSON.stringify(ref.name)}`);
        if (variable !== 'collection') return [];
      }
      const uriTemplate = ref.uri ?? 'hotrag://{collection}';
      const values = await resources.complete({ uriTemplate, variable, value, chosen }, { principal, signal });
      if (values !== undefined) return values;
    } catch (error) {
      throw asProtocolError(error, server, 'completion/complete');
    }
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `there is no resource template ${JSON.stringify(ref.uri)} with a variable ${variable}`,
    );
  }

  if (changes === 'none') return;
  const stop = server.changes.subscribe((change) => {
    if (!mayOpen(principal, change.collection)) return;
    // Whoever is gone by now needn't be told.
    protocol.server.sendResourceListChanged().catch(() => {});
    for (const uri of changedUris(change, watched, changes)) protocol.server.sendResourceUpdated({ uri }).catch(() => {});
  });
  protocol.server.onclose = stop;
}

/** The collection's overview and its changed documents, or those of them that are watched, in the client's own spelling. */
function changedUris(change: Change, watched: ReadonlySet<string>, changes: 'subscribed' | 'all'): readonly string[] {
  const { collection, documents } = change;
  if (changes === 'all') return [collectionUri(collection), ...documents.map((id) => documentUri(collection, id))];
  const changed = new Set(documents);
  return [...watched].filter((uri) => {
    const named = parseResourceUri(uri);
    return named?.collection === collection && (named.document === undefined || changed.has(named.document));
  });
}
