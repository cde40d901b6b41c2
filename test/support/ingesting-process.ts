import { openMemoryStore } from '../../src/adapters/stores/memory/index.js';
import { ingest } from '../../src/core/ingest.js';
import { createIngestParts, makeItems, openNotes, streamOf } from './ingest-parts.js';

/** A process that ingests into a store: `path count`. It tells the id of each document that is in, then `done`. */
const [path = '', count = '0'] = process.argv.slice(2);
const store = await openMemoryStore({ path });
const collection = await openNotes(store);
process.on('disconnect', () => process.exit());
await ingest(createIngestParts(), collection, {
  items: streamOf(makeItems(Number(count))),
  prune: undefined,
  onProgress: ({ phase, uri }) => {
    if (phase === 'ingesting') process.send?.(uri);
  },
});
process.send?.('done');
