import { createMcpHandler, isLegacyRequest, legacyStatelessFallback, type McpHttpHandler } from '@modelcontextprotocol/server';
import { messageOf } from '../../core/errors.js';
import { mayOpen, type Principal } from '../principal.js';
import { collectionUri, documentUri } from '../resource-uri.js';
import type { RagServer } from '../server.js';
import { type Extension, type RegisterOptions, register } from './register.js';
import { createSessions } from './sessions.js';

/** Streamable HTTP in both generations, apart from how requests come in. */
export interface Streamable {
  /** @param body the JSON of a POST; undefined for other methods */
  handle(request: Request, body: unknown, principal: Principal): Promise<Response>;
  /** Ends every session and stream. */
  close(): Promise<void>;
}

export interface StreamableOptions {
  readonly running: Set<Promise<unknown>>;
  readonly stopping: AbortSignal;
  /**
   * Keep a session for each client of the older generation: without one it can't be told of changes, nor be asked for anything (its model,
   * say). Off: any replica can answer any request.
   */
  readonly sessions: boolean;
  readonly extend?: Extension | undefined;
}

export function createStreamable(server: RagServer, options: StreamableOptions): Streamable {
  const { running, stopping, extend } = options;
  const onerror = (error: Error) =>
    server.logger.warn(`http: ${messageOf(error).replace(/\s+/g, ' ').slice(0, LONGEST_WARNING)}`);

  const instructions = createRemembered((principal) => server.instructions(principal));
  const build = async (principal: Principal, changes: RegisterOptions['changes']) =>
    register(server, {
      instructions: await instructions(principal),
      // Over a network nobody else's word counts for which files of this machine may be read.
      trustClientRoots: false,
      running,
      principal,
      stopping,
      changes,
      extend,
    });

  const sessions = createSessions((principal) => build(principal, 'subscribed'));
  /** One for each caller: what one is told of changes must not tell of another's collections. */
  const handlers = new Map<string, { readonly handler: McpHttpHandler; readonly stop: () => void }>();

  function modern(principal: Principal): McpHttpHandler {
    const known = handlers.get(principal.id);
    if (known !== undefined) return known.handler;
    const handler = createMcpHandler(() => build(principal, 'none'), { legacy: 'reject', onerror });
    const stop = server.changes.subscribe(({ collection, documents }) => {
      if (!mayOpen(principal, collection)) return;
      handler.notify.resourcesChanged();
      handler.notify.resourceUpdated(collectionUri(collection));
      for (const id of documents) handler.notify.resourceUpdated(documentUri(collection, id));
    });
    handlers.set(principal.id, { handler, stop });
    return handler;
  }

  return {
    async handle(request, body, principal) {
      const parsed = body === undefined ? {} : { parsedBody: body };
      if (!(await isLegacyRequest(request, body))) return modern(principal).fetch(request, parsed);
      if (options.sessions) return sessions.handle(request, body, principal);
      return legacyStatelessFallback(() => build(principal, 'none'), onerror)(request, parsed);
    },
    async close() {
      for (const { stop } of handlers.values()) stop();
      await Promise.all([sessions.close(), ...[...handlers.values()].map(({ handler }) => handler.close())]);
    },
  };
}

/** Of a message that is no message, the library tells every rule that it broke. */
const LONGEST_WARNING = 200;
/** Every request without a session is a protocol server of its own, and would read a file for what only a handshake tells. */
const INSTRUCTIONS_MS = 1_000;

/** Asks once a second for each caller, of whom there are as many as tokens. */
function createRemembered(ask: (principal: Principal) => Promise<string>) {
  const kept = new Map<string, { readonly at: number; readonly text: Promise<string> }>();
  return (principal: Principal): Promise<string> => {
    const known = kept.get(principal.id);
    if (known !== undefined && performance.now() - known.at < INSTRUCTIONS_MS) return known.text;
    const text = ask(principal);
    kept.set(principal.id, { at: performance.now(), text });
    text.catch(() => kept.delete(principal.id)); // told to whoever waits; the next asks anew
    return text;
  };
}
