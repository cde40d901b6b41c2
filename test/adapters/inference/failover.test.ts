import { afterEach, describe, expect, it } from 'vitest';
import { retryDelay } from '../../../src/adapters/inference/backoff.js';
import { createBreaker } from '../../../src/adapters/inference/breaker.js';
import { openFailover } from '../../../src/adapters/inference/failover.js';
import type { Candidate } from '../../../src/adapters/inference/failover-member.js';
import { HttpFailure, retryAfter } from '../../../src/adapters/inference/http-failure.js';
import { openGenerator } from '../../../src/adapters/inference/index.js';
import { openAiOptions } from '../../../src/adapters/inference/openai-options.js';
import { collect } from '../../../src/core/collect.js';
import type { TextEvent } from '../../../src/core/contracts.js';
import { isRagError, RagError } from '../../../src/core/errors.js';
import { json, type RecordedOllama, type Reply, type SeenRequest, serveRecorded } from './recorded-ollama.js';
import { delta, sse, VLLM_KEY, vllm } from './vllm-stub.js';

const HELLO = { messages: [{ role: 'user' as const, content: 'How long is the line?' }] };
const FINISH: TextEvent = { type: 'finish', reason: 'stop', usage: { inputTokens: null, outputTokens: null } };
const down = (message = 'down') => new RagError('CONNECTION_FAILED', message);

/** An engine that does as the list says, one entry a call, the last one for ever. */
function scripted(name: string, script: readonly (() => AsyncIterable<TextEvent>)[], health?: () => Promise<void>) {
  let calls = 0;
  const candidate: Candidate = {
    name,
    id: name,
    open: async () => ({
      id: name,
      engine: name,
      model: 'm',
      contextTokens: name === 'one' ? 4096 : 2048,
      generate: () => (script[Math.min(calls++, script.length - 1)] ?? says(name))(),
      ...(health === undefined ? {} : { health, warm: async () => {} }),
    }),
  };
  return { candidate, calls: () => calls };
}

const says = (text: string) =>
  async function* (): AsyncGenerator<TextEvent> {
    yield { type: 'text-delta', text };
    yield FINISH;
  };
const fails = (error: unknown, ...texts: readonly string[]) =>
  async function* (): AsyncGenerator<TextEvent> {
    for (const text of texts) yield { type: 'text-delta', text };
    throw error;
  };

function open(candidates: readonly Candidate[], options: { readonly retries?: number; readonly now?: () => number } = {}) {
  const { retries = 0, now = () => 0 } = options;
  return openFailover({ candidates, retries, clock: now, random: () => 0 }, {});
}

describe('failover', () => {
  it('answers from the first engine that is well, and says which', async () => {
    const generator = await open([scripted('one', [fails(down())]).candidate, scripted('two', [says('hello')]).candidate]);
    const { text, finish } = await collect(generator.generate(HELLO));
    expect(text).toBe('hello');
    expect(finish.by).toEqual({ engine: 'two', model: 'm' });
  });

  it('tells a failure in the middle of an answer instead of beginning another one', async () => {
    const two = scripted('two', [says('other')]);
    const generator = await open([scripted('one', [fails(down('died'), 'The')]).candidate, two.candidate], { retries: 3 });
    await expect(collect(generator.generate(HELLO))).rejects.toThrow('died');
    expect(two.calls()).toBe(0);
  });

  it('goes round again only for failures that may pass', async () => {
    const flaky = scripted('one', [fails(down()), fails(down()), says('at last')]);
    const generator = await open([flaky.candidate], { retries: 2 });
    expect((await collect(generator.generate(HELLO))).text).toBe('at last');
    const refusing = scripted('one', [fails(new RagError('UNAUTHORIZED', 'wrong key'))]);
    await expect(collect((await open([refusing.candidate], { retries: 2 })).generate(HELLO))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    expect(refusing.calls()).toBe(1);
  });

  it('tells of all engines when none answers', async () => {
    const generator = await open([scripted('one', [fails(down('a'))]).candidate, scripted('two', [fails(down('b'))]).candidate]);
    await expect(collect(generator.generate(HELLO))).rejects.toMatchObject({
      code: 'NO_ENGINE',
      retryable: true,
      message: expect.stringMatching(/a · b/),
    });
  });

  it('leaves an engine alone after three failures, and comes back to it when it has rested', async () => {
    let time = 0;
    const one = scripted('one', [fails(down()), fails(down()), fails(down()), says('one is back')]);
    const generator = await open([one.candidate, scripted('two', [says('two')]).candidate], { now: () => time });
    const ask = async () => (await collect(generator.generate(HELLO))).text;
    for (let call = 0; call < 6; call++) expect(await ask()).toBe('two');
    expect(one.calls()).toBe(3);
    time += 1_001;
    expect(await ask()).toBe('one is back');
    expect(await ask()).toBe('one is back');
  });

  it('looks after the health of a rested engine in the background before it gives it an answer', async () => {
    let time = 0;
    let isWell = false;
    let checked = 0;
    const health = async () => {
      checked++;
      if (!isWell) throw down();
    };
    const one = scripted('one', [fails(down()), fails(down()), fails(down()), says('one')], health);
    const generator = await open([one.candidate, scripted('two', [says('two')]).candidate], { now: () => time });
    const ask = async () => (await collect(generator.generate(HELLO))).text;
    for (let call = 0; call < 3; call++) await ask();
    time += 1_001;
    expect(await ask()).toBe('two');
    expect([checked, one.calls()]).toEqual([1, 3]);
    time += 1_001; // it rests twice as long now
    expect(await ask()).toBe('two');
    expect(checked).toBe(1);
    time += 1_000;
    isWell = true;
    expect(await ask()).toBe('two');
    expect(await ask()).toBe('one');
  });

  it('still asks a resting engine when there is no other, one call at a time', async () => {
    const one = scripted('one', [fails(down()), fails(down()), fails(down()), says('back')]);
    const generator = await open([one.candidate]);
    for (let call = 0; call < 3; call++) await expect(collect(generator.generate(HELLO))).rejects.toThrow('down');
    const [first, second] = await Promise.allSettled([collect(generator.generate(HELLO)), collect(generator.generate(HELLO))]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'CONNECTION_FAILED', message: expect.stringMatching(/left alone/) },
    });
    expect((await collect(generator.generate(HELLO))).text).toBe('back');
  });

  it('learns nothing from aborted answers and from those that were left', async () => {
    const one = scripted('one', [says('one')]);
    const generator = await open([one.candidate]);
    for (let call = 0; call < 5; call++) for await (const _ of generator.generate(HELLO)) break;
    const reason = new Error('gone');
    await expect(collect(generator.generate(HELLO, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect((await collect(generator.generate(HELLO))).text).toBe('one');
  });

  it('promises no more context than every engine has', async () => {
    const generator = await open([scripted('one', [fails(down())]).candidate, scripted('two', [says('x')]).candidate]);
    expect(generator.contextTokens).toBe(4096);
    await collect(generator.generate(HELLO));
    expect(generator.contextTokens).toBe(2048);
  });
});

describe('the circuit breaker', () => {
  it('is not opened by requests that the engine refuses, nor by an engine that is busy', () => {
    const breaker = createBreaker(() => 0);
    for (const status of [400, 413, 422, 429]) {
      for (let call = 0; call < 5; call++) {
        breaker.enter()?.failed(new RagError('UPSTREAM_FAILED', 'no', { cause: new HttpFailure(status, '') }));
      }
    }
    expect(breaker.state).toBe('closed');
    for (let call = 0; call < 3; call++)
      breaker.enter()?.failed(new RagError('UPSTREAM_FAILED', 'no', { cause: new HttpFailure(500, '') }));
    expect(breaker.state).toBe('resting');
  });

  it('rests longer each time, up to half a minute', () => {
    let time = 0;
    const breaker = createBreaker(() => time);
    for (let call = 0; call < 3; call++) breaker.enter()?.failed(down());
    const rests: number[] = [];
    for (let trial = 0; trial < 8; trial++) {
      rests.push(breaker.restMs);
      time += breaker.restMs;
      breaker.enter()?.failed(down());
    }
    expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });
});

describe('retrying', () => {
  const upstream = (status: number, waitMs?: number) =>
    new RagError('UPSTREAM_FAILED', 'no', { cause: new HttpFailure(status, '', waitMs) });

  it('waits longer each time, at random, and as long as the server asks', () => {
    expect([1, 2, 3, 9].map((tries) => retryDelay(upstream(500), tries, () => 1))).toEqual([200, 400, 800, 5000]);
    expect(retryDelay(upstream(500), 1, () => 0)).toBe(0);
    expect(retryDelay(upstream(429, 3000), 1, () => 1)).toBe(3000);
  });

  it('does not wait for minutes, nor after a timeout, nor for what cannot pass', () => {
    expect(retryDelay(upstream(429, 60_000), 1, () => 1)).toBeUndefined();
    expect(retryDelay(new RagError('TIMEOUT', 'slow'), 1, () => 1)).toBeUndefined();
    expect(retryDelay(new RagError('UNAUTHORIZED', 'key'), 1, () => 1)).toBeUndefined();
    expect(retryDelay(new Error('bug'), 1, () => 1)).toBeUndefined();
  });

  it('reads Retry-After as seconds and as a date', () => {
    expect(retryAfter('2', 0)).toBe(2000);
    expect(retryAfter('Thu, 01 Jan 1970 00:00:05 GMT', 1000)).toBe(4000);
    expect([retryAfter(null, 0), retryAfter('soon', 0)]).toEqual([undefined, undefined]);
  });
});

describe('two servers', () => {
  const servers: RecordedOllama[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  async function start(replyTo: (request: SeenRequest) => Reply = vllm): Promise<RecordedOllama> {
    const server = await serveRecorded(replyTo);
    servers.push(server);
    return server;
  }
  const engine = ({ url }: RecordedOllama, options = {}) =>
    openAiOptions.parse({ type: 'openai-compatible', url, model: 'chat', apiKey: VLLM_KEY, ...options });

  it('tries again after 429 as the server asks, and after 500, but not once text was shown', async () => {
    let calls = 0;
    const answers: Reply[] = [
      { ...json({ error: { message: 'slow down' } }, 429), headers: { 'retry-after': '0.05' } },
      json({ error: { message: 'crashed' } }, 500),
    ];
    const server = await start((request) =>
      request.path.endsWith('completions') ? (answers[calls++] ?? vllm(request)) : vllm(request),
    );
    const generator = await openGenerator([engine(server)], { random: () => 0 });
    expect((await collect(generator.generate(HELLO))).text).toContain('42 km');
    expect(calls).toBe(3);
    const broken = await start((request) =>
      request.path.endsWith('completions') ? sse([delta({ content: 'The' })], 'drop') : vllm(request),
    );
    const fragile = await openGenerator([engine(broken)], { random: () => 0 });
    await expect(collect(fragile.generate(HELLO))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(broken.seen.filter(({ path }) => path.endsWith('completions'))).toHaveLength(1);
  });

  it('answer 200 questions though the first one is killed in the middle of them', async () => {
    const [first, second] = [await start(), await start()];
    const generator = await openGenerator([engine(first), engine(second)], { random: () => 0 });
    const results = { answered: 0, visible: 0 };
    let killed: Promise<void> | undefined;
    const ask = async (number: number) => {
      let told = false;
      try {
        for await (const event of generator.generate(HELLO)) {
          told = true;
          if (number === 100) killed ??= first.close();
          if (event.type === 'finish') results.answered++;
        }
      } catch (error) {
        expect(told).toBe(true);
        expect(isRagError(error)).toBe(true);
        results.visible++;
      }
    };
    for (let start = 0; start < 200; start += 8) {
      await Promise.all(Array.from({ length: 8 }, (_, index) => ask(start + index)));
    }
    await killed;
    const wrote = (server: RecordedOllama) => server.seen.filter(({ path }) => path.endsWith('completions')).length;
    expect(results.answered + results.visible).toBe(200);
    expect(results.visible).toBeLessThanOrEqual(8);
    expect(wrote(first)).toBeGreaterThan(90);
    expect(wrote(second)).toBeGreaterThan(80);
  });

  it('are called the same in the answers’ cache wherever they stand, and differently with another model', async () => {
    const [first, second, third] = [await start(), await start(), await start()];
    const id = async (...options: object[]) => (await openGenerator([engine(first, options[0]), engine(second, options[1])])).id;
    expect(await id()).toBe((await openGenerator([engine(third), engine(first)])).id);
    expect(await id({}, { options: { top_k: 3 } })).not.toBe(await id());
    expect(await id()).not.toContain(VLLM_KEY);
  });
});
