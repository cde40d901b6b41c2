import type { Cache } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { readCacheAddress } from './address.js';
import { createLink, DEFAULT_TTL_MS } from './link.js';

/** Connecting, with TLS and a login, takes longer than a call. */
const CONNECT_TIMEOUT_MS = 2000;
/** Calls that wait for their answers on one connection; more are refused. */
const MOST_CALLS = 10_000;
/** Redis takes 512 MB; a value that large would hold up everybody. */
const MAX_VALUE_BYTES = 16_777_216;
/** Of Redis's protocol: the type of texts and bytes, `$`. */
const BLOB_STRING = 36;

export interface RedisCacheOptions {
  /** `redis://[[user]:password@]host[:6379][/database]`, or `rediss://` for TLS. One server or a proxy, not the nodes of a cluster. */
  readonly url: string;
}

/**
 * A shared cache in Redis, through keyv's adapter. Not through Keyv itself, which would write every value as base64 in JSON, judge its
 * age by this machine's clock, and tell of failures by events instead of failing the call.
 * @throws RagError CONFIG_INVALID; whether the server is there shows at the first call
 */
export async function createRedisCache({ url }: RedisCacheOptions): Promise<Cache> {
  const { shown } = readCacheAddress(url, 6379);
  const { default: KeyvRedis, createClient } = await import('@keyv/redis');

  const link = createLink({
    name: 'redis',
    shown,
    async connect() {
      const client = createClient({
        url,
        disableOfflineQueue: true,
        commandsQueueMaxLength: MOST_CALLS,
        socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
        commandOptions: { typeMapping: { [BLOB_STRING]: Buffer } },
      });
      client.on('error', () => {}); // each call that it concerns fails with it
      try {
        // What listens there may be no Redis, and leave even the client's greeting unanswered.
        const greeting = client.connect().then(() => client.ping()); // a missing password shows at the first command only
        await abortable(greeting, AbortSignal.timeout(CONNECT_TIMEOUT_MS));
        client.unref(); // a cache keeps no process alive
      } catch (error) {
        discard(client);
        throw error;
      }
      return { client, store: new KeyvRedis<Buffer>(client as never, { throwOnErrors: true }) }; // its types know no mapping to Buffer
    },
    isUsable: ({ client }) => client.isReady,
    discard: ({ client }) => discard(client),
    translate: (error) => translate(error, shown),
  });

  await link.use(async () => {}).catch(() => {}); // the first call will tell

  return {
    name: 'redis',
    maxValueBytes: MAX_VALUE_BYTES,
    get: (keys, options) =>
      link.use(async ({ store }) => {
        const values: readonly unknown[] = await store.getMany([...keys]);
        return keys.map((_, index) => {
          const value = values[index];
          return value instanceof Uint8Array ? value : undefined;
        });
      }, options),
    async set(entries, { ttlMs: ttl = DEFAULT_TTL_MS, ...options } = {}) {
      if (entries.size === 0) return;
      await link.use(
        ({ store }) => store.setMany([...entries].map(([key, value]) => ({ key, value: asBuffer(value), ttl: Math.ceil(ttl) }))),
        options,
      );
    },
    close: () => link.close(),
  };
}

function discard(client: { readonly isOpen: boolean; destroy(): void }): void {
  if (client.isOpen) client.destroy();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The server's own errors begin with a word in capitals. */
function translate(error: unknown, shown: string): RagError | undefined {
  const message = messageOf(error);
  const [word] = /^[A-Z]{2,}\b/.exec(message) ?? [];
  const options = { adapter: 'redis', cause: error };
  if (word === undefined || !('name' in Object(error)) || 'code' in Object(error)) return undefined;
  if (['NOAUTH', 'WRONGPASS', 'NOPERM'].includes(word) || /invalid password/i.test(message)) {
    return new RagError('UNAUTHORIZED', `${shown} refused the user or password in caches.shared (${message})`, options);
  }
  return new RagError('UPSTREAM_FAILED', `${shown} refused a call (${message})`, options);
}
