// A process that writes to a store without a pause and tells each write that was acknowledged. Started by crash.mjs.
import { openCrashRag, writeOf } from './lib/crash.mjs';

const [path = '', from = '0'] = process.argv.slice(2);
const rag = await openCrashRag(path);
process.on('disconnect', () => process.exit());
process.send('ready');
for (let n = Number(from); ; n++) {
  const report = await rag.ingest(writeOf(n));
  if (report.failed.length > 0) throw new Error(JSON.stringify(report.failed));
  process.send(n);
}
