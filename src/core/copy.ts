import { compareCollections, differingField } from './compare.js';
import type { Collection, Space } from './contracts.js';
import { cutBatches, describeTorn, isWhole, type Missing, readDocuments } from './copy-batches.js';
import { invalidInput, RagError } from './errors.js';
import { batches, batchesOf, toArray } from './flow.js';

/** Manifest rows that are looked up at once. */
const PAGE = 500;
/** How often a source that changes meanwhile is followed. */
const MOST_ROUNDS = 5;

/** Told after each page or document. `done` and `total` are documents; what is there already counts as done. */
export interface CopyProgress {
  readonly phase: 'listing' | 'copying' | 'comparing' | 'done';
  readonly done: number;
  readonly total: number;
  /** Written so far. */
  readonly chunks: number;
  /** The document that was just written. */
  readonly uri?: string | undefined;
}

/** What a copy came to; counts are of documents, unless said otherwise. */
export interface CopyReport {
  /** In the source, all of them now in the target too. */
  readonly documents: number;
  /** Chunks in the source. */
  readonly chunks: number;
  /** Written by this call. */
  readonly copied: number;
  /** In the target already, and the same. */
  readonly skipped: number;
  /** In the target only; left as they are. */
  readonly extra: number;
  /** Spread over the ids, and compared chunk by chunk, with text, place, metadata and vector. */
  readonly compared: number;
  /** The largest difference of a number in a compared vector; 0: equal to the last bit. */
  readonly vectorDifference: number;
  /** How often the source was gone through; more than once when it changed meanwhile. */
  readonly rounds: number;
  readonly tookMs: number;
}

export interface CopyRun {
  readonly from: Collection;
  readonly to: Collection;
  /** Documents to compare chunk by chunk. */
  readonly sample: number;
  /** Milliseconds from any fixed point. */
  readonly clock: () => number;
  readonly onProgress?: ((event: CopyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings all documents of a collection into another one with the same fingerprint, chunks and vectors as they are.
 *
 * What the target has already is skipped, so a copy that was aborted goes on where it ended. What only the target has stays. When
 * the source changes meanwhile, the difference is copied too. At the end the manifests are compared row by row, and a sample of
 * documents chunk by chunk. Memory: some 150 bytes a document that is to be copied, and one commit.
 * @throws RagError INPUT_INVALID (source and target are one) · FINGERPRINT_MISMATCH · UPSTREAM_FAILED (they differ after all; names
 *   the document) · STORE_LOCKED (the source never stood still)
 */
export async function copyDocuments(run: CopyRun): Promise<CopyReport> {
  const { from, to, clock, signal } = run;
  refuse(from.space, to.space);
  const startedAt = clock();
  const copied = new Set<string>();
  let last = '';
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    const before = await from.version({ signal });
    const plan = await planCopy(run);
    const torn = await copyMissing(run, plan, copied);
    const dropped = round === 1 ? 0 : await dropVanished(run, copied);
    // While somebody writes to a server, no two of its versions are equal: that nothing was left to do proves as much.
    const isQuiet = plan.missing.length === 0 && dropped === 0;
    if (!isQuiet && round < MOST_ROUNDS && (await from.version({ signal })) !== before) continue;
    const found = await compareCollections(from, to, {
      documents: plan.documents,
      sample: run.sample,
      signal,
      onPage: (done) => progress(run, { phase: 'comparing', done, total: plan.documents, chunks: 0 }),
    });
    const problem = torn ?? found.problem;
    if (problem === undefined) {
      const { documents, chunks, extra, compared, vectorDifference } = found;
      progress(run, { phase: 'done', done: documents, total: documents, chunks });
      const skipped = Math.max(0, documents - copied.size);
      const tookMs = clock() - startedAt;
      return { documents, chunks, copied: copied.size, skipped, extra, compared, vectorDifference, rounds: round, tookMs };
    }
    if ((await from.version({ signal })) === before) throw new RagError('UPSTREAM_FAILED', problem, { retryable: false });
    last = `; at last, ${problem}`;
  }
  throw new RagError(
    'STORE_LOCKED',
    `collection "${from.space.collection}" changed in each of ${MOST_ROUNDS} rounds of copying; copy again when nobody writes to it, and it goes on from here${last}`,
  );
}

interface Plan {
  readonly documents: number;
  readonly missing: readonly Missing[];
}

async function planCopy(run: CopyRun): Promise<Plan> {
  const { from, to, signal } = run;
  const missing: Missing[] = [];
  let documents = 0;
  for await (const page of batchesOf(from.documents({}, { signal }), PAGE)) {
    const ids = page.map(({ id }) => id);
    const there = new Map((await toArray(to.documents({ ids }, { signal }))).map((row) => [row.id, row]));
    for (const row of page) {
      const { id, chunks, length } = row;
      const other = there.get(id);
      if (other === undefined || differingField(row, other) !== undefined) missing.push({ id, chunks, length });
    }
    documents += page.length;
    progress(run, { phase: 'listing', done: documents - missing.length, total: documents, chunks: 0 });
  }
  return { documents, missing };
}

/** Adds to `copied` what it wrote. Resolves with what is wrong with a document that could not be read as a whole. */
async function copyMissing(run: CopyRun, { documents, missing }: Plan, copied: Set<string>): Promise<string | undefined> {
  const { from, to, signal } = run;
  let torn: string | undefined;
  let done = documents - missing.length;
  let chunks = 0;
  for (const batch of cutBatches(missing)) {
    signal?.throwIfAborted();
    const read = await readDocuments(
      from,
      batch.map(({ id }) => id),
      signal,
    );
    const put = read.filter(isWhole);
    const broken = read.find((document) => !isWhole(document));
    if (broken !== undefined) torn = describeTorn(broken, from.space);
    if (put.length > 0) await to.commit({ put, drop: [] }, { signal });
    for (const { document } of put) {
      copied.add(document.id);
      done++;
      chunks += document.chunks;
      progress(run, { phase: 'copying', done, total: documents, chunks, uri: document.uri });
    }
  }
  return torn;
}

/** Removes what this call brought and the source has lost since. */
async function dropVanished({ from, to, signal }: CopyRun, copied: Set<string>): Promise<number> {
  let dropped = 0;
  for (const ids of batches([...copied], PAGE)) {
    const there = new Set((await toArray(from.documents({ ids }, { signal }))).map(({ id }) => id));
    const drop = ids.filter((id) => !there.has(id));
    if (drop.length === 0) continue;
    await to.commit({ put: [], drop }, { signal });
    for (const id of drop) copied.delete(id);
    dropped += drop.length;
  }
  return dropped;
}

function refuse(from: Space, to: Space): void {
  if (from.uuid === to.uuid)
    throw invalidInput('to', `is collection "${from.collection}" itself; name another store or another collection`);
  const [source, target] = [from, to].map(
    ({ fingerprint: { embedder, dimensions, metric } }) => `"${embedder}" (${dimensions} dimensions, ${metric})`,
  );
  if (source === target) return;
  throw new RagError(
    'FINGERPRINT_MISMATCH',
    `collection "${to.collection}" was embedded with ${target}, "${from.collection}" with ${source}: their vectors can't be compared. Copy into another collection`,
  );
}

function progress({ onProgress }: CopyRun, event: CopyProgress): void {
  onProgress?.(event);
}
