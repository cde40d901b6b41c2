import * as z from 'zod';

/** Options of the embedded engine. */
export const memoryOptions = z
  .strictObject({
    type: z.literal('memory'),
    path: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of the store. Without one the SDK keeps everything in memory only; the command line takes the nearest `.hotrag` folder upward, else the user’s data folder.',
      ),
    index: z
      .enum(['auto', 'flat'])
      .default('auto')
      .describe('Vector index: `flat` compares every vector, exactly; `auto` picks by the number of rows.'),
    metric: z
      .enum(['cosine', 'dot', 'l2'])
      .default('cosine')
      .describe(
        'How vectors are compared; part of a collection, which opens with no other. They are normalised, so `dot` scores as `cosine` does, and `l2`, 1 / (1 + squared distance), orders likewise.',
      ),
  })
  .describe('The embedded engine, in this process; durable with a `path`.');
