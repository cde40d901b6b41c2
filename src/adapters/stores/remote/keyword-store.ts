import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { VectorStore } from '../../../core/contracts.js';

/**
 * The embedded store of the keyword indexes of one server's collections.
 * @param address the server's; two servers never share an index
 * @param path folder; undefined: the indexes are kept in memory, and built again by every process
 */
export async function openKeywordStoreAt(address: string, path: string | undefined): Promise<VectorStore> {
  const { openMemoryStore } = await import('../memory/index.js');
  if (path === undefined) return openMemoryStore({});
  const server = createHash('sha256').update(address).digest('hex').slice(0, 16);
  return openMemoryStore({ path: join(path, 'keywords', server) });
}
