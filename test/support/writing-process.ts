import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { FINGERPRINT, makeDocument } from './chunks.js';

/**
 * A process that writes to a store: `path collection name from`. Commit n replaces the documents `<name>-a` and `<name>-b` and the one that
 * every writer writes, all with hash n and texts that tell n. It commits once a message, or on and on after the message `go`; each
 * acknowledged n is told.
 */
const [path = '', collection = '', name = '', from = '0'] = process.argv.slice(2);
const store = await openMemoryStore({ path });
const opened = await store.open({ collection, fingerprint: FINGERPRINT, fields: [], create: true });
let next = Number(from);

async function commit(): Promise<void> {
  const n = next++;
  const hash = String(n).padStart(12, '0');
  const chunks = Array.from({ length: 3 + (n % 40) }, () => ({ text: `version v${n} by ${name}` }));
  await opened.commit({ put: [`${name}-a`, `${name}-b`, 'shared'].map((id) => makeDocument(id, chunks, hash)), drop: [] });
  process.send?.(n);
}

process.on('message', async (message) => {
  if (message !== 'go') return commit();
  for (;;) await commit();
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
