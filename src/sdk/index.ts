/** The public names of the package `hotrag`. Creating is cheap here; heavy parts load on first use. */

import type { z } from 'zod';
import type { FieldType, Metadata } from '../core/contracts.js';
import type { FieldsJson } from '../core/fields.js';
import type { FilterOf } from '../core/filter-types.js';
import type { Rag } from '../core/types.js';
import { compose } from './compose.js';
import type { OpenRagOptions } from './config.js';
import type { MetadataSchema } from './metadata-schema.js';
import { simpleConfig } from './simple-config.js';

/** The metadata that an option `metadata` declares; anything filterable where there is none. */
export type MetadataOf<Declared> = Declared extends MetadataSchema
  ? z.infer<Declared>
  : Declared extends FieldsJson
    ? { readonly [Name in keyof Declared]?: ValueOf<Declared[Name]> }
    : Metadata;

interface ValueTypes {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly 'string[]': readonly string[];
  readonly 'number[]': readonly number[];
  readonly 'boolean[]': readonly boolean[];
}
type ValueOf<Type extends FieldType> = ValueTypes[Type];

/**
 * Opens a RAG engine over a store, or makes one.
 *
 * @param options without any: an embedded store in memory, the bundled embedder, and a local Ollama for answers if there is one
 * @throws RagError CONFIG_INVALID · FINGERPRINT_MISMATCH (the collection's vectors are another embedder's) · STORE_CORRUPT · CONNECTION_FAILED
 * @example
 * const rag = await openRag({ store: { type: 'memory', path: '.hotrag' }, metadata: z.object({ year: z.number() }).partial() });
 * await rag.ingest(['docs/**\/*.md']);
 * const { hits } = await rag.search('how do I install it?', { filter: { year: { $gte: 2020 } } });
 */
export async function openRag<const Declared extends MetadataSchema | FieldsJson | undefined = undefined>(
  options: Omit<OpenRagOptions, 'metadata'> & { readonly metadata?: Declared } = {},
): Promise<Rag<MetadataOf<Declared>, FilterOf<MetadataOf<Declared>>>> {
  const given = options as OpenRagOptions; // `metadata?: undefined` is the option left out
  const rag = await compose(simpleConfig(given) ?? (await import('./config.js')).parseConfig(given));
  // The engine holds any metadata and takes any filter; `metadata` told it, and the compiler, which ones.
  return rag as unknown as Rag<MetadataOf<Declared>, FilterOf<MetadataOf<Declared>>>;
}

export type { CopyProgress, CopyReport } from '../core/copy.js';
export type { ErrorCode } from '../core/errors.js';
export { ERROR_CODES, isRagError, RagError } from '../core/errors.js';
export type { FieldsJson } from '../core/fields.js';
export type { FilterOf } from '../core/filter-types.js';
export type { PromptBuilder, PromptInput } from '../core/prompt.js';
export type {
  Answer,
  AnswerEvent,
  AnswerMetrics,
  AnswerSource,
  CacheLayerStats,
  CacheStats,
  CacheTierStats,
  DocumentInfo,
  DocumentPage,
  DocumentText,
  ExplainStage,
  Explanation,
  FilterJson,
  GenerateOptions,
  Hit,
  IngestOptions,
  IngestProgress,
  IngestReport,
  IngestSource,
  Rag,
  RequestOptions,
  SearchMode,
  SearchOptions,
  SearchResult,
} from '../core/types.js';
export { type BackupOptions, type BackupReport, backupStore, type RestoreReport, restoreStore } from './backup.js';
export type { OpenRagOptions } from './config.js';
export { type CopyOptions, copyCollection, type StoreOption } from './copy.js';
export { type WarmedRag, type WarmOptions, type WarmQuery, type WarmReport, warmCaches } from './warm.js';
export type { Metadata };
