import { describe, expect, it } from 'vitest';
import type { TextGenerator } from '../../src/core/contracts.js';
import { type EngineLoadOptions, loadEngine } from '../../src/core/engine-load.js';

/** Each request takes 10 ms of a clock of its own; counts how many run at once. */
function createCountingEngine(fails: (call: number) => boolean = () => false) {
  const seen = { running: 0, most: 0, calls: 0, prompts: new Set<string>() };
  const generator: TextGenerator = {
    id: 'counting',
    engine: 'counting',
    model: 'one',
    async *generate({ messages }) {
      const call = seen.calls++;
      seen.running++;
      seen.most = Math.max(seen.most, seen.running);
      seen.prompts.add(messages[0]?.content ?? '');
      try {
        await new Promise(setImmediate);
        if (fails(call)) throw new Error(`broken ${call}`);
        yield { type: 'text-delta', text: 'a' };
        yield {
          type: 'finish',
          reason: 'stop',
          usage: { inputTokens: 5, outputTokens: 4 },
          timings: { ttftMs: 30, tpotMs: 10, queueMs: 0 },
        };
      } finally {
        seen.running--;
      }
    },
  };
  return { seen, generator };
}

function options(given: Partial<EngineLoadOptions> = {}): EngineLoadOptions {
  let now = 0;
  let number = 0;
  return { levels: [1, 4], requests: 6, maxTokens: 8, prompt: 'why?', clock: () => now++, nonce: () => `n${number++}`, ...given };
}

describe('loading an engine', () => {
  it('runs as many at once as each level says, every prompt its own, one before all others', async () => {
    const { seen, generator } = createCountingEngine();
    const rows = await loadEngine(generator, options());
    expect(seen).toMatchObject({ most: 4, calls: 1 + 6 + 6, running: 0 });
    expect(seen.prompts.size).toBe(13);
    expect(
      rows.map(({ concurrency, requests, failed, ttftMs, tpotMs }) => [concurrency, requests, failed, ttftMs, tpotMs]),
    ).toEqual([
      [1, 6, 0, 30, 10],
      [4, 6, 0, 30, 10],
    ]);
    expect(rows[0]?.tokensPerSecond).toBeGreaterThan(0);
  });

  it('sends at least as many requests as run at once', async () => {
    const { generator } = createCountingEngine();
    const [row] = await loadEngine(generator, options({ levels: [16], requests: 2 }));
    expect(row?.requests).toBe(16);
  });

  it('counts what fails, says why, and goes on', async () => {
    const { generator } = createCountingEngine((call) => call === 2);
    const [row] = await loadEngine(generator, options({ levels: [2] }));
    expect(row).toMatchObject({ failed: 1, failure: 'broken 2', ttftMs: 30 });
  });

  it('measures nothing where the first request fails, and ends when aborted', async () => {
    const { generator } = createCountingEngine((call) => call === 0);
    await expect(loadEngine(generator, options())).rejects.toThrow('broken 0');
    const aborting = new AbortController();
    const other = createCountingEngine((call) => {
      if (call === 3) aborting.abort(new Error('enough'));
      return call === 3;
    });
    await expect(loadEngine(other.generator, options({ signal: aborting.signal }))).rejects.toThrow('enough');
  });
});
