import * as z from 'zod';
import { count, milliseconds } from '../render.js';
import { defineTool } from '../tool.js';
import { cacheLayer, collection, strict } from './schemas.js';

export const cacheStats = defineTool({
  name: 'cache-stats',
  title: 'Cache statistics',
  description:
    'Hit rates, sizes and time saved of the embedding, search and answer caches. Use it when the user asks about speed or caching, not to answer from the documents.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: strict({ collection }),
  output: z.object({
    layers: z.object({ embeddings: cacheLayer, search: cacheLayer, answers: cacheLayer }),
    collection: z.string(),
    version: z.string(),
  }),
  run: (rag, options, { signal }) => rag.cacheStats({ ...options, signal }),
  render({ layers, collection, version }) {
    const lines = Object.entries(layers).flatMap(
      ([name, { hits, misses, hitRate, entries, bytes, evictions, savedMs, tiers }]) => {
        const rate = `${Math.round(hitRate * 100)} % of ${count(hits + misses, 'look-up')} hit`;
        const beyond = tiers
          .slice(1)
          .map((tier) => `  ${tier.name}: ${tier.hits} hit, ${tier.misses} missed, ${count(tier.errors, 'error')}`);
        return [
          `${name}: ${rate}, ${count(entries, 'value')} (${bytes} bytes), ${evictions} evicted, ${milliseconds(savedMs)} saved`,
          ...beyond,
        ];
      },
    );
    const state = version === '' ? 'does not exist yet' : `version ${version}`;
    return [`Collection '${collection}' (${state})`, ...lines].join('\n');
  },
});
