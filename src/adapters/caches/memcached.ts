import type { Cache } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { readCacheAddress } from './address.js';
import { createLink, DEFAULT_TTL_MS } from './link.js';

/** memcached's default limit is 1 MiB for an item, its key and header included. */
const MAX_VALUE_BYTES = 1_048_576 - 1024;
/** memcached takes a longer lifetime for a date, long past. */
const LONGEST_TTL_S = 2_592_000;
/** The first look at a server may take longer than a call. */
const CONNECT_TIMEOUT_MS = 2000;
/** Seconds; far more than a request waits, so that it is the engine which gives up. */
const TIMEOUT_S = 5;

export interface MemcachedCacheOptions {
  /** `memcached://[user:password@]host[:11211]`. */
  readonly url: string;
}

/**
 * A shared cache in Memcached, through keyv's adapter; not through Keyv itself, for the reasons at `createRedisCache`. Lifetimes count
 * in whole seconds.
 * @throws RagError CONFIG_INVALID; whether the server is there shows at the first call
 */
export async function createMemcachedCache({ url }: MemcachedCacheOptions): Promise<Cache> {
  const { host, port, username, password, shown } = readCacheAddress(url, 11_211);
  const { default: KeyvMemcache } = await import('@keyv/memcache');

  const link = createLink({
    name: 'memcached',
    shown,
    async connect() {
      const store = new KeyvMemcache(`${host}:${port}`, {
        username,
        password,
        timeout: TIMEOUT_S,
        retries: 1, // attempts, that is
        logger: { log: () => {} }, // it would print on stdout
        deserialize: (value: unknown) => value,
      });
      store.on('error', () => {}); // each call that it concerns fails with it
      return store;
    },
    isUsable: () => true,
    discard({ client }) {
      // Not `close`, which leaves the calls unanswered, and a socket that waits for a server that is gone.
      const { servers }: { readonly servers: readonly { error(error: Error): void }[] } = client;
      for (const server of servers) server.error(new Error('the connection was given up'));
    },
    translate: (error) => translate(error, shown),
  });

  await link.use((store) => store.get('hotrag:hello'), { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) }).catch(() => {}); // the first call will tell

  return {
    name: 'memcached',
    maxValueBytes: MAX_VALUE_BYTES,
    get: (keys, options) => link.use((store) => Promise.all(keys.map(async (key) => bytesOf(await store.get(key)))), options),
    async set(entries, { ttlMs = DEFAULT_TTL_MS, ...options } = {}) {
      const seconds = Math.min(LONGEST_TTL_S, Math.max(1, Math.ceil(ttlMs / 1000))); // 0 would be for ever
      await link.use(async (store) => {
        await Promise.all([...entries].map(([key, value]) => store.set(key, Buffer.from(value), seconds * 1000)));
      }, options);
    },
    close: () => link.close(),
  };
}

/** What is not there comes as an object that says so. */
function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

/** The client puts its name before what the server answered. */
function translate(error: unknown, shown: string): RagError | undefined {
  const message = messageOf(error);
  const options = { adapter: 'memcached', cause: error };
  if (/authentication/i.test(message)) {
    return new RagError('UNAUTHORIZED', `${shown} refused the user or password in caches.shared (${message})`, options);
  }
  if (/^MemJS (GET|SET)/.test(message)) {
    return new RagError('UPSTREAM_FAILED', `${shown} refused a call (${message.replace(/^MemJS /, '')})`, options);
  }
  return undefined;
}
