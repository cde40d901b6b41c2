import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../../src/adapters/caches/memory.js';
import { createMemo } from '../../src/core/memo.js';
import type { Memoised } from '../../src/core/tiers.js';

function openMemo(entries = 100) {
  let now = 0;
  const memo = createMemo<string>({
    local: createMemoryCache<Memoised<string>>({ entries, bytes: 1_000_000 }),
    sizeOf: (value) => value.length,
    clock: () => now,
  });
  return { memo, advance: (ms: number) => (now += ms) };
}

/** A computation that the test ends when it likes. */
function openGate() {
  let calls = 0;
  let release: (value: string) => void = () => {};
  let seen: AbortSignal | undefined;
  const compute = (signal: AbortSignal) => {
    calls++;
    seen = signal;
    return new Promise<string>((resolve, reject) => {
      release = resolve;
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { compute, calls: () => calls, release: (value: string) => release(value), signal: () => seen };
}

describe('memo', () => {
  it('computes once, then answers from what it kept, and counts what that saved', async () => {
    const { memo, advance } = openMemo();
    const compute = async () => {
      advance(25);
      return 'value';
    };
    expect(memo.peek('key')).toBeUndefined();
    expect(await memo.compute('key', compute)).toEqual({ value: 'value', joined: false });
    expect(memo.peek('key')).toBe('value');
    expect(memo.stats()).toMatchObject({ hits: 1, misses: 1, hitRate: 0.5, entries: 1, savedMs: 25 });
  });

  it('lets a hundred identical requests share one computation', async () => {
    const { memo } = openMemo();
    const gate = openGate();
    const all = Array.from({ length: 100 }, () => memo.compute('key', gate.compute));
    gate.release('shared');
    const values = await Promise.all(all);
    expect(values.every(({ value }) => value === 'shared')).toBe(true);
    expect(gate.calls()).toBe(1);
    expect(memo.stats()).toMatchObject({ hits: 99, misses: 1 });
  });

  it("ends a caller's wait when it aborts, and goes on for the others", async () => {
    const { memo } = openMemo();
    const gate = openGate();
    const leaver = new AbortController();
    const stays = memo.compute('key', gate.compute);
    const leaves = memo.compute('key', gate.compute, { signal: leaver.signal });
    leaver.abort(new Error('gone'));
    await expect(leaves).rejects.toThrow('gone');
    expect(gate.signal()?.aborted).toBe(false);
    gate.release('value');
    expect((await stays).value).toBe('value');
  });

  it('aborts the computation when the last one who waits has gone, and starts anew for the next', async () => {
    const { memo } = openMemo();
    const gate = openGate();
    const leaver = new AbortController();
    const leaves = memo.compute('key', gate.compute, { signal: leaver.signal });
    leaver.abort(new Error('gone'));
    await expect(leaves).rejects.toThrow('gone');
    expect(gate.signal()?.aborted).toBe(true);
    const next = memo.compute('key', gate.compute);
    gate.release('second');
    expect((await next).value).toBe('second');
    expect(gate.calls()).toBe(2);
  });

  it('keeps no failure', async () => {
    const { memo } = openMemo();
    await expect(memo.compute('key', () => Promise.reject(new Error('first')))).rejects.toThrow('first');
    expect((await memo.compute('key', async () => 'second')).value).toBe('second');
  });

  it('computes only the absent ones of many, each once, and returns them in order', async () => {
    const { memo } = openMemo();
    await memo.compute('b', async () => 'B');
    const asked: string[] = [];
    const keys = ['a', 'b', 'c', 'a'];
    const values = await memo.getMany(keys, async (missing) =>
      missing.map((index) => {
        asked.push(keys[index] ?? '');
        return (keys[index] ?? '').toUpperCase();
      }),
    );
    expect(values).toEqual(['A', 'B', 'C', 'A']);
    expect(asked).toEqual(['a', 'c']);
  });

  it('refuses a computation that returns fewer values than asked', async () => {
    const { memo } = openMemo();
    await expect(memo.getMany(['a', 'b'], async () => ['only one'])).rejects.toThrow('1 values computed for 2 keys');
  });

  it('stays within its bound of entries and counts evictions', async () => {
    const { memo } = openMemo(10);
    for (let index = 0; index < 25; index++) await memo.compute(String(index), async () => 'value');
    expect(memo.stats()).toMatchObject({ entries: 10, evictions: 15 });
  });

  it('rejects at once for a caller that is already aborted', async () => {
    const { memo } = openMemo();
    const gate = openGate();
    await expect(memo.compute('key', gate.compute, { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    expect(gate.calls()).toBe(0);
  });
});
