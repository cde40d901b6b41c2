import { isMainThread } from 'node:worker_threads';

/** After a refusal the work is to come to its end: it gets small buffers only. */
const ENOUGH_BYTES = 65_536;

/** Somebody asked for a buffer that is larger than allowed. */
export class BufferTooLarge extends Error {
  override readonly name = 'BufferTooLarge';
}

/**
 * Runs `work` with no `new Uint8Array(size)` beyond `mostBytes`. A PDF of two kilobytes may unfold to gigabytes, in buffers that no heap
 * limit of a thread counts and that its library doubles as they fill; so the thread has its constructor replaced meanwhile. In the main
 * thread, which is not ours alone, nothing is replaced.
 * @throws BufferTooLarge after the work, if one was refused in it: the library takes a stream that fails for one that ended
 */
export async function withBoundedBuffers<Value>(mostBytes: number, work: () => Promise<Value>): Promise<Value> {
  if (isMainThread) return work();
  const original = globalThis.Uint8Array;
  let refused = false;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, values: readonly unknown[]) {
      const [size] = values;
      if (typeof size === 'number' && size > (refused ? ENOUGH_BYTES : mostBytes)) {
        refused = true;
        throw new BufferTooLarge(`${size} bytes`);
      }
      return Reflect.construct(target, values);
    },
  });
  const outcome = work().finally(() => {
    globalThis.Uint8Array = original;
  });
  await outcome.catch(() => {});
  if (refused) throw new BufferTooLarge(`more than ${mostBytes} bytes`);
  return outcome;
}
