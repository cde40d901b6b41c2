import * as z from 'zod';

const count = (from: number, to: number) => z.int().min(from).max(to);

/** Options of a Chroma server. */
export const chromaOptions = z
  .strictObject({
    type: z.literal('chroma'),
    uri: z.string().min(1).describe('Address of the server, such as `http://localhost:8000`.'),
    tenant: z.string().min(1).optional().describe('Tenant on the server; without one, its default.'),
    database: z.string().min(1).optional().describe('Database on the server; without one, its default.'),
    token: z.string().min(1).optional().meta({ secret: true }).describe('Token that is sent with every call.'),
    tokenHeader: z
      .enum(['Authorization', 'X-Chroma-Token'])
      .default('Authorization')
      .describe('Header of the token; in `Authorization` it is a bearer token.'),
    hnsw: z
      .strictObject({
        space: z
          .enum(['cosine', 'ip', 'l2'])
          .default('cosine')
          .describe('How vectors are compared; fixed when a collection is made.'),
        ef_construction: count(1, 65_536).default(100).describe('Candidates looked at when a vector is added.'),
        max_neighbors: count(2, 2048).default(16).describe('Neighbours of a vector in the graph.'),
        ef_search: count(1, 65_536).default(100).describe('Candidates looked at by a search.'),
      })
      .prefault({})
      .describe('The vector index, a graph, under Chroma’s own names.'),
    batchSize: count(1, 100_000).optional().describe('Rows of one write; without it, as many as the server allows.'),
    timeoutMs: count(1, 3_600_000).default(10_000).describe('Milliseconds that one call to the server may take.'),
    path: z.string().min(1).optional().describe('Folder of the local keyword index that stands beside the server.'),
  })
  .describe('A Chroma server.');

export type ChromaOptions = z.output<typeof chromaOptions>;
