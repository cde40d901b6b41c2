import * as z from 'zod';
import { chunkerOptions } from '../adapters/chunkers/options.js';
import { llamaCppEmbedderOptions } from '../adapters/embedders/llama-cpp-options.js';
import { onnxEmbedderOptions } from '../adapters/embedders/onnx-options.js';
import { ollamaEmbedderOptions, openAiEmbedderOptions } from '../adapters/embedders/remote-options.js';
import { staticOptions } from '../adapters/embedders/static-options.js';
import { llamaCppOptions } from '../adapters/inference/llama-cpp-options.js';
import { ollamaOptions } from '../adapters/inference/ollama-options.js';
import { openAiOptions } from '../adapters/inference/openai-options.js';
import { llamaCppRerankerOptions, onnxRerankerOptions } from '../adapters/rerankers/in-process-options.js';
import { generatorRerankerOptions, openAiRerankerOptions } from '../adapters/rerankers/options.js';
import { chromaOptions } from '../adapters/stores/chroma/options.js';
import { memoryOptions } from '../adapters/stores/memory/options.js';
import { milvusOptions } from '../adapters/stores/milvus/options.js';
import type { FieldType } from '../core/contracts.js';
import { OPERATORS_OF } from '../core/fields.js';
import { serverOptions } from './server-options.js';

/**
 * The one schema of hotrag's configuration. The file format, flags, environment names, docs/config.md and
 * docs/config.schema.json are all derived from it. Adding an adapter: its options join one of the unions here.
 */
export const configSchema = z.strictObject({
  collection: z.string().min(1).default('default').describe('Name of the collection that is searched and written.'),
  store: z
    .discriminatedUnion('type', [memoryOptions, milvusOptions, chromaOptions])
    .prefault({ type: 'memory' })
    .describe('Where chunks, vectors and the list of documents live.'),
  embedder: z
    .discriminatedUnion('type', [
      staticOptions,
      ollamaEmbedderOptions,
      openAiEmbedderOptions,
      llamaCppEmbedderOptions,
      onnxEmbedderOptions,
    ])
    .prefault({ type: 'static' })
    .describe('What turns text into vectors; fixed when a collection is made.'),
  generator: oneOrMore(z.discriminatedUnion('type', [ollamaOptions, openAiOptions, llamaCppOptions]))
    .optional()
    .describe('What writes answers; a list is tried in its order. Without one: a local Ollama, if it runs.'),
  reranker: z
    .discriminatedUnion('type', [openAiRerankerOptions, generatorRerankerOptions, llamaCppRerankerOptions, onnxRerankerOptions])
    .optional()
    .describe('What puts the best hits of a search in a better order. Without one: the order of the search.'),
  caches: z
    .strictObject({
      embeddings: cacheOf({ entries: 10_000, mebibytes: 64 }).describe('Vectors of texts that were embedded before.'),
      search: cacheOf({ entries: 1_000, mebibytes: 32 }).describe('Results of searches; never older than the last write.'),
      answers: cacheOf({ entries: 1_000, mebibytes: 16 }).describe('Answers; never older than the last write.'),
      shared: z
        .string()
        .regex(/^(rediss?|memcached):\/\//, 'must begin with redis://, rediss:// or memcached://')
        .optional()
        .describe(
          'A cache server that several processes share, behind the caches of each: `redis://[user:password@]host:6379`, `rediss://…` or `memcached://host:11211`.',
        ),
      sharedTimeoutMs: z
        .int()
        .min(1)
        .max(60_000)
        .default(100)
        .describe('Milliseconds that a request waits for the shared cache at most; then it goes on without.'),
      diskBytes: z
        .int()
        .min(0)
        .max(1_099_511_627_776)
        .optional()
        .describe(
          'Most bytes of embeddings kept on disk beside the store, where it has a path; 0: none. Without it: 268435456, but none for the bundled embedder, which needs no model.',
        ),
      maxStaleMs: z
        .int()
        .min(0)
        .max(86_400_000)
        .default(0)
        .describe(
          'Milliseconds that a cached result may be behind a write of another process. 0: never, at the cost of reading the collection’s version for each search.',
        ),
    })
    .prefault({})
    .describe('Caches; `false` turns a layer off.'),
  groups: z
    .record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, `_` or `-`'), chunkerOptions)
    .refine((groups) => Object.keys(groups).length > 0, 'must name at least one group')
    .refine(
      (groups) => Object.values(groups).some(({ type }) => type !== 'summary' && type !== 'qa'),
      'must hold one group that is the text itself, beside those that are written about it',
    )
    .prefault({ default: {} })
    .describe('Node groups: names, and how each cuts documents into chunks. A document is in all of them.'),
  metadata: z
    .record(z.string(), z.enum(Object.keys(OPERATORS_OF) as [FieldType, ...FieldType[]])) // Object.keys forgets the key type
    .optional()
    .describe(
      'Declared metadata fields and their types, such as `{ "year": "number", "tags": "string[]" }`; filters then refuse others.',
    ),
  roots: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'Folders that ingested files must lie in. Without any, the SDK and the command line read any file that they are told to.',
    ),
  ingest: z
    .strictObject({
      maxFileBytes: z
        .int()
        .min(1)
        .max(1_073_741_824)
        .default(52_428_800)
        .describe('Largest file that is read, in bytes; others are reported as failed.'),
      concurrency: z.int().min(1).max(256).default(8).describe('Files that are read ahead of their turn.'),
      threads: z
        .int()
        .min(1)
        .max(64)
        .default(2)
        .describe('Threads that read HTML, PDF, Word and long texts, started when one comes.'),
      documentTimeoutMs: z
        .int()
        .min(1)
        .max(86_400_000)
        .default(120_000)
        .describe('Milliseconds that one document may take in such a thread; then it is ended and reported as failed.'),
      threadMemoryMb: z
        .int()
        .min(64)
        .max(65_536)
        .default(1024)
        .describe('Megabytes of heap that one document may need there; one that needs more is ended and reported as failed.'),
      maxPages: z.int().min(1).max(1_000_000).default(5000).describe('Most pages of a PDF; others are reported as failed.'),
      maxUnpackedBytes: z
        .int()
        .min(1)
        .max(4_294_967_295)
        .default(268_435_456)
        .describe(
          'Most bytes that a Word document or a PDF unfolds to; others are reported as failed, before they are unfolded.',
        ),
    })
    .prefault({})
    .describe('Reading of files.'),
  prompt: z.string().min(1).optional().describe('Instructions to the model that writes answers, in place of the built-in ones.'),
  server: serverOptions,
});

/** A configuration as one writes it: what has a default may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
/** A configuration with all defaults filled in. */
export type PlainConfig = z.output<typeof configSchema>;

export type StoreConfig = PlainConfig['store'];
export type EmbedderConfig = PlainConfig['embedder'];
export type RerankerConfig = NonNullable<PlainConfig['reranker']>;
export type GeneratorConfig = NonNullable<PlainConfig['generator']>[number];
export type CacheConfig = PlainConfig['caches']['search'];
export type GroupConfig = PlainConfig['groups'][string];

function oneOrMore<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema.transform((one): z.output<Schema>[] => [one]), z.array(schema).min(1)]);
}

/** @param size.mebibytes the bound in memory, estimated */
function cacheOf(size: { readonly entries: number; readonly mebibytes: number }) {
  return z
    .union([
      z.literal(false),
      z.strictObject({
        entries: z.int().min(1).max(10_000_000).default(size.entries).describe('Most entries.'),
        bytes: z
          .int()
          .min(1)
          .max(68_719_476_736)
          .default(size.mebibytes * 1_048_576)
          .describe('Most memory, in bytes.'),
        ttlMs: z.int().min(1).optional().describe('Milliseconds that an entry lives; without it, until it is pushed out.'),
      }),
    ])
    .prefault({});
}
