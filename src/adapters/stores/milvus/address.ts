import { RagError } from '../../../core/errors.js';
import type { MilvusOptions } from './options.js';

export interface MilvusAddress {
  /** Host and port, as the client takes it and as messages show it. */
  readonly host: string;
  readonly tls: boolean;
}

/**
 * Reads `uri`: `http://host:19530`, `https://host`, or `host:19530`.
 * @throws RagError CONFIG_INVALID
 */
export function addressOf({ uri, tls }: Pick<MilvusOptions, 'uri' | 'tls'>): MilvusAddress {
  if (/\.db$|^[./~]/.test(uri)) {
    throw badAddress(uri, 'is a file; start Milvus Lite as a server, `milvus-lite server --data-dir DIR`, and give its address');
  }
  const url = parse(uri.includes('://') ? uri : `http://${uri}`);
  if (url === undefined || url.hostname === '') throw badAddress(uri, 'is no address such as http://localhost:19530');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw badAddress(uri, 'must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw badAddress(url.host, 'holds a password; give it as `token`, "user:password"');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw badAddress(uri, 'must end after the port; the database is the option `database`');
  }
  const encrypted = tls ?? url.protocol === 'https:';
  // URL drops the port that its scheme implies.
  const port = url.port || (url.protocol === 'https:' ? '443' : /:80\/?$/.test(uri) ? '80' : '19530');
  return { host: `${url.hostname}:${port}`, tls: encrypted };
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function badAddress(shown: string, problem: string): RagError {
  return new RagError('CONFIG_INVALID', `store.uri: ${JSON.stringify(shown)} ${problem}`, { adapter: 'milvus' });
}
