import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { isRagError } from '../../src/core/errors.js';
import { toArray } from '../../src/core/flow.js';
import { FINGERPRINT, makeDocument } from './chunks.js';

/**
 * A process that fills a store until the disk is full, then looks and deletes: `path collection`. It tells the ids that were
 * acknowledged and how the first and second failure read.
 */
const [path = '', name = ''] = process.argv.slice(2);
// Where a limit on file sizes stands for the full disk, its signal would end the process.
process.on('SIGXFSZ', () => {});
const store = await openMemoryStore({ path });
const collection = await store.open({ collection: name, fingerprint: FINGERPRINT, fields: [], create: true });
const chunks = Array.from({ length: 20 }, (_, index) => ({ text: `needle ${index} ${'hay '.repeat(500)}` }));
const acknowledged: string[] = [];
const failures: string[] = [];

for (let n = 0; n < 500 && failures.length < 2; n++) {
  try {
    await collection.commit({ put: [makeDocument(`doc-${n}`, chunks)], drop: [] });
    acknowledged.push(`doc-${n}`);
  } catch (error) {
    failures.push(isRagError(error) ? `${error.code} ${error.message}` : String(error));
  }
}
const rows = (await toArray(collection.documents({}))).map((row) => row.id);
await collection.commit({ put: [], drop: ['doc-0', 'doc-1', 'doc-2'] });
await collection.commit({ put: [makeDocument('after', [{ text: 'there is room again' }])], drop: [] });
await store.close();
process.send?.({ acknowledged, rows, failures });
