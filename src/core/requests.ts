import type { Field, Filter } from './contracts.js';
import { invalidInput, nearestName, RagError } from './errors.js';
import { parseFilter } from './filter.js';
import type { RetrieveRequest } from './retrieve.js';
import type { GenerateOptions, Rewrite, SearchMode, SearchOptions } from './types.js';

/** Longest query, in UTF-16 units; a query is a sentence or a paragraph, not a document. */
const LONGEST_QUERY = 32_768;
const MOST_QUERIES = 16;
const MOST_HITS = 100;
const REWRITES: readonly Rewrite[] = ['off', 'standalone', 'multi'];
const MODES: readonly SearchMode[] = ['hybrid', 'vector', 'keyword'];

export interface RequestRules {
  readonly fields: readonly Field[];
  readonly groups: readonly string[];
  readonly hasReranker: boolean;
}

/**
 * Checks what a caller asks of a search and fills in the defaults. `path`: what the caller knows the query as.
 * @throws RagError INPUT_INVALID naming the option · UNSUPPORTED (rerank without a reranker)
 */
export function checkSearch(query: unknown, options: SearchOptions, rules: RequestRules, path = 'query'): RetrieveRequest {
  const queries = (Array.isArray(query) ? query : [query]).map((one, index) =>
    checkQuery(one, Array.isArray(query) ? `${path}[${index}]` : path),
  );
  if (queries.length === 0 || queries.length > MOST_QUERIES) {
    throw invalidInput(path, `a list of queries holds 1 to ${MOST_QUERIES}, this one ${queries.length}`);
  }
  if (options.rerank === true && !rules.hasReranker) {
    throw new RagError('UNSUPPORTED', 'rerank: no reranker is configured; leave it out or configure `reranker`');
  }
  return {
    queries,
    filter: checkFilter(options.filter, rules),
    topK: checkInteger('topK', options.topK ?? 5, 1, MOST_HITS),
    mode: checkMode(options.mode ?? 'hybrid'),
    groups: options.groups === undefined ? allOf(rules.groups) : checkGroups(options.groups, rules.groups),
    returns: options.returns === undefined ? undefined : checkGroup('returns', options.returns, rules.groups),
    rerank: options.rerank ?? rules.hasReranker,
  };
}

/** What each call takes beside its subject. */
export const OPTIONS = {
  search: ['filter', 'topK', 'mode', 'groups', 'returns', 'rerank', 'explain', 'collection', 'signal'],
  generate: [
    'filter',
    'topK',
    'mode',
    'groups',
    'returns',
    'rerank',
    'maxTokens',
    'temperature',
    'session',
    'rewrite',
    'collection',
    'signal',
  ],
  ingest: ['metadata', 'prune', 'onProgress', 'roots', 'collection', 'signal'],
  list: ['filter', 'limit', 'cursor', 'collection', 'signal'],
  read: ['around', 'lines', 'maxChars', 'collection', 'signal'],
} as const;

/**
 * Refuses options that there are not: a misspelt `filter` would search everything, silently.
 * @throws RagError INPUT_INVALID with the nearest right name
 */
export function checkOptions(call: keyof typeof OPTIONS, options: object): void {
  const known: readonly string[] = OPTIONS[call];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const near = nearestName(name, known);
    throw invalidInput(`options.${name}`, `${call} takes no such option${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
}

/** @throws RagError INPUT_INVALID naming the option */
export function checkSampling({ maxTokens, temperature, rewrite }: GenerateOptions): void {
  if (rewrite !== undefined && !REWRITES.includes(rewrite)) {
    throw invalidInput('rewrite', `${JSON.stringify(rewrite)} is none of ${REWRITES.join(', ')}`);
  }
  if (maxTokens !== undefined) checkInteger('maxTokens', maxTokens, 1, 1_000_000);
  if (temperature !== undefined && !(typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) {
    throw invalidInput('temperature', `a number from 0 to 2 is needed, not ${String(temperature)}`);
  }
}

export function checkFilter(filter: unknown, rules: Pick<RequestRules, 'fields'>): Filter | undefined {
  return parseFilter(filter, rules.fields.length === 0 ? {} : { fields: rules.fields });
}

export function checkInteger(path: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalidInput(path, `a whole number from ${least} to ${most} is needed, not ${JSON.stringify(value)}`);
}

/** Letters, digits, dot, dash and underscore; at most 128; so that every store can hold it. */
export function checkCollectionName(name: unknown): string {
  if (typeof name === 'string' && /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,127}$/u.test(name)) return name;
  throw invalidInput(
    'collection',
    `${JSON.stringify(name)} is no collection name; it begins with a letter or digit and goes on with these, '.', '_' or '-', at most 128 in all`,
  );
}

function checkQuery(query: unknown, path: string): string {
  if (typeof query !== 'string') throw invalidInput(path, `a text is needed, not ${query === null ? 'null' : typeof query}`);
  const text = query.normalize('NFC').trim();
  if (text === '') throw invalidInput(path, 'is empty; say what to look for');
  if (text.length > LONGEST_QUERY)
    throw invalidInput(path, `is ${text.length} characters long; at most ${LONGEST_QUERY} are taken`);
  return text;
}

function checkMode(mode: unknown): SearchMode {
  const known = MODES.find((candidate) => candidate === mode);
  if (known !== undefined) return known;
  const near = typeof mode === 'string' ? nearestName(mode, MODES) : undefined;
  throw invalidInput(
    'mode',
    `${JSON.stringify(mode)} is none of ${MODES.join(', ')}${near === undefined ? '' : `; did you mean '${near}'?`}`,
  );
}

/** One group is all there is: no need to name it. */
function allOf(groups: readonly string[]): readonly string[] | undefined {
  return groups.length > 1 ? groups : undefined;
}

function checkGroups(groups: unknown, known: readonly string[]): readonly string[] {
  if (!Array.isArray(groups) || groups.length === 0) throw invalidInput('groups', 'a list of at least one group name is needed');
  return [...new Set(groups.map((group) => checkGroup('groups', group, known)))];
}

function checkGroup(path: string, group: unknown, known: readonly string[]): string {
  const found = known.find((name) => name === group);
  if (found !== undefined) return found;
  throw invalidInput(path, `there is no group ${JSON.stringify(group)}; configured: ${known.join(', ')}`);
}
