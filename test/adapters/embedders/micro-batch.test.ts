import { describe, expect, it } from 'vitest';
import { createMicroBatcher } from '../../../src/adapters/embedders/micro-batch.js';
import { RagError } from '../../../src/core/errors.js';

const vectorOf = (text: string) => Float32Array.of(text.length);

/** A server that keeps each call waiting until it is let go. */
function createServer({ maxBatch = 8, concurrency = 1, maxWaiting = 100 } = {}) {
  const calls: {
    readonly texts: readonly string[];
    readonly signal: AbortSignal;
    answer(): void;
    refuse(error: unknown): void;
  }[] = [];
  const batcher = createMicroBatcher({
    maxBatch,
    concurrency,
    maxWaiting,
    waitMs: 0,
    call: (texts, signal) =>
      new Promise((resolve, reject) => {
        calls.push({ texts, signal, answer: () => resolve(texts.map(vectorOf)), refuse: reject });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  return { batcher, calls };
}

/** Until what was scheduled for the end of this turn has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('micro-batching', () => {
  it('puts what is asked for at the same moment into one call, and gives each caller its own', async () => {
    const { batcher, calls } = createServer();
    const asked = ['a', 'bb', 'ccc'].map((text) => batcher.embed([text, `${text}!`], undefined));
    await turn();
    expect(calls.map(({ texts }) => texts)).toEqual([['a', 'a!', 'bb', 'bb!', 'ccc', 'ccc!']]);
    calls[0]?.answer();
    expect((await Promise.all(asked)).map((vectors) => vectors.map(([length]) => length))).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it('collects while calls are under way, and keeps to size and number of calls', async () => {
    const { batcher, calls } = createServer({ maxBatch: 2 });
    const first = batcher.embed(['1'], undefined);
    await turn();
    const others = ['2', '3', '4'].map((text) => batcher.embed([text], undefined));
    await turn();
    expect(calls).toHaveLength(1);
    calls[0]?.answer();
    await first;
    await turn();
    expect(calls[1]?.texts).toEqual(['2', '3']);
    calls[1]?.answer();
    await others[0];
    await turn();
    expect(calls[2]?.texts).toEqual(['4']);
    calls[2]?.answer();
    await Promise.all(others);
  });

  it('takes a caller’s texts out when it leaves, and stops a call when all have left', async () => {
    const { batcher, calls } = createServer();
    const leave = [new AbortController(), new AbortController(), new AbortController()];
    const [one, two] = leave.slice(0, 2).map(({ signal }) => batcher.embed(['x'], signal));
    await turn();
    const waiting = batcher.embed(['never sent'], leave[2]?.signal);
    const reason = new Error('gone');
    leave[2]?.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    leave[0]?.abort(reason);
    await expect(one).rejects.toBe(reason);
    expect(calls[0]?.signal.aborted).toBe(false);
    leave[1]?.abort(reason);
    await expect(two).rejects.toBe(reason);
    expect(calls[0]?.signal.aborted).toBe(true);
    await turn();
    expect(calls).toHaveLength(1);
  });

  it('asks for each caller’s texts alone when a shared call is refused for what it holds', async () => {
    const { batcher, calls } = createServer();
    const asked = ['good', 'bad'].map((text) => batcher.embed([text], undefined));
    await turn();
    const refusal = new RagError('UPSTREAM_FAILED', 'bad text', { retryable: false });
    calls[0]?.refuse(refusal);
    await turn();
    calls[1]?.answer();
    await turn();
    calls[2]?.refuse(refusal);
    expect((await asked[0])?.[0]?.[0]).toBe(4);
    await expect(asked[1]).rejects.toBe(refusal);
  });

  it('makes callers wait when too many texts wait already', async () => {
    const { batcher, calls } = createServer({ maxBatch: 2, maxWaiting: 2 });
    const first = batcher.embed(['1'], undefined);
    await turn();
    const second = batcher.embed(['2', '2'], undefined);
    const third = batcher.embed(['3'], undefined);
    for (let call = 0; call < 3; call++) {
      calls[call]?.answer();
      await turn();
      await turn();
    }
    expect((await Promise.all([first, second, third])).map(({ length }) => length)).toEqual([1, 2, 1]);
    expect(calls.map(({ texts }) => texts)).toEqual([['1'], ['2', '2'], ['3']]);
  });
});
