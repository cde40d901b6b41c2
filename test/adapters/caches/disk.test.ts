import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createDiskCache } from '../../../src/adapters/caches/disk.js';
import { cacheContract } from '../../contracts/cache-contract.js';
import { makeFolder } from '../../support/folder.js';

const folder = mkdtempSync(join(tmpdir(), 'hotrag-disk-cache-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

cacheContract(
  'the cache on disk',
  async () => {
    let time = 1_000_000;
    const now = () => time;
    const options = { folder: join(folder, String(++folders)), bytes: 20_000_000, now };
    return {
      cache: createDiskCache(options),
      another: async () => createDiskCache(options),
      pass: (ms) => {
        time += ms;
      },
    };
  },
  { leastTtlMs: 10 },
);

const value = (index: number, size = 1000) => new Uint8Array(size).fill(index % 256);
const entry = (index: number, size?: number) => new Map([[`key-${index}`, value(index, size)]]);

describe('the cache on disk', () => {
  it('is there when it is opened again', async () => {
    const options = { folder: makeFolder(), bytes: 1_000_000 };
    const first = createDiskCache(options);
    await first.set(entry(7));
    await first.close();
    const second = createDiskCache(options);
    expect(await second.get(['key-7'])).toEqual([expect.objectContaining({ length: 1000 })]);
    await second.close();
  });

  it('stays within its bound: the oldest go first, and the file does not grow on', async () => {
    const options = { folder: makeFolder(), bytes: 100_000 };
    const cache = createDiskCache(options);
    const sizes: number[] = [];
    for (let index = 0; index < 1000; index++) {
      await cache.set(entry(index));
      if (index === 300 || index === 999) sizes.push(statSync(join(options.folder, 'data.mdb')).size);
    }
    const found = await cache.get(Array.from({ length: 1000 }, (_, index) => `key-${index}`));
    const kept = found.flatMap((bytes, index) => (bytes === undefined ? [] : [index]));
    expect(kept.length).toBeGreaterThan(60);
    expect(kept.length).toBeLessThanOrEqual(80);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 1000 - kept.length + index));
    expect(sizes[1]).toBeLessThan(1.5 * (sizes[0] ?? 0));
    await cache.close();
  });

  it('counts what is written over and over once it is pushed out, and loses nothing else by it', async () => {
    const cache = createDiskCache({ folder: makeFolder(), bytes: 10_000 });
    for (let round = 0; round < 50; round++) await cache.set(entry(1));
    await cache.set(entry(2));
    expect((await cache.get(['key-1', 'key-2'])).every((bytes) => bytes !== undefined)).toBe(true);
    await cache.close();
  });

  it('keeps what two write at the same time', async () => {
    const options = { folder: makeFolder(), bytes: 10_000_000 };
    const both = [createDiskCache(options), createDiskCache(options)];
    await Promise.all(Array.from({ length: 100 }, (_, index) => both[index % 2]?.set(entry(index))));
    const found = await both[0]?.get(Array.from({ length: 100 }, (_, index) => `key-${index}`));
    expect(found?.filter((bytes) => bytes === undefined)).toEqual([]);
    await Promise.all(both.map((cache) => cache.close()));
  });

  it('does not take rows of the future for young ones when the clock was set back', async () => {
    let time = 1_000_000;
    const cache = createDiskCache({ folder: makeFolder(), bytes: 100_000, now: () => time });
    await cache.set(entry(1), { ttlMs: 1000 });
    await cache.set(entry(2));
    time = 500;
    expect((await cache.get(['key-1', 'key-2'])).map((bytes) => bytes !== undefined)).toEqual([false, true]);
    await cache.close();
  });

  it('fails its calls when its file is damaged, and is asked again later', async () => {
    const options = { folder: makeFolder(), bytes: 100_000 };
    const first = createDiskCache(options);
    await first.set(entry(1));
    await first.close();
    truncateSync(join(options.folder, 'data.mdb'), 5000);
    const second = createDiskCache(options);
    await expect(second.get(['key-1'])).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(second.set(entry(1))).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await second.close();
  });
});
