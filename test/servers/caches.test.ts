import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createMemcachedCache } from '../../src/adapters/caches/memcached.js';
import { createRedisCache } from '../../src/adapters/caches/redis.js';
import type { Cache } from '../../src/core/contracts.js';
import { cacheContract } from '../contracts/cache-contract.js';
import { memcached, redis, type StartCacheServer } from './cache-servers.js';
import { freePort, type StartedServer } from './process.js';
import { requireServer } from './require-server.js';

const KINDS = [
  { kind: redis, scheme: 'redis', create: createRedisCache, leastTtlMs: 50 },
  { kind: memcached, scheme: 'memcached', create: createMemcachedCache, leastTtlMs: 1000 },
];

const key = 'hotrag:key';
const entries = new Map([[key, Uint8Array.of(1, 2, 3)]]);

for (const { kind, scheme, create, leastTtlMs } of KINDS) {
  const required = await requireServer(kind);
  describe.skipIf(required.skipped)(required.title, () => {
    if (required.skipped) return;
    const start: StartCacheServer = required.server;
    let server: StartedServer;
    const urlOf = ({ port }: { readonly port: number }) => `${scheme}://127.0.0.1:${port}`;
    const open = async (url = urlOf(server)): Promise<Cache> => {
      const cache = await create({ url });
      onTestFinished(() => cache.close());
      return cache;
    };

    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server.stop());

    cacheContract(
      kind.name,
      async () => ({
        cache: await create({ url: urlOf(server) }),
        another: () => create({ url: urlOf(server) }),
        pass: (ms) => wait(ms), // a server's own clock can't be moved
      }),
      { leastTtlMs },
    );

    test('one that is not there fails calls at once, without its password in the message, and works once it is', async () => {
      const port = await freePort();
      const cache = await open(`${scheme}://user:secret@127.0.0.1:${port}`.replace('user:', scheme === 'redis' ? ':' : 'user:'));
      const failure = await cache.get([key]).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining(`127.0.0.1:${port}`) });
      expect(String(failure)).not.toContain('secret');

      const plain = await open(`${scheme}://127.0.0.1:${port}`);
      await expect(plain.set(entries)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
      const late = await start({ port });
      onTestFinished(() => late.stop());
      await plain.set(entries);
      expect(await plain.get([key])).toHaveLength(1);
    });

    test('one that was killed fails calls, and serves again after its restart', async () => {
      let own = await start();
      onTestFinished(() => own.stop());
      const cache = await open(urlOf(own));
      await cache.set(entries);
      await own.kill();
      await expect(cache.get([key])).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
      own = await start({ port: own.port });
      expect(await cache.get([key])).toEqual([undefined]);
      await cache.set(entries);
      expect([...((await cache.get([key]))[0] ?? [])]).toEqual([1, 2, 3]);
    });

    test('one that hangs is left by the abort, and serves again when it wakes', async () => {
      const own = await start();
      onTestFinished(() => own.stop());
      const cache = await open(urlOf(own));
      await cache.set(entries);
      process.kill(own.pid, 'SIGSTOP');
      const reason = new Error('too slow');
      const limit = new AbortController();
      const hanging = cache.get([key], { signal: limit.signal });
      limit.abort(reason);
      await expect(hanging).rejects.toBe(reason);
      process.kill(own.pid, 'SIGCONT');
      expect([...((await cache.get([key]))[0] ?? [])]).toEqual([1, 2, 3]);
    });

    test.each([
      ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['noise', '\u0000\u0001\u0002garbage'.repeat(50)],
      ['half a reply', '-ERR \r\n$5\r\n'],
      ['by hanging up', ''],
    ])('a server that answers %s makes calls fail or miss, and nothing else', async (_name, words) => {
      const strange = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => (words === '' ? socket.destroy() : socket.write(words)));
      });
      await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void strange.close());
      const address = strange.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      const cache = await open(urlOf(address));
      for (let round = 0; round < 5; round++) {
        const signal = AbortSignal.timeout(300);
        const [value] = await cache.get([key], { signal }).catch(() => [undefined]);
        expect(value).toBeUndefined();
        await cache.set(entries, { signal: AbortSignal.timeout(300) }).catch(() => {});
      }
    });
  });
}

const required = await requireServer(redis);
describe.skipIf(required.skipped)(`${required.title} with limits`, () => {
  if (required.skipped) return;
  const start = required.server;

  test.each([
    ['a wrong password', ':wrong@'],
    ['none', ''],
  ])('%s is told as such', async (_name, login) => {
    const server = await start({ args: ['--requirepass', 'right'] });
    onTestFinished(() => server.stop());
    const cache = await createRedisCache({ url: `redis://${login}127.0.0.1:${server.port}` });
    onTestFinished(() => cache.close());
    const failure = await cache.get([key]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('password in caches.shared') });
    expect(String(failure)).not.toContain('wrong@');

    const right = await createRedisCache({ url: `redis://:right@127.0.0.1:${server.port}/3` });
    onTestFinished(() => right.close());
    await right.set(entries);
    expect(await right.get([key])).toHaveLength(1);
  });

  test('a full one refuses to keep, and still tells what it has', async () => {
    const server = await start({ args: ['--maxmemory', '4mb', '--maxmemory-policy', 'noeviction'] });
    onTestFinished(() => server.stop());
    const cache = await createRedisCache({ url: `redis://127.0.0.1:${server.port}` });
    onTestFinished(() => cache.close());
    await cache.set(entries);
    const fill = async () => {
      for (let index = 0; index < 100; index++) await cache.set(new Map([[`hotrag:${index}`, new Uint8Array(200_000)]]));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', message: expect.stringMatching(/OOM|EXECABORT/) });
    expect([...((await cache.get([key]))[0] ?? [])]).toEqual([1, 2, 3]);
  });
});

const requiredMemcached = await requireServer(memcached);
describe.skipIf(requiredMemcached.skipped)(`${requiredMemcached.title} with limits`, () => {
  if (requiredMemcached.skipped) return;

  test('a value over its limit is refused, and the next call is served', async () => {
    const server = await requiredMemcached.server();
    onTestFinished(() => server.stop());
    const cache = await createMemcachedCache({ url: `memcached://127.0.0.1:${server.port}` });
    onTestFinished(() => cache.close());
    const large = new Map([[key, new Uint8Array(1_048_576)]]);
    await expect(cache.set(large)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining('too large'),
    });
    await cache.set(entries);
    expect(await cache.get([key])).toHaveLength(1);
  });
});
