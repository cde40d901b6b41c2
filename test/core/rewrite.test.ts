import { describe, expect, it } from 'vitest';
import type { TextGenerator, TextRequest } from '../../src/core/contracts.js';
import { rewriteQuestion } from '../../src/core/rewrite.js';
import { openRag } from '../../src/sdk/index.js';

/** Says what it is told to, in turn, and keeps what it was asked. */
function engine(...replies: readonly string[]): TextGenerator & { readonly asked: TextRequest[] } {
  const asked: TextRequest[] = [];
  return {
    id: 'said',
    engine: 'said',
    model: 'said',
    asked,
    async *generate(request, { signal } = {}) {
      signal?.throwIfAborted();
      asked.push(request);
      yield { type: 'text-delta', text: replies[asked.length - 1] ?? 'no more' };
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: 1 } };
    },
  };
}
const HISTORY = [
  { role: 'user', content: 'How long is the railway line?' },
  { role: 'assistant', content: '42 km [1].' },
] as const;

describe('rewriting a question', () => {
  it('asks the engine nothing where there is nothing to do', async () => {
    const said = engine();
    expect(await rewriteQuestion(said, { rewrite: 'off', question: 'And when?', history: HISTORY })).toBeUndefined();
    expect(await rewriteQuestion(said, { rewrite: 'standalone', question: 'How long?', history: [] })).toBeUndefined();
    expect(said.asked).toEqual([]);
  });

  it('makes a question stand alone, from the turns before', async () => {
    const said = engine('"When was the railway line opened?"\n');
    const queries = await rewriteQuestion(said, { rewrite: 'standalone', question: 'And when was it opened?', history: HISTORY });
    expect(queries).toEqual(['When was the railway line opened?']);
    expect(said.asked[0]?.temperature).toBe(0);
    expect(said.asked[0]?.messages.at(-1)?.content).toMatch(/42 km.*And when was it opened\?/s);
  });

  it('searches for the question and three wordings, without their numbers', async () => {
    const said = engine('1. Length of the line?\n2) How many km is it?\n\n- How far does it go?\n4. One too many?');
    const queries = await rewriteQuestion(said, { rewrite: 'multi', question: 'How long is it?', history: [] });
    expect(queries).toEqual(['How long is it?', 'Length of the line?', 'How many km is it?', 'How far does it go?']);
  });

  it('keeps the question where the engine has nothing to say', async () => {
    const request = { question: 'How long is it?', history: HISTORY } as const;
    expect(await rewriteQuestion(engine('\n'), { ...request, rewrite: 'standalone' })).toBeUndefined();
    expect(await rewriteQuestion(engine('How long is it?'), { ...request, rewrite: 'multi' })).toBeUndefined();
  });

  it('rejects with the reason of an abort', async () => {
    const reason = new Error('enough');
    const request = { rewrite: 'multi', question: 'How long?', history: [], signal: AbortSignal.abort(reason) } as const;
    await expect(rewriteQuestion(engine('x'), request)).rejects.toBe(reason);
  });
});

describe('generate with rewriting', () => {
  it('finds what a follow-up question means, and tells what it searched for', async () => {
    const said = engine('42 km [1].', 'When was the railway line opened?', 'In 1911 [1].');
    const rag = await openRag({ generator: said });
    await rag.ingest([
      { id: 'line', text: 'The railway line is 42 km long. The railway line was opened in 1911.' },
      { id: 'pan', text: 'And then butter melts in the pan, when it was hot.' },
    ]);
    await rag.generate('How long is the railway line?', { session: 's', rewrite: 'standalone' });
    const answer = await rag.generate('And when was it?', { session: 's', rewrite: 'standalone', topK: 1 });
    expect(answer.queries).toEqual(['When was the railway line opened?']);
    expect(answer.sources.map(({ documentId }) => documentId)).toEqual(['line']);
    expect(said.asked.at(-1)?.messages.at(-1)?.content).toMatch(/Question: And when was it\?$/);
    await rag.close();
  });

  it('refuses a way of rewriting that there is not', async () => {
    const rag = await openRag({ generator: engine() });
    await rag.ingest({ id: 'a', text: 'a text' });
    // A caller without types.
    const options = { rewrite: 'more' } as unknown as { rewrite: 'multi' };
    await expect(rag.generate('How?', options)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/rewrite/),
    });
    await rag.close();
  });
});
