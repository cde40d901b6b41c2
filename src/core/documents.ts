import type { Collection, DocumentRow, Entry, Field } from './contracts.js';
import { invalidInput, nearestName, RagError } from './errors.js';
import { toArray } from './flow.js';
import { checkFilter, checkInteger } from './requests.js';
import type { DocumentInfo, DocumentPage, DocumentText, FilterJson } from './types.js';

export interface ListRequest {
  readonly filter?: FilterJson | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A page of the manifest, by ascending id; the cursor is the last id of the page before. */
export async function listDocuments(
  collection: Collection,
  fields: readonly Field[],
  request: ListRequest,
): Promise<DocumentPage> {
  const limit = checkInteger('limit', request.limit ?? 100, 1, 1000);
  const { cursor: after, signal } = request;
  if (after !== undefined && typeof after !== 'string')
    throw invalidInput('cursor', 'the nextCursor of the page before is needed');
  const filter = checkFilter(request.filter, { fields });
  const documents: DocumentInfo[] = [];
  for await (const row of collection.documents({ after, filter }, { signal })) {
    if (documents.length === limit) return { documents, nextCursor: documents.at(-1)?.id };
    documents.push(infoOf(row));
  }
  return { documents };
}

export interface ReadRequest {
  readonly around?: string | undefined;
  readonly lines?: string | undefined;
  readonly maxChars?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A document's text, or the part asked for in whole lines, put together from its chunks. White space between chunks is
 * rebuilt from their lines and offsets.
 * @throws RagError NOT_FOUND · INPUT_INVALID
 */
export async function readDocument(collection: Collection, id: string, request: ReadRequest): Promise<DocumentText> {
  if (typeof id !== 'string' || id === '') throw invalidInput('id', 'the id of a document is needed');
  const { around, lines, maxChars, signal } = request;
  if (maxChars !== undefined) checkInteger('maxChars', maxChars, 1, 100_000_000);
  if (around !== undefined && lines !== undefined) throw invalidInput('lines', 'goes without `around`');
  const asked = lines === undefined ? undefined : parseLines(lines);

  const [row] = await toArray(collection.documents({ ids: [id] }, { signal }));
  if (row === undefined)
    throw new RagError('NOT_FOUND', `document ${JSON.stringify(id)} is not in collection '${collection.space.collection}'`);
  const entries = await toArray(collection.scan({ documentIds: [id] }, { signal }));
  const text = assemble(entries, row);
  const { uri, metadata } = row;
  const allLines = text.split('\n');

  if (around !== undefined) {
    const anchor = entries.find((entry) => entry.id === around);
    if (anchor === undefined)
      throw new RagError('NOT_FOUND', `hit ${JSON.stringify(around)} is not (any more) part of document ${JSON.stringify(id)}`);
    const [first, last] = anchor.location.lines ?? [1, allLines.length];
    return withRest(allLines, {
      id,
      uri,
      metadata,
      ...windowAround(allLines, [first, last], maxChars ?? Math.max(4000, anchor.text.length)),
    });
  }
  const [first, last] = asked ?? [1, allLines.length];
  if (first > allLines.length) throw invalidInput('lines', `the document has ${allLines.length} lines`);
  return withRest(allLines, { id, uri, metadata, ...windowFrom(allLines, first, Math.min(last, allLines.length), maxChars) });
}

/** Tells where the document goes on, so that nobody takes a part for the whole. */
function withRest(all: readonly string[], read: DocumentText): DocumentText {
  const [first, last] = read.lines;
  return {
    ...read,
    ...(last < all.length && { nextLine: last + 1 }),
    ...(first === last && read.text.length < (all[first - 1] ?? '').length && { cut: true as const }),
  };
}

/**
 * Removes documents by id or by filter; unknown ids count nothing.
 * @throws RagError INPUT_INVALID unless exactly one of `ids`, a filter that selects, and `all: true` is given
 */
export async function deleteDocuments(
  collection: Collection,
  fields: readonly Field[],
  selection: {
    readonly ids?: readonly string[] | undefined;
    readonly filter?: FilterJson | undefined;
    readonly all?: boolean | undefined;
  },
  signal: AbortSignal | undefined,
): Promise<{ readonly removed: number }> {
  const { ids, filter: json, all, ...others } = selection;
  // A misspelt key must not widen what is removed.
  for (const name of Object.keys(others)) {
    const near = nearestName(name, ['ids', 'filter', 'all']);
    throw invalidInput('delete', `unknown key '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  const given = [ids !== undefined, json !== undefined, all === true].filter(Boolean).length;
  if (given !== 1) throw invalidInput('delete', 'exactly one of `ids`, `filter` and `all: true` is needed');
  if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
    throw invalidInput('ids', 'a list of ids is needed');
  const filter = checkFilter(json, { fields });
  if (json !== undefined && filter === undefined)
    throw invalidInput('filter', '{} selects everything; say `all: true` to remove all documents');
  const rows = await toArray(collection.documents({ ids, filter }, { signal }));
  if (rows.length > 0) await collection.commit({ put: [], drop: rows.map(({ id }) => id) }, { signal });
  return { removed: rows.length };
}

function infoOf({ id, uri, hash, chunks, metadata, updatedAt }: DocumentRow): DocumentInfo {
  return { id, uri, hash, chunks, metadata, updatedAt };
}

/** Puts one group's chunks together again; groups whose chunks aren't the text's own (summaries) don't serve. */
function assemble(entries: readonly Entry[], { length }: DocumentRow): string {
  const group = entries.find((entry) => entry.text.length === entry.span[1] - entry.span[0])?.group;
  const parts: string[] = [];
  let offset = 0;
  let line = 1;
  for (const { group: own, span, text, location } of entries) {
    if (own !== group || span[1] <= offset) continue;
    const [firstLine, lastLine] = location.lines ?? [line, line];
    if (span[0] > offset) parts.push(gap(span[0] - offset, firstLine - line));
    parts.push(text.slice(Math.max(0, offset - span[0])));
    offset = span[1];
    line = lastLine;
  }
  if (length > offset) parts.push('\n'.repeat(Math.min(length - offset, 1)).padStart(length - offset, ' '));
  return parts.join('');
}

/** White space of a known length and number of line ends; trailing spaces are likelier than leading ones. */
function gap(length: number, lineEnds: number): string {
  return '\n'.repeat(Math.max(0, Math.min(length, lineEnds))).padStart(length, ' ');
}

function parseLines(lines: string): readonly [number, number] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(lines) ?? [];
  const from = Number(first);
  const to = Number(last ?? first);
  if (first === undefined || from < 1 || to < from)
    throw invalidInput('lines', `'a-b' with 1 ≤ a ≤ b is needed, not ${JSON.stringify(lines)}`);
  return [from, to];
}

/** Whole lines from `first` on while they fit; a first line that doesn't fit alone is cut. */
function windowFrom(all: readonly string[], first: number, last: number, maxChars: number | undefined) {
  if (maxChars === undefined) return { text: all.slice(first - 1, last).join('\n'), lines: [first, last] as const };
  let size = -1;
  let end = first - 1;
  while (end < last && size + 1 + (all[end]?.length ?? 0) <= maxChars) size += 1 + (all[end++]?.length ?? 0);
  if (end < first) return { text: headOf(all[first - 1] ?? '', maxChars), lines: [first, first] as const };
  return { text: all.slice(first - 1, end).join('\n'), lines: [first, end] as const };
}

/** Half of a surrogate pair at the end would be no text any more. */
function headOf(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** Whole lines around an anchor, grown on both sides while they fit. */
function windowAround(all: readonly string[], [anchorFirst, anchorLast]: readonly [number, number], maxChars: number) {
  let first = anchorFirst;
  let last = anchorFirst - 1;
  let size = -1;
  const take = (line: number) => {
    const cost = 1 + (all[line - 1]?.length ?? 0);
    if (line < 1 || line > all.length || size + cost > maxChars) return false;
    size += cost;
    return true;
  };
  while (last < anchorLast && take(last + 1)) last++;
  if (last < anchorFirst) return windowFrom(all, anchorFirst, anchorLast, maxChars);
  for (let grown = true; grown; ) {
    grown = false;
    if (take(first - 1)) {
      first--;
      grown = true;
    }
    if (take(last + 1)) {
      last++;
      grown = true;
    }
  }
  return { text: all.slice(first - 1, last).join('\n'), lines: [first, last] as const };
}
