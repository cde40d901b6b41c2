import * as z from 'zod';

/** Options of a chunker: how one node group cuts documents. Sizes in UTF-16 units, which in English are about a quarter of a token. */
export const chunkerOptions = z
  .strictObject({
    type: z
      .enum(['auto', 'markdown', 'records', 'recursive', 'sentence', 'summary', 'qa'])
      .default('auto')
      .describe(
        '`markdown` cuts at headings, `records` between the records of tables and JSON, `recursive` at paragraphs, then lines, sentences, words; `auto` chooses by the format; `sentence` cuts every sentence. `summary` and `qa` (questions and answers) are written by the configured engine.',
      ),
    // Of the sizes tried on whole documents the one with the best recall in 4,000 characters (docs/documents.md).
    maxChars: z
      .int()
      .min(32)
      .max(1_000_000)
      .optional()
      .describe(
        'Longest chunk, in characters (UTF-16 units); for `summary` and `qa`, how much text each is written about. Default: 1000, of these 4000.',
      ),
    overlap: z
      .int()
      .min(0)
      .max(500_000)
      .optional()
      .describe(
        'About how many characters a chunk repeats of the one before; less than half of `maxChars`. Default: a tenth of it.',
      ),
  })
  .refine(({ maxChars = 1000, overlap = 0 }) => overlap * 2 < maxChars, {
    path: ['overlap'],
    error: 'must be less than half of maxChars',
  })
  .describe('How a node group cuts documents into chunks.');

/** As a user writes them. */
export type ChunkerOptions = z.input<typeof chunkerOptions>;
