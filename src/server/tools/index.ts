import type { Tool } from '../tool.js';
import { cacheStats } from './cache-stats.js';
import { deleteDocuments } from './delete-documents.js';
import { generate } from './generate.js';
import { ingest } from './ingest.js';
import { listDocuments } from './list-documents.js';
import { readDocument } from './read-document.js';
import { search } from './search.js';

/** Every tool, the most used first: hosts list them in this order. */
export const tools: readonly Tool[] = [search, readDocument, generate, listDocuments, ingest, deleteDocuments, cacheStats];
