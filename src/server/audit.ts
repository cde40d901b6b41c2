import type { Principal } from './principal.js';

/** One call that could change data, as it is written down. Holds no text of documents and no metadata. */
export interface AuditEntry {
  readonly at: string;
  readonly caller: string;
  readonly tool: string;
  /** What it was asked to work on: ids and paths, and how many texts. */
  readonly target: Readonly<Record<string, unknown>>;
  /** 'done', or the code of the error. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** Where audit entries go. Must not throw. */
export type Audit = (entry: AuditEntry) => void;

export interface AuditedCall {
  readonly principal: Principal;
  readonly tool: string;
  readonly input: unknown;
  readonly outcome: string;
  readonly tookMs: number;
}

/** More names than this are told by their number. */
const MOST_NAMES = 20;
const LONGEST_NAME = 200;

export function auditEntry({ principal, tool, input, outcome, tookMs }: AuditedCall): AuditEntry {
  const at = new Date().toISOString();
  return { at, caller: principal.name, tool, target: targetOf(input), outcome, tookMs: Math.round(tookMs) };
}

/** Only what is known to be harmless, so that a field of tomorrow isn't written down by chance. The input hasn't been checked. */
function targetOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input !== 'object' || input === null) return {};
  const { collection, sources, ids, documents, filter, all, prune } = input as Readonly<Record<string, unknown>>;
  return {
    ...(typeof collection === 'string' && { collection: nameOf(collection) }),
    ...(Array.isArray(sources) && { sources: namesOf(sources.map(uriOf)) }),
    ...(Array.isArray(ids) && { ids: namesOf(ids) }),
    ...(Array.isArray(documents) && { texts: documents.length }),
    ...(filter !== undefined && { filtered: true }),
    ...(all === true && { all }),
    ...(prune === true && { prune }),
  };
}

function uriOf(source: unknown): unknown {
  return typeof source === 'object' && source !== null && 'uri' in source ? source.uri : source;
}

function namesOf(names: readonly unknown[]): readonly string[] {
  const shown = names.slice(0, MOST_NAMES).map((name) => (typeof name === 'string' ? nameOf(name) : '?'));
  return names.length > MOST_NAMES ? [...shown, `and ${names.length - MOST_NAMES} more`] : shown;
}

/** An address may carry a password, and a name line ends that would forge an entry. */
function nameOf(name: string): string {
  return name
    .replace(/\/\/[^/@\s]*@/g, '//***@')
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, LONGEST_NAME);
}
