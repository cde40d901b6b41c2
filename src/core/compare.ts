import type { Collection, DocumentRow, Entry } from './contracts.js';
import { batchesOf, toArray } from './flow.js';
import { isPlainObject } from './values.js';

/** Manifest rows that are looked up at once. */
const PAGE = 500;
/** What a server may have rounded off a number of a vector: float32 has 24 bits, and vectors have length 1. */
const TOLERANCE = 1e-6;

const DOCUMENT_FIELDS = ['uri', 'hash', 'metadata', 'loader', 'length', 'chunks'] as const;
const CHUNK_FIELDS = ['documentId', 'uri', 'hash', 'group', 'position', 'text', 'span', 'location', 'metadata'] as const;

export interface CompareOptions {
  /** About how many there are: what the sample is spread over. */
  readonly documents: number;
  /** Documents to compare chunk by chunk. */
  readonly sample: number;
  /** Told the number of documents looked at so far. */
  readonly onPage?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Comparison {
  /** In the source. */
  readonly documents: number;
  /** In the source. */
  readonly chunks: number;
  /** Documents of the target that the source doesn't have. */
  readonly extra: number;
  /** Documents whose chunks were compared. */
  readonly compared: number;
  /** The largest difference of a number in their vectors. */
  readonly vectorDifference: number;
  /** The first thing of the source that isn't so in the target. */
  readonly problem?: string | undefined;
}

/** Compares the manifests row by row, and the chunks of documents that are spread over the ids: the same ones every time. */
export async function compareCollections(from: Collection, to: Collection, options: CompareOptions): Promise<Comparison> {
  const { sample, signal } = options;
  const found = { documents: 0, chunks: 0, extra: 0, compared: 0, vectorDifference: 0 };
  const fail = (problem: string): Comparison => ({ ...found, problem });
  const picked: string[] = [];
  const shareOf = (place: number) => Math.floor((place * sample) / Math.max(1, options.documents));
  for await (const page of batchesOf(from.documents({}, { signal }), PAGE)) {
    const ids = page.map(({ id }) => id);
    const there = new Map((await toArray(to.documents({ ids }, { signal }))).map((row) => [row.id, row]));
    for (const row of page) {
      const other = there.get(row.id);
      if (other === undefined) return fail(`${nameOf(row.id)} is not in the target`);
      const field = differingField(row, other);
      if (field !== undefined) return fail(`${nameOf(row.id)} differs in the target: its ${field}`);
      if (picked.length < sample && shareOf(found.documents + 1) > shareOf(found.documents)) picked.push(row.id);
      found.documents++;
      found.chunks += row.chunks;
    }
    options.onPage?.(found.documents);
  }
  // Both give the chunks in the same order.
  const targets = to.scan({ documentIds: picked }, { signal })[Symbol.asyncIterator]();
  try {
    for await (const source of from.scan({ documentIds: picked }, { signal })) {
      const { value: target }: { readonly value?: Entry | undefined } = await targets.next();
      const difference = differenceOf(source, target);
      if (typeof difference === 'string')
        return fail(`${nameOf(source.documentId)} differs in the target: ${difference}${ADVICE}`);
      found.vectorDifference = Math.max(found.vectorDifference, difference);
    }
    const { value: besides }: { readonly value?: Entry | undefined } = await targets.next();
    if (besides !== undefined) {
      return fail(
        `${nameOf(besides.documentId)} differs in the target: it has chunk ${JSON.stringify(besides.id)} besides${ADVICE}`,
      );
    }
  } finally {
    await targets.return?.();
  }
  found.compared = picked.length;
  found.extra = (await countDocuments(to, signal)) - found.documents;
  return found;
}

/** The first field in which two manifest rows differ, but for where and when the document was ingested; undefined: in none. */
export function differingField(left: DocumentRow, right: DocumentRow): string | undefined {
  return DOCUMENT_FIELDS.find((field) => !isSame(left[field], right[field]));
}

const ADVICE = '; delete the document there and copy again';

function nameOf(id: string): string {
  return `document ${JSON.stringify(id)}`;
}

async function countDocuments(collection: Collection, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  for await (const _ of collection.documents({}, { signal })) count++;
  return count;
}

/** How far apart two vectors are in one number at most; or, in words, what can't be so. */
function differenceOf(source: Entry, target: Entry | undefined): number | string {
  if (target?.id !== source.id) return `chunk ${JSON.stringify(source.id)} is not there`;
  const { vector } = target;
  const field = CHUNK_FIELDS.find((name) => !isSame(source[name], target[name]));
  if (field !== undefined) return `the ${field} of chunk ${JSON.stringify(source.id)}`;
  const largest = source.vector.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (vector[index] ?? Number.NaN))),
    0,
  );
  const isNear = vector.length === source.vector.length && largest <= TOLERANCE;
  return isNear ? largest : `the vector of chunk ${JSON.stringify(source.id)}`;
}

/** Of values as metadata and locations hold them; keys in any order, and one that is undefined is not there. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (!isPlainObject(left) || !isPlainObject(right)) return false;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => isSame(left[key], right[key]));
}
