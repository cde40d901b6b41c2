import * as z from 'zod';

const count = (from: number, to: number) => z.int().min(from).max(to);

// Ranges are those that Milvus itself documents for its indexes.
const nlist = count(1, 65_536).default(1024).describe('Number of clusters that the vectors are divided into.');
const nprobe = count(1, 65_536).default(32).describe('Clusters looked into by a search; at most `nlist`.');

/** A vector index with its build and search parameters, under Milvus's own names. */
const milvusIndex = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('AUTOINDEX') }).describe('The server chooses.'),
  z.strictObject({ type: z.literal('FLAT') }).describe('Compares every vector, exactly.'),
  z.strictObject({ type: z.literal('IVF_FLAT'), nlist, nprobe }).describe('Clusters of whole vectors.'),
  z.strictObject({ type: z.literal('IVF_SQ8'), nlist, nprobe }).describe('Clusters of vectors in 8 bits a dimension.'),
  z
    .strictObject({
      type: z.literal('IVF_PQ'),
      nlist,
      nprobe,
      m: count(1, 65_536).describe('Parts that a vector is cut into; must divide its dimensions.'),
      nbits: count(1, 24).default(8).describe('Bits of a part’s code.'),
    })
    .describe('Clusters of product-quantised vectors.'),
  z
    .strictObject({
      type: z.literal('HNSW'),
      M: count(2, 2048).default(16).describe('Neighbours of a node in the graph.'),
      efConstruction: count(1, 65_536).default(200).describe('Candidates looked at when a node is added.'),
      ef: count(1, 32_768).default(100).describe('Candidates looked at by a search; raised to the number of hits asked for.'),
    })
    .describe('A graph of neighbours.'),
  z
    .strictObject({
      type: z.literal('DISKANN'),
      search_list: count(1, 65_535)
        .default(100)
        .describe('Candidates looked at by a search; raised to the number of hits asked for.'),
    })
    .describe('A graph on the server’s disk.'),
]);

/** Indexes that a name alone is enough for: IVF_PQ needs its `m`. */
const NAMED_INDEXES = ['AUTOINDEX', 'FLAT', 'IVF_FLAT', 'IVF_SQ8', 'HNSW', 'DISKANN'] as const;

/** Options of Milvus: Lite, standalone or distributed, by one address. */
export const milvusOptions = z
  .strictObject({
    type: z.literal('milvus'),
    uri: z.string().min(1).describe('Address of the server, such as `http://localhost:19530` or `https://…` for TLS.'),
    token: z.string().min(1).optional().meta({ secret: true }).describe('API key, or `user:password`.'),
    database: z.string().min(1).optional().describe('Database on the server; without one, its default.'),
    index: z
      .union([z.enum(NAMED_INDEXES).transform((type) => milvusIndex.parse({ type })), milvusIndex])
      .prefault('AUTOINDEX')
      .describe(
        'Vector index: a name (`AUTOINDEX`, `FLAT`, `IVF_FLAT`, `IVF_SQ8`, `HNSW`, `DISKANN`), or an object with its parameters, such as `{ "type": "HNSW", "M": 32 }`. See docs/stores.md.',
      ),
    metric: z
      .enum(['cosine', 'dot', 'l2'])
      .default('cosine')
      .describe('How vectors are compared; fixed when a collection is made.'),
    consistency: z
      .enum(['Strong', 'Session', 'Bounded', 'Eventually'])
      .default('Strong')
      .describe('How soon a search sees a write. Below `Strong`, a search may miss what was just written.'),
    partitionKey: z.string().min(1).optional().describe('Declared metadata field by which the server divides a collection.'),
    replicas: count(1, 1024).default(1).describe('Copies of a collection that the server keeps loaded.'),
    tls: z.boolean().optional().describe('Encrypt the connection. @default true where the address begins with `https:`'),
    timeoutMs: count(1, 3_600_000).default(10_000).describe('Milliseconds that one call to the server may take.'),
    path: z.string().min(1).optional().describe('Folder of the local keyword index that stands beside the server.'),
  })
  .describe('Milvus Lite, standalone or distributed.');

export type MilvusOptions = z.output<typeof milvusOptions>;
export type MilvusIndex = z.output<typeof milvusIndex>;
