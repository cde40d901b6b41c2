import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../src/core/collect.js';
import type { TextEvent, TextGenerator, TextRequest } from '../../src/core/contracts.js';
import { isRagError } from '../../src/core/errors.js';

export interface OpenedGenerator {
  readonly generator: TextGenerator;
  close(): Promise<void>;
}

const QUESTION: TextRequest = { messages: [{ role: 'user', content: 'Count from one to twenty in words.' }], maxTokens: 48 };

/** What every generator does, recorded or real. Faults that only a recorded server can show are in the adapter's own test. */
export function generatorContract(name: string, open: () => Promise<OpenedGenerator>): void {
  describe(`${name} as a generator`, () => {
    let opened: OpenedGenerator;
    let generator: TextGenerator;

    beforeAll(async () => {
      opened = await open();
      generator = opened.generator;
    });
    afterAll(() => opened.close());

    it('has an id that tells engine and model apart', () => {
      expect(generator.engine).not.toBe('');
      expect(generator.model).not.toBe('');
      expect(generator.id).toContain(generator.model);
    });

    it('streams text and ends with exactly one finish event', async () => {
      const events = await all(generator.generate(QUESTION));
      expect(events.slice(0, -1).every((event) => event.type === 'text-delta' && event.text !== '')).toBe(true);
      expect(events.length).toBeGreaterThan(1);
      expect(events.at(-1)?.type).toBe('finish');
    });

    it('tells token counts as whole numbers, or null', async () => {
      const { finish } = await collect(generator.generate(QUESTION));
      for (const count of [finish.usage.inputTokens, finish.usage.outputTokens]) {
        expect(count === null || (Number.isInteger(count) && count >= 0)).toBe(true);
      }
    });

    it('tells times as numbers from 0 on, or null', async () => {
      const { finish } = await collect(generator.generate(QUESTION));
      for (const time of Object.values(finish.timings ?? {})) expect(time === null || time >= 0).toBe(true);
    });

    it('stops at maxTokens and says so', async () => {
      const { finish } = await collect(generator.generate({ ...QUESTION, maxTokens: 1 }));
      expect(finish.reason).toBe('length');
    });

    it('rejects with the reason of a signal that was aborted before', async () => {
      const reason = new Error('never mind');
      const events = generator.generate(QUESTION, { signal: AbortSignal.abort(reason) });
      await expect(all(events)).rejects.toBe(reason);
    });

    it('rejects with the reason of a signal that is aborted while text comes', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const read = async () => {
        for await (const event of generator.generate(QUESTION, { signal: controller.signal })) {
          if (event.type === 'text-delta') controller.abort(reason);
        }
      };
      await expect(read()).rejects.toBe(reason);
    });

    it('answers again after a caller left the loop', async () => {
      for await (const _ of generator.generate(QUESTION)) break;
      expect((await collect(generator.generate(QUESTION))).text).not.toBe('');
    });

    it('keeps answers apart that are asked for at the same time', async () => {
      const answers = await Promise.all([1, 2, 3].map(() => all(generator.generate({ ...QUESTION, temperature: 0 }))));
      for (const events of answers) expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1);
    });

    it('refuses a prompt that is longer than its context, instead of cutting it', async () => {
      const content = 'many words follow here '.repeat((generator.contextTokens ?? 8192) * 2);
      const failure = await all(generator.generate({ ...QUESTION, messages: [{ role: 'user', content }] })).catch(
        (error: unknown) => error,
      );
      expect(isRagError(failure) && failure.retryable).toBe(false);
      expect(isRagError(failure) && failure.message).toMatch(/context/);
    });
  });
}

async function all(events: AsyncIterable<TextEvent>): Promise<TextEvent[]> {
  const list: TextEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}
