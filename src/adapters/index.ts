/**
 * The package `hotrag/adapters`: what one needs to write a store, embedder, generator, reranker or chunker of one's own. Importing it
 * loads no package.
 */

export { checkChange, checkFingerprint, checkLimit, checkVector } from '../core/checks.js';
export type * from '../core/contracts.js';
export { isRagError, RagError } from '../core/errors.js';
export {
  type CanPush,
  type FilterLeaf,
  type FilterSubject,
  filterToJson,
  matches,
  type ParseFilterOptions,
  parseFilter,
  type SplitFilter,
  splitFilter,
} from '../core/filter.js';
export { chunkId, compareText } from '../core/ids.js';
export { createPacer, type Pace } from '../core/turns.js';
export { type CallRules, createCalls, type RunCall } from './stores/remote/calls.js';
export type * from './stores/remote/contract.js';
export { toExactJson } from './stores/remote/json.js';
export { openKeywordStoreAt } from './stores/remote/keyword-store.js';
export { type NameRules, tableName } from './stores/remote/names.js';
export { createRemoteStore, type RemoteStoreParts } from './stores/remote/store.js';
