import * as z from 'zod';
import { count, oneLine, renderMetadata } from '../render.js';
import { defineTool } from '../tool.js';
import { collection, filter, metadataOut, strict } from './schemas.js';

export const listDocuments = defineTool({
  name: 'list-documents',
  title: 'List the documents',
  description:
    'The indexed documents by id, with their metadata: to see what there is, which fields can be filtered by, or to get the id of a document. ' +
    'Not for finding content: that is search.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  readsIndex: true,
  input: strict({
    filter,
    limit: z.int().min(1).max(1000).optional().meta({ description: 'Documents in a page.', default: 100 }),
    cursor: z.string().min(1).optional().meta({ description: 'The nextCursor of the page before.' }),
    collection,
  }),
  output: z.object({
    documents: z.array(
      z.object({
        id: z.string(),
        uri: z.string(),
        hash: z.string(),
        chunks: z.int(),
        metadata: metadataOut,
        updatedAt: z.string(),
      }),
    ),
    nextCursor: z.string().optional(),
  }),
  run: (rag, options, { signal }) => rag.documents.list({ ...options, signal }),
  render({ documents, nextCursor }) {
    const lines = documents.map(({ id, uri, chunks, metadata, updatedAt }) => {
      const name = oneLine(id === uri ? id : `${id} (${uri})`);
      return ['-', name, '·', count(chunks, 'chunk'), '·', updatedAt, renderMetadata(metadata)].join(' ').trimEnd();
    });
    const more = nextCursor === undefined ? [] : [`There are more: call again with cursor ${JSON.stringify(nextCursor)}.`];
    return [count(documents.length, 'document'), ...lines, ...more].join('\n');
  },
});
