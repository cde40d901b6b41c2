import { describe, expect, it } from 'vitest';
import { RagError } from '../../src/core/errors.js';
import { createGuard } from '../../src/core/guard.js';
import { createMapCache, hang, refuse } from '../adapters/caches/map-cache.js';

function openGuard(timeoutMs = 5) {
  let now = 1000;
  const warnings: string[] = [];
  const cache = createMapCache();
  const guard = createGuard({ cache, timeoutMs, clock: () => now, warn: (message) => warnings.push(message) });
  return { cache, guard, warnings, advance: (ms: number) => (now += ms) };
}
const entries = new Map([['key', Uint8Array.of(1)]]);

describe('a guarded cache', () => {
  it('answers, and keeps', async () => {
    const { guard, warnings } = openGuard();
    expect(await guard.set(entries, undefined)).toBe(true);
    expect((await guard.get(['key', 'none']))?.map((value) => value?.[0])).toEqual([1, undefined]);
    expect(warnings).toEqual([]);
  });

  it('that is away fails no call, and is not asked again until a pause is over', async () => {
    const { cache, guard, advance } = openGuard();
    cache.fail = refuse;
    for (let call = 0; call < 100; call++) expect(await guard.get(['key'])).toBeUndefined();
    expect(await guard.set(entries, undefined)).toBe(false);
    expect(cache.calls).toEqual({ get: 1, set: 0 });
    advance(251);
    await guard.get(['key']);
    advance(251);
    await guard.get(['key']);
    expect(cache.calls.get).toBe(2); // each attempt in vain doubles the pause
    advance(251);
    await guard.get(['key']);
    expect(cache.calls.get).toBe(3);
  });

  it('is tried by one call at a time, never left alone for more than ten seconds, and comes back by itself', async () => {
    const { cache, guard, advance } = openGuard();
    cache.fail = refuse;
    for (let attempt = 0; attempt < 20; attempt++) {
      await Promise.all([guard.get(['key']), guard.get(['key']), guard.get(['key'])]);
      advance(10_001);
    }
    expect(cache.calls.get).toBe(3 + 19); // before the first failure came, all three were under way
    cache.fail = undefined;
    expect(await guard.get(['key'])).toEqual([undefined]);
    expect(await guard.set(entries, undefined)).toBe(true);
    expect(await guard.get(['key'])).toEqual([Uint8Array.of(1)]);
  });

  it('that hangs is waited for as long as said, once', async () => {
    const { cache, guard } = openGuard();
    cache.fail = hang;
    expect(await guard.get(['key'])).toBeUndefined();
    expect(await guard.get(['key'])).toBeUndefined();
    expect(cache.calls.get).toBe(1);
  });

  it('is not late when it was this process that had no time to look', async () => {
    const { cache, guard } = openGuard(5);
    await guard.set(entries, undefined);
    const { port1, port2 } = new MessageChannel();
    // The answer arrives while this process is busy for longer than the limit, as bytes lie in a socket.
    cache.fail = async () => {
      await new Promise<void>((resolve) => {
        port1.once('message', () => resolve());
        port2.postMessage('answer');
      });
      return undefined as never;
    };
    const answer = guard.get(['key']);
    const until = performance.now() + 30;
    while (performance.now() < until);
    expect(await answer).toEqual([Uint8Array.of(1)]);
    port1.close();
  });

  it('tells once that it is lost, not for each request, and once that it is back', async () => {
    const { cache, guard, warnings, advance } = openGuard();
    cache.fail = refuse;
    for (let call = 0; call < 50; call++) {
      await guard.get(['key']);
      advance(500);
    }
    expect(warnings).toEqual([expect.stringContaining('map cache is left out: map: connection refused')]);
    cache.fail = undefined;
    advance(10_001);
    await guard.get(['key']);
    expect(warnings.slice(1)).toEqual(['map cache is back']);
  });

  it('that is full is still asked for what it has', async () => {
    const { cache, guard, warnings } = openGuard();
    await guard.set(entries, undefined);
    cache.fail = () => Promise.reject(new RagError('UPSTREAM_FAILED', 'map: out of memory'));
    for (let call = 0; call < 50; call++) expect(await guard.set(entries, undefined)).toBe(false);
    expect(cache.calls.set).toBe(51);
    cache.fail = undefined;
    expect(await guard.get(['key'])).toEqual([Uint8Array.of(1)]);
    expect(warnings).toEqual(['map cache: map: out of memory']);
  });

  it('is not troubled by a clock that stands still', async () => {
    const { cache, guard } = openGuard();
    cache.fail = refuse;
    await guard.get(['key']);
    cache.fail = undefined;
    expect(await guard.get(['key'])).toBeUndefined();
  });
});
