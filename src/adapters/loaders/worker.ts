// The script of the threads that read documents: an entry of the build, `dist/workers/loaders.js`.
import { parentPort } from 'node:worker_threads';
import { isRagError, messageOf, RagError } from '../../core/errors.js';
import { createPlainLoaders } from './plain.js';
import type { LoadAnswer, LoadTask, LongText } from './threads.js';

/** From here on a text is handed over as bytes. UTF-16 units. */
const LONG_CHARS = 1 << 20;

parentPort?.on('message', async (task: LoadTask) => {
  const answer = await load(task);
  const bytes = 'text' in answer && typeof answer.text !== 'string' ? answer.text.bytes.buffer : undefined;
  parentPort?.postMessage(answer, bytes instanceof ArrayBuffer ? [bytes] : []);
});

async function load({ id, uri, bytes, limits }: LoadTask): Promise<LoadAnswer> {
  try {
    const loader = createPlainLoaders(limits).find((candidate) => candidate.id === id);
    if (loader === undefined) throw new RagError('UNSUPPORTED', `${uri}: no loader ${id}`);
    const { text, ...document } = await loader.load({ uri, bytes });
    return { document, text: text.length < LONG_CHARS ? text : longText(text) };
  } catch (error) {
    const code = isRagError(error) ? error.code : 'INPUT_INVALID';
    return { error: { code, message: isRagError(error) ? error.message : `${uri} can't be read: ${messageOf(error)}` } };
  }
}

/** One byte a character where that is enough: half of what has to be copied on the other side. */
function longText(text: string): LongText {
  const encoding = /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf16le';
  const bytes = new Uint8Array(encoding === 'latin1' ? text.length : 2 * text.length);
  Buffer.from(bytes.buffer).write(text, encoding);
  return { bytes, encoding };
}
