import { homedir } from 'node:os';
import { cwd } from 'node:process';
import { isRagError, messageOf } from '../core/errors.js';
import { abortable } from '../core/flow.js';
import type { Rag } from '../core/types.js';
import { type Audit, auditEntry } from './audit.js';
import { type Changes, createChanges } from './changes.js';
import { type ToolFailure, toToolFailure } from './errors.js';
import { buildInstructions } from './instructions.js';
import { createLasting } from './lasting.js';
import { limitRag } from './limited-rag.js';
import { LOCAL_USER, type Principal } from './principal.js';
import { type Prompt, prompts } from './prompts.js';
import { type Caller, createResources, type Resources } from './resources.js';
import { resolveRoots } from './roots.js';
import { RoundTrip } from './round-trip.js';
import type { CallContext, Tool, ToolOutput } from './tool.js';
import { tools } from './tools/index.js';

/** Where the server tells its operator of faults; pino and console fit. Never stdout: on stdio that is the protocol's. */
export interface ServerLogger {
  warn(message: string): void;
  error(message: string): void;
}

export interface ServerOptions {
  /** @default 'hotrag' */
  readonly name?: string | undefined;
  /** @default '0.0.0' */
  readonly version?: string | undefined;
  /** Told to the model at the handshake; a function is called at each, with who is connecting. @default how to use the tools */
  readonly instructions?: string | ((principal: Principal) => string | Promise<string>) | undefined;
  /** Folders that `ingest` may read from. @default the working folder, unless it is `/`, a drive or the home folder */
  readonly roots?: readonly string[] | undefined;
  /** @default silent */
  readonly logger?: ServerLogger | undefined;
  /** What is being indexed just now, in a sentence; undefined when nothing is. Told with results that may be incomplete for it. */
  readonly status?: (() => string | undefined) | undefined;
  /** Told of every call that could change data. @default nobody */
  readonly audit?: Audit | undefined;
}

/** A server without a transport: what it offers and how to call into it. `serveStdio` and its like put a protocol before it. */
export interface RagServer {
  readonly name: string;
  readonly version: string;
  readonly logger: ServerLogger;
  readonly tools: readonly Tool[];
  readonly prompts: readonly Prompt[];
  readonly resources: Resources;
  readonly instructions: (principal?: Principal) => Promise<string>;
  /**
   * Runs a tool. What fails in it is a result, not an exception.
   * @throws RoundTrip (from a hook of the context) · the signal's reason, once aborted
   */
  readonly call: (tool: Tool, input: unknown, context: CallContext) => Promise<ToolResult>;
  /** The engine as a caller may use it. @throws whatever opening it throws */
  readonly engine: (caller: Caller) => Promise<Rag>;
  /** Opens the engine, as a call would. @throws whatever opening it throws */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** What came, changed or went by calls; publish here what changes in other ways. */
  readonly changes: Changes;
}

export type ToolResult = ({ readonly type: 'done' } & ToolOutput) | ({ readonly type: 'failed' } & ToolFailure);

/**
 * Makes a server of an engine. With a function, the engine is opened at the first call that needs it, so that handshake and tool list
 * are answered before any store or model is loaded; a failed opening is tried again at the next call. Closing the engine is the caller's.
 *
 * @example const server = createServer(() => openRag({ store: { type: 'memory', path: '.hotrag' } })); await serveStdio(server);
 */
export function createServer<M, F>(rag: Rag<M, F> | (() => Promise<Rag<M, F>>), options: ServerOptions = {}): RagServer {
  const { name = 'hotrag', version = '0.0.0', instructions, roots = [], logger = SILENT, status, audit } = options;
  // Clients send JSON, which no type has seen; the engine checks it against its declared fields at run time.
  const engine = (typeof rag === 'function' ? openOnce(rag) : async () => rag) as () => Promise<Rag>;
  const changes = createChanges();
  const lasting = createLasting();

  /** The engine as one caller may use it. */
  async function engineFor(principal: Principal, signal: AbortSignal): Promise<Rag> {
    const opened = await abortable(engine(), signal);
    return principal === LOCAL_USER ? opened : limitRag(opened, principal);
  }

  async function run(tool: Tool, input: unknown, context: CallContext, principal: Principal): Promise<ToolResult> {
    const allowedRoots = async () =>
      resolveRoots({ configured: roots, client: (await context.clientRoots?.()) ?? [], workingFolder: cwd(), home: homedir() });
    // What is being indexed belongs to the engine's own collection, which a limited caller may not even know of.
    const indexing = () => (tool.readsIndex && principal.collections === undefined ? (status?.() ?? '') : '');
    try {
      const open = () => engineFor(principal, context.signal);
      const output = await tool.call(open, input, { ...context, allowedRoots, lasting, changed: changes.publish });
      return { type: 'done', ...output, text: withNote(output.text, indexing()) };
    } catch (error) {
      if (error instanceof RoundTrip) throw error;
      context.signal.throwIfAborted();
      if (!isRagError(error))
        logger.error(`${tool.name}: ${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}`);
      const failure = toToolFailure(error);
      return { type: 'failed', ...failure, text: withNote(failure.text, indexing()) };
    }
  }

  return {
    name,
    version,
    logger,
    tools,
    prompts,
    resources: createResources(engineFor),
    changes,
    instructions: async (principal = LOCAL_USER) =>
      typeof instructions === 'function' ? instructions(principal) : (instructions ?? buildInstructions(undefined)),
    engine: ({ principal, signal }) => engineFor(principal, signal),
    async ready(signal) {
      await abortable(engine(), signal);
    },
    async call(tool, input, context) {
      const { principal = LOCAL_USER } = context;
      if (audit === undefined || !tool.writes) return run(tool, input, context, principal);
      const startedAt = performance.now();
      let outcome = 'ended';
      try {
        const result = await run(tool, input, context, principal);
        outcome = result.type === 'done' ? 'done' : result.code;
        return result;
      } catch (error) {
        outcome = error instanceof RoundTrip ? 'asked the client' : 'cancelled';
        throw error;
      } finally {
        audit(auditEntry({ principal, tool: tool.name, input, outcome, tookMs: performance.now() - startedAt }));
      }
    },
  };
}

const SILENT: ServerLogger = { warn: () => {}, error: () => {} };

function withNote(text: string, note: string): string {
  return note === '' ? text : `${text}\n\nNote: ${note}`;
}

/** One opening for all callers; a failed one is forgotten, because its cause (a locked store, a server that is down) may pass. */
function openOnce<Engine>(open: () => Promise<Engine>): () => Promise<Engine> {
  let opening: Promise<Engine> | undefined;
  return () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
}
