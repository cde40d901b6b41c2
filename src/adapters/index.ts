/** The package `hotrag/adapters`: what one needs to write a store, embedder, generator, cache, index, loader or chunker of one's own. */

export type * from '../core/contracts.js';
export { isRagError, RagError } from '../core/errors.js';
export { filterToJson, matches, parseFilter, splitFilter } from '../core/filter.js';
export { chunkId, compareText } from '../core/ids.js';
