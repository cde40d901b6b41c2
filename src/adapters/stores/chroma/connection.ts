import type { ChromaClient } from 'chromadb';
import { RagError } from '../../../core/errors.js';
import { createCalls, type RunCall } from '../remote/calls.js';
import { translateChromaError } from './errors.js';
import type { ChromaOptions } from './options.js';
import { createPulseReader } from './pulse.js';

/**
 * For every getting or making of a collection: without it the client looks for a package that embeds, and warns. The client's type
 * forgets that `null` is allowed where a collection is got.
 */
export const NO_EMBEDDING = { embeddingFunction: null } as unknown as { readonly embeddingFunction: never };

/** Below every server's limit seen (5,461 rows), and JSON of a few MB with vectors. */
const DEFAULT_BATCH = 500;

/** What Chroma itself calls them. */
const DEFAULTS = { tenant: 'default_tenant', database: 'default_database' } as const;

/** A client, made at the first call, and the one edge that all calls pass. */
export interface ChromaConnection {
  /** Where the server is, without secrets. */
  readonly address: string;
  /** Runs a call. `action` completes "could not …". */
  run<Value>(action: string, call: (client: ChromaClient) => Promise<Value>, signal: AbortSignal | undefined): Promise<Value>;
  /** The `pulse` in the metadata of the collection of this name. */
  readPulse(name: string, signal: AbortSignal | undefined): Promise<string>;
  /** Rows of one write: the server's limit, or less where the options say so. */
  batchSize(signal: AbortSignal | undefined): Promise<number>;
}

/**
 * Reads the options; connects at the first call.
 * @throws RagError CONFIG_INVALID when the address is not one
 */
export function createChromaConnection(options: ChromaOptions): ChromaConnection {
  const url = addressOf(options);
  const address = `${url.origin}${options.tenant === undefined ? '' : ` tenant ${options.tenant}`}${options.database === undefined ? '' : ` database ${options.database}`}`;
  const calls: RunCall = createCalls({
    adapter: 'chroma',
    address,
    timeoutMs: options.timeoutMs,
    translate: translateChromaError(address),
  });
  let client: Promise<ChromaClient> | undefined;
  let most: Promise<number> | undefined;

  const run: ChromaConnection['run'] = async (action, call, signal) => {
    client ??= loadClient(options, url);
    const connected = await client;
    return calls(action, () => call(connected), signal);
  };
  const askClient = async (connected: ChromaClient, name: string) => {
    const { metadata } = await connected.getCollection({ name, ...NO_EMBEDDING });
    return String(metadata?.pulse);
  };
  const readBare = createPulseReader(headersOf(options), options.timeoutMs);
  return {
    address,
    run,
    readPulse: (name, signal) => {
      const bare = readBare(collectionUrl(url, options, name));
      return run('read the pulse', async (connected) => (await bare) ?? askClient(connected, name), signal);
    },
    batchSize: async (signal) => {
      most ??= run('ask for its limits', (connected) => connected.getMaxBatchSize(), undefined).catch((error: unknown) => {
        most = undefined;
        throw error;
      });
      const allowed = await most;
      signal?.throwIfAborted();
      const wanted = options.batchSize ?? DEFAULT_BATCH;
      return allowed > 0 ? Math.min(allowed, wanted) : wanted;
    },
  };
}

async function loadClient(options: ChromaOptions, url: URL): Promise<ChromaClient> {
  const { ChromaClient } = await import('chromadb');
  const ssl = url.protocol === 'https:';
  return new ChromaClient({
    host: url.hostname,
    port: url.port === '' ? (ssl ? 443 : 80) : Number(url.port),
    ssl,
    tenant: options.tenant ?? DEFAULTS.tenant,
    database: options.database ?? DEFAULTS.database,
    headers: headersOf(options),
  });
}

function headersOf({ token, tokenHeader }: ChromaOptions): Record<string, string> {
  if (token === undefined) return {};
  return { [tokenHeader]: tokenHeader === 'Authorization' ? `Bearer ${token}` : token };
}

function collectionUrl({ origin }: URL, { tenant, database }: ChromaOptions, name: string): URL {
  const path = ['tenants', tenant ?? DEFAULTS.tenant, 'databases', database ?? DEFAULTS.database, 'collections', name];
  return new URL(`/api/v2/${path.map(encodeURIComponent).join('/')}`, origin);
}

function addressOf({ uri }: ChromaOptions): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  const isServer = url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
  if (isServer && ['', '/'].includes(url.pathname) && url.username === '') return url;
  throw new RagError(
    'CONFIG_INVALID',
    `store.uri must be the address of a Chroma server, such as "http://localhost:8000", without a path or password`,
    { adapter: 'chroma' },
  );
}
