// A process that searches a store without a pause. What it is told was acknowledged, its next search must find. Started by crash.mjs.
import { newestIn, openCrashRag } from './lib/crash.mjs';

const [path = ''] = process.argv.slice(2);
const rag = await openCrashRag(path);
let queries = 0;
let checks = 0;
let slowest = 0;
let acknowledged = -1;
let ending = false;

process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  if (message === 'end') ending = true;
  else acknowledged = Math.max(acknowledged, message);
});
process.on('error', () => process.exit()); // the one that started it is gone
process.send('ready');

let seen = -1;
while (!ending) {
  // What was acknowledged before the query began.
  const least = acknowledged;
  const start = performance.now();
  const newest = await newestIn(rag);
  slowest = Math.max(slowest, performance.now() - start);
  queries++;
  if (newest < least || newest < seen) throw new Error(`saw write ${newest} after ${least} was acknowledged and ${seen} seen`);
  if (least > seen) checks++;
  seen = newest;
  await new Promise((resolve) => setImmediate(resolve));
}
await rag.close();
process.send({ queries, checks, slowest });
