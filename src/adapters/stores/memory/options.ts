import * as z from 'zod';

/** A graph with its parameters. Bounds: below them a search finds too little; above, comparing every vector takes less. */
const hnswOptions = z
  .strictObject({
    type: z.literal('hnsw'),
    efConstruction: z
      .int()
      .min(16)
      .max(1024)
      .default(128)
      .describe('Near vectors that are looked at to choose a new one’s links from: more make a better graph, slower.'),
    ef: z
      .int()
      .min(10)
      .max(1024)
      .default(80)
      .describe(
        'Near vectors that a search keeps in view: more find better, slower. Raised to half as many again as hits asked for.',
      ),
  })
  .describe('A graph of neighbours.');

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
      .union([z.enum(['auto', 'flat', 'hnsw']), hnswOptions])
      .default('auto')
      .describe(
        'Vector index: `flat` compares every vector, `hnsw` follows a graph, `auto` is `flat` up to 10,000 vectors, then `hnsw`. Or an object with its parameters, such as `{ "type": "hnsw", "ef": 120 }`. See docs/indexes.md.',
      ),
    metric: z
      .enum(['cosine', 'dot', 'l2'])
      .default('cosine')
      .describe(
        'How vectors are compared; part of a collection, which opens with no other. They are normalised, so `dot` scores as `cosine` does, and `l2`, 1 / (1 + squared distance), orders likewise.',
      ),
  })
  .describe('The embedded engine, in this process; durable with a `path`.');
