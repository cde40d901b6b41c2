import { describe, expect, it } from 'vitest';
import { type CompleteRequest, completeAnswer, prepareAnswer } from '../../src/core/answer.js';
import { collect } from '../../src/core/collect.js';
import type { TextEvent, TextGenerator, TextRequest } from '../../src/core/contracts.js';
import { RagError } from '../../src/core/errors.js';
import { createPromptBuilder } from '../../src/core/prompt.js';
import type { Hit } from '../../src/core/types.js';

const hits: readonly Hit[] = ['a', 'b', 'c'].map((id) => ({
  id: `${id}#1`,
  documentId: id,
  uri: `${id}.md`,
  text: `text of ${id}`,
  score: 1,
  group: 'default',
  span: [0, 9],
  location: {},
  metadata: {},
}));
const prepared = prepareAnswer({ question: 'Why?', hits, prompt: createPromptBuilder() });
const FINISH: TextEvent = { type: 'finish', reason: 'stop', usage: { inputTokens: 50, outputTokens: 11 } };

/** A clock that the script moves: numbers are milliseconds that pass, everything else happens. */
function scripted(script: readonly (TextEvent | string | number | Error)[], left: () => void = () => {}) {
  let now = 1000;
  const asked: TextRequest[] = [];
  const generator: TextGenerator = {
    id: 'fake/one',
    engine: 'fake',
    model: 'one',
    async *generate(request) {
      asked.push(request);
      try {
        for (const step of script) {
          if (typeof step === 'number') now += step;
          else if (step instanceof Error) throw step;
          else yield typeof step === 'string' ? { type: 'text-delta', text: step } : step;
        }
      } finally {
        left();
      }
    },
  };
  const complete = (more: Partial<CompleteRequest> = {}) =>
    completeAnswer({ generator, prepared, clock: () => now, startedAt: 900, retrieveMs: 60, ...more });
  return { complete, asked };
}

async function answerOf(script: readonly (TextEvent | string | number | Error)[]) {
  return (await collect(scripted(script).complete())).finish.answer;
}

describe('preparing an answer', () => {
  it('keeps what was found beside what the model is given', () => {
    const long = { ...prepared.hits[0], text: 'word '.repeat(2000) } as Hit; // the spread forgets that the element is there
    const some = prepareAnswer({
      question: 'Why?',
      hits: [hits[0] as Hit, long],
      prompt: createPromptBuilder(),
      contextTokens: 2048,
    });
    expect(some.hits).toEqual([hits[0]]);
    expect(some.found).toHaveLength(2);
  });

  it('fails with the hits when the question does not fit', () => {
    const prepare = () => prepareAnswer({ question: 'why '.repeat(9000), hits, prompt: createPromptBuilder() });
    expect(prepare).toThrow(expect.objectContaining({ code: 'INPUT_INVALID', hits }));
  });
});

describe('completing an answer', () => {
  it('passes the text on as it comes and ends with the answer', async () => {
    const { complete, asked } = scripted(['It', '', ' is so [1].', FINISH]);
    const events = [];
    for await (const event of complete({ sampling: { maxTokens: 9, temperature: 0 } })) events.push(event);
    expect(events.slice(0, -1)).toEqual([
      { type: 'text-delta', text: 'It' },
      { type: 'text-delta', text: ' is so [1].' },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'finish',
      answer: { text: 'It is so [1].', finish: 'stop', cached: false, engine: 'fake', model: 'one' },
    });
    expect(asked).toEqual([{ messages: prepared.messages, maxTokens: 9, temperature: 0 }]);
  });

  it.each<[string, readonly number[]]>([
    ['as [1] says', [1]],
    ['[1][3]', [1, 3]],
    ['[1, 2] and [2;3]', [1, 2, 3]],
    ['[1-3]', [1, 2, 3]],
    ['[2–3]', [2, 3]],
    ['【2】', [2]],
    ['[ 2 ]', [2]],
    ['[0] [4] [99] [-1] [1.5] [x] (1) [9999]', []],
    ['[3-9999]', [3]],
    ['nothing', []],
  ])('finds what %j cites', async (text, cited) => {
    const { sources } = await answerOf([text, FINISH]);
    expect(sources.map(({ index, hitId, documentId, uri }) => ({ index, hitId, documentId, uri }))).toEqual([
      { index: 1, hitId: 'a#1', documentId: 'a', uri: 'a.md' },
      { index: 2, hitId: 'b#1', documentId: 'b', uri: 'b.md' },
      { index: 3, hitId: 'c#1', documentId: 'c', uri: 'c.md' },
    ]);
    expect(sources.filter((source) => source.cited).map(({ index }) => index)).toEqual(cited);
  });

  it('measures with its own clock where the engine tells no times', async () => {
    const { metrics } = await answerOf([200, 'a', 50, 'b', 50, 'c', 7, FINISH]);
    expect(metrics).toEqual({
      ttftMs: 200,
      tpotMs: 10, // 100 ms for the 10 tokens after the first
      tokensPerSecond: 100,
      inputTokens: 50,
      cachedTokens: null,
      outputTokens: 11,
      queueMs: null,
      loadMs: null,
      retrieveMs: 60,
      totalMs: 407,
      source: 'client',
    });
  });

  it('prefers what the engine measured, and takes the wait for a place out of its own TTFT', async () => {
    const told = await answerOf([
      200,
      'a',
      50,
      'b',
      { ...FINISH, timings: { ttftMs: 150, tpotMs: 20, queueMs: 40 } } as TextEvent,
    ]);
    expect(told.metrics).toMatchObject({ ttftMs: 150, tpotMs: 20, tokensPerSecond: 50, queueMs: 40, source: 'engine' });
    const untold = await answerOf([
      200,
      'a',
      50,
      'b',
      { ...FINISH, timings: { ttftMs: null, tpotMs: 20, queueMs: 40 } } as TextEvent,
    ]);
    expect(untold.metrics).toMatchObject({ ttftMs: 160, tpotMs: 20, source: 'client' });
  });

  it('has null for what cannot be known', async () => {
    const once = await answerOf([5, 'all at once', FINISH]);
    expect(once.metrics).toMatchObject({ ttftMs: 5, tpotMs: null, tokensPerSecond: null });
    const uncounted = await answerOf(['a', 5, 'b', { ...FINISH, usage: { inputTokens: null, outputTokens: null } } as TextEvent]);
    expect(uncounted.metrics).toMatchObject({ tpotMs: null, tokensPerSecond: null, inputTokens: null, outputTokens: null });
  });

  it('stops the engine when the caller leaves', async () => {
    let left = false;
    const { complete } = scripted(['a', 'b', FINISH], () => {
      left = true;
    });
    for await (const _ of complete()) break;
    expect(left).toBe(true);
  });
});

describe('an answer that fails', () => {
  const failureOf = (script: readonly (TextEvent | string | number | Error)[]) =>
    answerOf(script).catch((error: unknown) => error);

  it('keeps code, cause and words, and carries the hits', async () => {
    const cause = new Error('socket');
    const original = new RagError('TIMEOUT', 'too slow', { cause, adapter: 'fake', retryable: false });
    const failure = await failureOf(['a', original]);
    expect(failure).toMatchObject({ code: 'TIMEOUT', message: 'too slow', retryable: false, adapter: 'fake', hits });
    expect(failure).toHaveProperty('cause', cause);
    expect(failure).toHaveProperty('stack', original.stack);
  });

  it('is UPSTREAM_FAILED with the hits for anything else that an engine throws', async () => {
    const cause = new TypeError('x is not a function');
    expect(await failureOf([cause])).toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: 'fake one: x is not a function',
      cause,
      hits,
    });
  });

  it.each<[string, readonly (TextEvent | string)[], RegExp]>([
    ['nothing at all', [], /before its finish/],
    ['no end', ['some text'], /before its finish/],
    ['no text', [FINISH], /no text/],
    ['white space only', [' \n', FINISH], /no text/],
    ['all tokens spent on thinking', [{ ...FINISH, reason: 'length' } as TextEvent], /raise maxTokens/],
  ])('is UPSTREAM_FAILED for %s', async (_, script, message) => {
    expect(await failureOf(script)).toMatchObject({ code: 'UPSTREAM_FAILED', message: expect.stringMatching(message), hits });
  });

  it('is the reason itself after an abort', async () => {
    const reason = new Error('gone');
    await expect(collect(scripted(['a', FINISH]).complete({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of scripted(['a', 'b', FINISH]).complete({ signal: controller.signal })) controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
  });
});
