import * as z from 'zod';

/** Options of a chunker: how one node group cuts documents. */
export const chunkerOptions = z
  .strictObject({
    type: z
      .enum(['auto', 'markdown', 'recursive'])
      .default('auto')
      .describe(
        '`markdown` cuts at headings, `recursive` at paragraphs, then lines, sentences, words; `auto` chooses by the format.',
      ),
    maxChars: z.int().min(32).max(1_000_000).default(1200).describe('Longest chunk, in characters (UTF-16 units).'),
    overlap: z
      .int()
      .min(0)
      .max(500_000)
      .default(0)
      .describe('Characters that neighbouring chunks share; less than half of `maxChars`.'),
  })
  .refine(({ maxChars, overlap }) => overlap * 2 < maxChars, { path: ['overlap'], error: 'must be less than half of maxChars' })
  .describe('How a node group cuts documents into chunks.');

export type ChunkerOptions = z.output<typeof chunkerOptions>;
