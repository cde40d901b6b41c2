// A process that ingests a folder and tells each document that is in. Started by ingest-kill.mjs.
import { openRag } from '../dist/sdk/index.js';

const [path = '', folder = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
const rag = await openRag({ store: { type: 'memory', path } });
process.send({ ready: true });
const report = await rag.ingest([folder], {
  roots: [folder],
  onProgress: ({ phase, uri }) => phase === 'ingesting' && process.send({ uri }),
});
await rag.close();
process.send({ report });
