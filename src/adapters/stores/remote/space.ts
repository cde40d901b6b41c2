import * as z from 'zod';

/** A `Space` that an adapter wrote into its server as JSON, on its way back: what is none is no collection of ours. */
export const storedSpace = z.object({
  collection: z.string(),
  uuid: z.string(),
  fingerprint: z.object({ embedder: z.string(), dimensions: z.int(), metric: z.enum(['cosine', 'dot', 'l2']) }),
  fields: z.array(
    z.object({ name: z.string(), type: z.enum(['string', 'number', 'boolean', 'string[]', 'number[]', 'boolean[]']) }),
  ),
});
