import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPacer, nextTurn, turnIsOver } from '../../src/core/turns.js';

describe('turns', () => {
  // Only the clock: how long a turn has lasted must not depend on the machine.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are over after some milliseconds of work, and new after a pause', async () => {
    await nextTurn();
    while (!turnIsOver()) work();
    expect(turnIsOver()).toBe(true);
    await nextTurn();
    expect(turnIsOver()).toBe(false);
  });

  it('are one for everybody: several callers never work in the same one', async () => {
    const log: string[] = [];
    const caller = async (name: string) => {
      for (let round = 0; round < 3; round++) {
        await nextTurn();
        log.push(name);
        setImmediate(() => log.push('|'));
      }
    };
    await Promise.all([caller('a'), caller('b'), caller('c')]);
    expect(log.join('')).toMatch(/^a\|?b\|?c/);
    expect(log.join('')).not.toMatch(/[abc]{3}/);
  });

  it('go to short work first, and to the other work all the same', async () => {
    const log: string[] = [];
    await nextTurn();
    while (!turnIsOver()) work();
    const long = async (name: string) => {
      for (let round = 0; round < 2; round++) {
        await nextTurn();
        log.push(name);
        while (!turnIsOver()) work();
      }
    };
    const short = async () => {
      const pace = createPacer();
      for (let round = 0; round < 6; round++) {
        await pace();
        log.push('s');
        while (!turnIsOver()) work();
      }
    };
    await Promise.all([long('a'), long('b'), short()]);
    // One in four goes to the others; after its first turns the work is short no more, and stands behind them.
    expect(log.slice(0, 4).filter((name) => name === 's').length).toBeGreaterThanOrEqual(3);
    expect(log.join('')).toMatch(/s$/);
    expect(log.toSorted().join('')).toBe('aabbssssss');
  });

  it("reject with the signal's reason", async () => {
    await expect(nextTurn(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  it('are kept by a pacer: free until one is over, then a pause that an abort ends', async () => {
    const controller = new AbortController();
    const pace = createPacer(controller.signal);
    await nextTurn();
    expect(pace()).toBeUndefined();
    while (!turnIsOver()) work();
    const pause = pace();
    controller.abort(new Error('stop'));
    await expect(pause).rejects.toThrow('stop');
  });
});

function work(): void {
  vi.advanceTimersByTime(3);
}
