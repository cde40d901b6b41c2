import { describe, expect, it } from 'vitest';
import { abortable, batchesOf, createStage, mapAhead, prefetch, toArray } from '../../src/core/flow.js';
import { createLive } from '../../src/core/live.js';

async function* numbers(count: number) {
  for (let number = 0; number < count; number++) yield number;
}

describe('flow', () => {
  it('gathers a stream into batches', async () => {
    expect(await toArray(batchesOf(numbers(5), 2))).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('asks for the next item while one is worked on, and ends what it asked', async () => {
    const told: string[] = [];
    async function* items() {
      try {
        for (const item of ['a', 'b', 'c', 'd']) {
          told.push(item);
          yield item;
        }
      } finally {
        told.push('end');
      }
    }
    for await (const item of prefetch(items())) {
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${item}!`);
      if (item === 'b') break;
    }
    expect(told).toEqual(['a', 'b', 'a!', 'c', 'b!', 'end']);
    expect(await toArray(prefetch(numbers(3)))).toEqual([0, 1, 2]);
  });

  it('works ahead within its bound and yields in order', async () => {
    let running = 0;
    let most = 0;
    const results = await toArray(
      mapAhead([3, 1, 2, 0], 2, async (item) => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < item; turn++) await Promise.resolve();
        running--;
        return item * 10;
      }),
    );
    expect(results).toEqual([30, 10, 20, 0]);
    expect(most).toBe(2);
  });

  it('hands work on to a stage: one item under way, one made meanwhile, failures told', async () => {
    const log: string[] = [];
    const stage = createStage(async (item: string) => {
      log.push(`${item}(`);
      await new Promise((resolve) => setImmediate(resolve));
      if (item === 'c') throw new Error('c is broken');
      log.push(`)${item}`);
    });
    await stage.push('a');
    log.push('meanwhile');
    await stage.push('b');
    await stage.push('c');
    expect(log.join(' ')).toBe('a( meanwhile )a b( )b c(');
    await expect(stage.push('d')).rejects.toThrow('c is broken');
    await expect(stage.done()).rejects.toThrow('c is broken');
    expect(log.join(' ')).not.toContain('d');
  });

  it('ends a wait with the reason of the abort', async () => {
    const controller = new AbortController();
    const waiting = abortable(new Promise(() => {}), controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('live events', () => {
  it('tells a late watcher everything from the start', async () => {
    const live = createLive<string>();
    live.push('a');
    const early = toArray(live.watch(undefined));
    live.push('b');
    live.end();
    expect(await early).toEqual(['a', 'b']);
    expect(await toArray(live.watch(undefined))).toEqual(['a', 'b']);
  });

  it('ends the wait of a watcher that aborts', async () => {
    const controller = new AbortController();
    const watching = toArray(createLive<string>().watch(controller.signal));
    controller.abort(new Error('left'));
    await expect(watching).rejects.toThrow('left');
  });
});
