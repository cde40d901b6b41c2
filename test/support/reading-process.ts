import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { isRagError } from '../../src/core/errors.js';
import { FINGERPRINT, makeDocument } from './chunks.js';

/** A process that searches a store and tries to write to it: `path collection`. Prints what came of it as JSON. */
const [path = '', name = ''] = process.argv.slice(2);
const request = { collection: name, fingerprint: FINGERPRINT, fields: [], create: true };
const store = await openMemoryStore({ path });
const collection = await store.open(request);
const { matches } = await collection.keywords({ text: 'needle', limit: 5 });
const failures: string[] = [];
const tell = (error: unknown) => void failures.push(isRagError(error) ? `${error.code} ${error.message}` : String(error));
await collection.commit({ put: [makeDocument('b.md', [{}])], drop: [] }).catch(tell);
await store.open({ ...request, collection: 'new' }).catch(tell);
await store.close();
process.stdout.write(JSON.stringify({ found: matches.length, failures }));
