import { RagError } from '../../core/errors.js';

/** Where a cache server is. */
export interface CacheAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** For messages: without user and password. */
  readonly shown: string;
}

/** @throws RagError CONFIG_INVALID; the message holds no password */
export function readCacheAddress(url: string, defaultPort: number): CacheAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === '') {
    throw new RagError('CONFIG_INVALID', 'caches.shared: not an address like redis://host:6379 or memcached://host:11211');
  }
  const port = parsed.port === '' ? defaultPort : Number(parsed.port);
  return {
    host: parsed.hostname,
    port,
    username: parsed.username === '' ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
    shown: `${parsed.protocol}//${parsed.hostname}:${port}`,
  };
}
