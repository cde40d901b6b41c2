import * as z from 'zod';

/** Options of the embedder that comes with the package: none but its name. */
export const staticOptions = z
  .strictObject({ type: z.literal('static') })
  .describe('The model that comes with the package: English, 256 dimensions, no network, no native code.');
