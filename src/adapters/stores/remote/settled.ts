import type { CallOptions } from '../../../core/contracts.js';
import { abortable } from '../../../core/flow.js';
import type { RemoteTables } from './contract.js';
import type { Mirror } from './mirror.js';

/** How often a read starts over while what it reads is being replaced. The last one's stale rows are still left out. */
const MOST_ROUNDS = 5;

export interface SettledParts {
  readonly tables: RemoteTables;
  readonly mirror: Mirror;
}

export interface SettledRead<Found, Picked> {
  /** Reads from the server. */
  readonly read: () => Promise<Found>;
  /** The documents whose state the answer hangs on. */
  readonly documentsOf: (found: Found) => Iterable<string>;
  /** False when something was found that the mirror doesn't count as live. */
  readonly isLive: (found: Found) => boolean;
  /** Takes what counts, in the very moment in which that is certain: by the next one the mirror may know more. */
  readonly pick: (found: Found) => Picked;
}

/**
 * Reads chunks so that every document is seen in one state, though the server knows no transactions. The look whether
 * something changed goes beside the read, not before it, so it costs no time.
 *
 * New chunks are written before their manifest row is flipped, and old ones removed after it. So whenever the chunks are read, the
 * old ones or the new ones are all there, and it is enough to know which count: where the mirror is behind, or a chunk is not one
 * that it counts, the mirror is refreshed *after* the read. Of a document that did not change between, the live chunks were all
 * there. If one did that was found, the read starts over.
 */
export async function readSettled<Found, Picked>(
  { mirror }: SettledParts,
  { read, documentsOf, isLive, pick }: SettledRead<Found, Picked>,
  { signal }: CallOptions,
): Promise<Picked> {
  signal?.throwIfAborted();
  if (!mirror.loaded) await abortable(mirror.refresh(), signal);
  for (let round = 1; ; round++) {
    const before = mirror.generation;
    const [found, isCovered] = await Promise.all([read(), mirror.look({ signal })]);
    if (!isCovered || !isLive(found)) await abortable(mirror.refresh(), signal);
    if (round === MOST_ROUNDS || !changedSince(mirror, before, documentsOf(found))) return pick(found);
  }
}

function changedSince(mirror: Mirror, generation: number, documentIds: Iterable<string>): boolean {
  if (mirror.generation === generation) return false;
  for (const id of documentIds) if ((mirror.get(id)?.generation ?? 0) > generation) return true;
  return false;
}
