import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/core/contracts.js';

export interface CacheUnderTest {
  readonly cache: Cache;
  /** Another one over the same data, as another process has it; undefined where there can be none. */
  readonly another?: (() => Promise<Cache>) | undefined;
  /** Lets this many milliseconds pass, in whatever clock lifetimes are counted by. */
  readonly pass: (ms: number) => Promise<void> | void;
}

/** What every cache outside the process keeps to. */
export function cacheContract(
  name: string,
  open: () => Promise<CacheUnderTest>,
  options: {
    /** The shortest lifetime that it can count, ms. */
    readonly leastTtlMs: number;
  },
): void {
  describe(`${name} as a Cache`, () => {
    let opened: CacheUnderTest;
    let cache: Cache;
    let keys = 0;
    const freshKey = () => `hotrag:${String(++keys).padStart(64, '0')}`;
    const one = async (key: string, from = cache) => (await from.get([key]))[0];
    const keep = (key: string, value: Uint8Array, ttlMs?: number) =>
      cache.set(new Map([[key, value]]), ttlMs === undefined ? {} : { ttlMs });

    beforeAll(async () => {
      opened = await open();
      cache = opened.cache;
    });
    afterAll(() => opened.cache.close());

    it('gives back every byte as it was', async () => {
      const all = Uint8Array.from({ length: 1024 }, (_, index) => index % 256);
      for (const value of [all, all.subarray(3, 7), new Uint8Array(1), Float32Array.of(-0, Number.NaN, 1e-45).buffer]) {
        const key = freshKey();
        const bytes = new Uint8Array(value instanceof ArrayBuffer ? value : value.slice());
        await keep(key, bytes);
        expect(Array.from((await one(key)) ?? [])).toEqual(Array.from(bytes));
      }
    });

    it('answers many keys in their order, with undefined for what is not there', async () => {
      const [a, b, none] = [freshKey(), freshKey(), freshKey()];
      await cache.set(
        new Map([
          [a, Uint8Array.of(1)],
          [b, Uint8Array.of(2)],
        ]),
      );
      const values = await cache.get([b, none, a, b]);
      expect(values.map((value) => value && [...value])).toEqual([[2], undefined, [1], [2]]);
    });

    it('takes no keys, no entries, and five hundred of them', async () => {
      expect(await cache.get([])).toEqual([]);
      await cache.set(new Map());
      const many = new Map(Array.from({ length: 500 }, (_, index) => [freshKey(), Uint8Array.of(index % 256, 7)]));
      await cache.set(many);
      expect((await cache.get([...many.keys()])).map((value) => value?.[0])).toEqual(
        Array.from({ length: 500 }, (_, index) => index % 256),
      );
    });

    it('replaces a value', async () => {
      const key = freshKey();
      await keep(key, Uint8Array.of(1));
      await keep(key, Uint8Array.of(2, 3));
      expect([...((await one(key)) ?? [])]).toEqual([2, 3]);
    });

    it('takes values as large as it says', async () => {
      const key = freshKey();
      const size = Math.min(cache.maxValueBytes, 4_000_000);
      await keep(key, new Uint8Array(size).fill(7));
      expect(await one(key)).toHaveLength(size);
    });

    it('forgets a value when its time is over, and not before', async () => {
      const [short, long] = [freshKey(), freshKey()];
      await keep(short, Uint8Array.of(1), options.leastTtlMs);
      await keep(long, Uint8Array.of(2), 40 * 86_400_000); // longer than a month, which some take for a date
      expect(await one(long)).toBeDefined();
      await opened.pass(2 * options.leastTtlMs + 50);
      expect(await one(short)).toBeUndefined();
      expect(await one(long)).toBeDefined();
    });

    it('shows another process what is kept', async ({ skip }) => {
      if (opened.another === undefined) skip('there is no other');
      const key = freshKey();
      await keep(key, Uint8Array.of(9));
      const other = await opened.another?.();
      expect(other && [...((await one(key, other)) ?? [])]).toEqual([9]);
      await other?.close();
    });

    it("rejects with the signal's reason when aborted", async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(cache.get([freshKey()], { signal })).rejects.toBe(reason);
      await expect(cache.set(new Map([[freshKey(), Uint8Array.of(1)]]), { signal })).rejects.toBe(reason);
    });

    it('is closed twice without harm, and then fails calls', async () => {
      const { cache: closing } = await open();
      await closing.close();
      await closing.close();
      await expect(closing.get([freshKey()])).rejects.toMatchObject({ name: 'RagError' });
    });
  });
}
