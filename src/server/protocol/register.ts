import { McpServer, type ServerOptions } from '@modelcontextprotocol/server';
import { LOCAL_USER, type Principal } from '../principal.js';
import type { RagServer } from '../server.js';
import { registerPrompts } from './register-prompts.js';
import { registerResources } from './register-resources.js';
import { registerTools } from './register-tools.js';

/** What a program adds to the neutral tables, in the words of the protocol library. */
export interface Extension {
  /** How the state of its own round trips is checked, which comes back from the client. */
  readonly requestState?: ServerOptions['requestState'] | undefined;
  readonly register: (protocol: McpServer) => void;
}

export interface RegisterOptions {
  readonly instructions: string;
  /** May the client name folders to read from? Only one on this machine may. */
  readonly trustClientRoots: boolean;
  /** Calls under way: added when they begin, removed when they end. */
  readonly running: Set<Promise<unknown>>;
  /** @default the one user of this machine */
  readonly principal?: Principal | undefined;
  /** Aborted when the server ends: calls under way are then answered with an error that says so. @default never */
  readonly stopping?: AbortSignal | undefined;
  /**
   * How changes reach the client: `subscribed`, it is told of the resources that it named; `all`, of every one, because who carries the
   * messages picks; `none`, on a connection that ends with one answer.
   */
  readonly changes: 'subscribed' | 'all' | 'none';
  /** Registers more than the neutral tables hold. */
  readonly extend?: Extension | undefined;
}

/** The same with nothing left open: what each kind of thing is registered with. */
export type Registration = RegisterOptions & { readonly principal: Principal; readonly stopping: AbortSignal };

/**
 * How long clients may keep what depends on this package only, and what changes with the documents, in milliseconds. For the latter it
 * bounds how old a client's view is when it doesn't listen to the notifications.
 */
const FIXED = { ttlMs: 3_600_000, cacheScope: 'public' } as const;
const CHANGING = { ttlMs: 10_000, cacheScope: 'private' } as const;

/** Puts everything that the server offers into a protocol server, for one connection of either protocol generation. */
export function register(server: RagServer, options: RegisterOptions): McpServer {
  const { name, version } = server;
  const registration = { ...options, principal: options.principal ?? LOCAL_USER, stopping: options.stopping ?? NEVER };
  const protocol = new McpServer(
    { name, version, title: 'hotrag' },
    {
      instructions: options.instructions,
      ...(options.extend?.requestState && { requestState: options.extend.requestState }),
      capabilities: {
        tools: { listChanged: false },
        prompts: { listChanged: false },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      cacheHints: {
        'tools/list': FIXED,
        'prompts/list': FIXED,
        'resources/templates/list': FIXED,
        'resources/list': CHANGING,
        'resources/read': CHANGING,
        'server/discover': CHANGING,
      },
    },
  );
  registerTools(protocol, server, registration);
  registerPrompts(protocol, server, registration);
  registerResources(protocol, server, registration);
  options.extend?.register(protocol);
  return protocol;
}

const NEVER = new AbortController().signal;
