import * as z from 'zod';
import type { SearchResult } from '../../core/types.js';
import { type CutHit, cutHits } from '../cut.js';
import { count, milliseconds, renderHits } from '../render.js';
import { defineTool } from '../tool.js';
import { collection, explanation, filter, hit, mode, orElse, strict, topK } from './schemas.js';

const query = z.union(
  [z.string().min(1), z.array(z.string().min(1)).min(1).max(16)],
  orElse('must be a text or a list of 1 to 16 texts'),
);

type Output = Omit<SearchResult, 'hits'> & { readonly hits: readonly CutHit[] };

export const search = defineTool({
  name: 'search',
  title: 'Search the documents',
  description:
    'Find the passages of the indexed documents that answer a question or mention something, best first, with file and lines to cite. ' +
    'Use it before you answer from memory about anything the documents may cover. Ask in the words the documents would use; a list of queries ' +
    '(rephrasings, parts of a question) is searched at once. Narrow down with filter when you know a metadata field. ' +
    'For more text around a hit use read-document; to see which documents there are use list-documents.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  readsIndex: true,
  input: strict({
    query: query.meta({ description: 'What to look for: a question, a phrase, a name; or a list of these.' }),
    filter,
    topK,
    mode,
    groups: z
      .array(z.string())
      .min(1)
      .optional()
      .meta({ description: 'Chunkings to search, where several are configured. Default: all.' }),
    returns: z
      .string()
      .optional()
      .meta({ description: 'Show the passages of this chunking around what was found: search fine ones, read coarse ones.' }),
    rerank: z
      .boolean()
      .optional()
      .meta({ description: 'Reorder with the configured reranker. Default: true where there is one.' }),
    explain: z.boolean().optional().meta({ description: 'Run uncached and tell stages, times and index.', default: false }),
    maxChars: z.int().min(1).optional().meta({
      description:
        "Most characters of all hits' texts together; longer texts are cut evenly, marked by … and `cut`. Default: whole passages.",
    }),
    collection,
  }),
  output: z.object({ hits: z.array(hit), tookMs: z.number(), cached: z.boolean(), explain: explanation.optional() }),
  async run(rag, { query, maxChars, ...options }, { signal }): Promise<Output> {
    const result = await rag.search(query, { ...options, signal });
    return { ...result, hits: cutHits(result.hits, maxChars) };
  },
  render({ hits, tookMs, cached, explain }) {
    const head = `${count(hits.length, 'hit')}, ${milliseconds(tookMs)}${cached ? ', from the cache' : ''}`;
    if (hits.length === 0)
      return `${head}. Try other words, another mode, or a wider filter; list-documents shows what is there.`;
    const stages =
      explain?.stages.map(({ name, ms, detail }) => `- ${name}: ${milliseconds(ms)}${detail === '' ? '' : `, ${detail}`}`) ?? [];
    return [head, renderHits(hits), ...(explain ? [`Index: ${explain.index}\n${stages.join('\n')}`] : [])].join('\n\n');
  },
});
