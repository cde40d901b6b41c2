import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chunker, Cut, LoadedDocument } from '../../src/core/contracts.js';

/** What every chunker keeps to that cuts a document's own text into chunks of at most `maxChars`. */
export function chunkerContract(
  name: string,
  create: () => Chunker,
  { format, maxChars }: { readonly format: string; readonly maxChars: number },
): void {
  describe(`${name} as a Chunker`, () => {
    const chunker = create();
    const cut = (text: string) => cutsOf(chunker, text, format);

    it('tells its name and parameters', () => {
      expect(chunker.id).toContain(String(maxChars));
      expect(create().id).toBe(chunker.id);
    });

    it('makes no chunk of nothing', async () => {
      for (const text of ['', ' ', '\n\n\t \n', '\u3000']) expect(await cut(text)).toEqual([]);
    });

    it('covers all that is not white space, in order, within the size, whatever the text', async () => {
      const part = fc.oneof(
        { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...'ab. \n\n\t#-|`~=。中é！?'), maxLength: 300 }) },
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom(
          '# Title\n',
          '```\n',
          '\n\n',
          '| a | b |\n|---|---|\n',
          '    indented\n',
          '👩‍👩‍👧‍👦',
          'e\u0301',
          'word ',
          'x'.repeat(300),
          ' '.repeat(300),
        ),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
          const text = parts.join('').replace(/\r\n?/g, '\n');
          check(text, await cut(text), maxChars);
        }),
        { numRuns: 400 },
      );
    });

    it('cuts the same text the same way', async () => {
      const text = 'Some words, then more. '.repeat(500);
      expect(await cut(text)).toEqual(await cut(text));
    });

    it('cuts a long text step by step', () => {
      const text = 'no end of words '.repeat(1_000_000);
      const chunks = chunker.chunk(documentOf(text, format));
      const seen: Cut[] = [];
      if (!(Symbol.iterator in chunks)) return; // asynchronous ones give way by themselves
      for (const one of chunks) {
        seen.push(one);
        if (seen.length === 3) break;
      }
      expect(seen).toHaveLength(3);
    });
  });
}

export function documentOf(text: string, format: string): LoadedDocument {
  return { text, format, metadata: {}, warnings: [] };
}

export async function cutsOf(chunker: Chunker, text: string, format: string): Promise<readonly Cut[]> {
  const cuts: Cut[] = [];
  for await (const cut of chunker.chunk(documentOf(text, format))) cuts.push(cut);
  return cuts;
}

function check(text: string, cuts: readonly Cut[], maxChars: number): void {
  let covered = 0;
  let previousStart = -1;
  for (const {
    span: [start, end],
  } of cuts) {
    expect(start).toBeGreaterThan(previousStart);
    expect(end).toBeGreaterThan(start);
    expect(end - start).toBeLessThanOrEqual(maxChars);
    expect(end).toBeLessThanOrEqual(text.length);
    if (start > covered) expect(text.slice(covered, start).trim()).toBe('');
    expect(text.slice(start, end)).toMatch(/\S/);
    expect(end).toBeGreaterThan(covered);
    covered = end;
    previousStart = start;
  }
  expect(text.slice(covered).trim()).toBe('');
}
