import type { CallOptions, Change, Chunk, Collection, KeywordQuery, Matches } from '../../../core/contracts.js';
import { andFilters } from '../../../core/filter.js';
import { abortable } from '../../../core/flow.js';
import type { MirrorEntry } from './mirror.js';
import { stampToText } from './row-id.js';
import { pagesOf, readDocuments } from './scan.js';
import { readSettled, type SettledParts } from './settled.js';

/** Of the embedded collection that holds the keyword index: vectors have no use there, and cost the least with one dimension. */
export const SIDECAR_FINGERPRINT = { embedder: 'none', dimensions: 1, metric: 'cosine' } as const;
const NO_VECTOR = new Float32Array(1);
/** How often a search starts over while the collection changes under it; the last answer is of a moment that was. */
const MOST_ROUNDS = 5;

/**
 * The keyword index of a remote collection: an embedded collection on this machine, brought up to the mirror's state by whoever
 * searches it. So BM25 is the same on every store, and its answers need no server beyond the look whether something changed.
 */
export interface Sidecar {
  keywords(query: KeywordQuery, options: CallOptions): Promise<Matches>;
  /** Chunks from here, where it is up to date; undefined: ask the server. */
  get(ids: readonly string[], options: CallOptions): Promise<readonly (Chunk | undefined)[] | undefined>;
  /** Takes a change that was just committed, so that it need not be read back. Unless eager, nothing before somebody asks for keywords. */
  take(change: Change): Promise<void>;
  close(): Promise<void>;
}

export interface SidecarOptions {
  /** The embedded collection; called once, at first use. */
  readonly open: () => Promise<Collection>;
  /** Whether a commit already is a use: worth it where the index outlives the process. */
  readonly eager: boolean;
}

export function createSidecar(parts: SettledParts, { open, eager }: SidecarOptions): Sidecar {
  const { mirror } = parts;
  let opening: Promise<Collection> | undefined;
  /** What the index holds, by document, and at which of its versions that was so. */
  let held = new Map<string, string>();
  let heldVersion: string | undefined;
  /** The mirror's generation that the index was brought to. */
  let reached: number | undefined;
  let working: Promise<unknown> = Promise.resolve();

  const collection = () => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const alone = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const result = working.then(work, work);
    working = result.catch(() => {}); // told to the one who asked
    return result;
  };

  const isCurrent = async (index: Collection): Promise<boolean> =>
    reached === mirror.generation && heldVersion === (await index.version());

  const apply = async (index: Collection, change: Change): Promise<void> => {
    await index.commit(change, {});
    for (const { document } of change.put) held.set(document.id, document.origin);
    for (const id of change.drop) held.delete(id);
    // Others write to an index that outlives the process, maybe between this commit and this look: what it holds is read again.
    heldVersion = eager ? undefined : await index.version();
  };

  const catchUp = async (index: Collection, options: CallOptions): Promise<void> => {
    if (await isCurrent(index)) return;
    const version = await index.version();
    if (version !== heldVersion) {
      held = new Map();
      for await (const { id, origin } of index.documents({}, options)) held.set(id, origin);
      heldVersion = version;
    }
    const goal = mirror.generation;
    const ids = await mirror.ids();
    const behind = ids.flatMap((id) => {
      const entry = mirror.get(id);
      return entry === undefined || held.get(id) === stampToText(entry.stamp) ? [] : [entry];
    });
    const gone = [...held.keys()].filter((id) => mirror.get(id) === undefined);
    if (gone.length > 0) await apply(index, { put: [], drop: gone });
    for (const page of pagesOf(behind)) {
      const { documents, chunks } = await readDocuments(
        parts,
        { documentIds: page.map(({ id }) => id), vectors: false },
        options,
      );
      await apply(index, changeOf(documents, chunks));
    }
    // What the mirror learnt meanwhile is for the next look.
    reached = goal;
  };

  return {
    async keywords({ plan, ...query }, options) {
      const index = await abortable(collection(), options.signal);
      if (!mirror.loaded) await abortable(mirror.refresh(), options.signal);
      // The embedded engine evaluates all of the filter; what the core then evaluates again is true already.
      const filter = plan === undefined ? undefined : andFilters(plan.pushed, plan.residual);
      const request = { ...query, plan: filter === undefined ? undefined : index.plan(filter) };
      for (let round = 1; ; round++) {
        if (!(await isCurrent(index))) await alone(() => catchUp(index, options));
        const found = await readSettled(
          parts,
          { read: () => index.keywords(request, options), documentsOf: () => [], isLive: () => true, pick: (matches) => matches },
          options,
        );
        if (round === MOST_ROUNDS || (await isCurrent(index))) return found;
      }
    },
    async get(ids, options) {
      const index = await opening;
      if (index === undefined || !(await isCurrent(index))) return undefined;
      const [chunks, isCovered] = await Promise.all([index.get(ids, options), mirror.look(options)]);
      return isCovered && (await isCurrent(index)) ? chunks : undefined;
    },
    async take(change) {
      const index = await (eager ? collection() : opening);
      if (index === undefined) return;
      await alone(async () => {
        const before = reached;
        await apply(index, {
          put: change.put.flatMap(({ document, entries }) => {
            const entry = mirror.get(document.id);
            return entry === undefined ? [] : changeOf([entry], entries).put;
          }),
          drop: change.drop,
        });
        if (before !== undefined) reached = mirror.generation;
      });
    },
    async close() {
      await working;
      const index = await opening?.catch(() => undefined);
      await index?.close();
    },
  };
}

/** The index keeps stamps where its documents have their origin, and none of their metadata: only its chunks are ever looked at. */
function changeOf(page: readonly MirrorEntry[], chunks: readonly Chunk[]): Change {
  const byDocument = new Map<string, Chunk[]>(page.map(({ id }) => [id, []]));
  for (const chunk of chunks) byDocument.get(chunk.documentId)?.push(chunk);
  return {
    put: page.map(({ id, hash, stamp, chunks: count }) => ({
      document: {
        id,
        uri: id,
        hash,
        metadata: {},
        loader: '',
        origin: stampToText(stamp),
        length: 0,
        chunks: count,
        updatedAt: '1970-01-01T00:00:00.000Z',
      },
      entries: (byDocument.get(id) ?? []).map((chunk) => ({ ...chunk, vector: NO_VECTOR })),
    })),
    drop: [],
  };
}
