import type { Pace } from '../../../core/turns.js';
import type { ResidentVectors } from './resident-vectors.js';
import type { Rows } from './rows.js';
import { readManifest } from './saved.js';
import { LEASE_MS } from './saver.js';
import type { BuildGraph } from './vectors/build-task.js';

export interface TendRequest {
  readonly rows: Rows;
  readonly vectors: ResidentVectors;
  /** Names the holder of the lease. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly build: BuildGraph | undefined;
  readonly pace: Pace;
}

/** `tended`: it is as good as it can be · `elsewhere`: another process is at it, or saves · `saved`: another has saved a better one. */
export type Tended = 'tended' | 'elsewhere' | 'saved';

/**
 * Brings the vectors' graph up to its rows. Where that is much work only one process does it, under the lease of saving, and when it is `tended`
 * keeps the lease: it is to be saved at once, which ends it.
 */
export async function tendVectors({ rows, vectors, holder, now, build, pace }: TendRequest): Promise<Tended> {
  const { saved } = rows;
  if (saved === undefined || !vectors.isFarBehind) {
    await vectors.tend(pace, build);
    return 'tended';
  }
  // Where nothing can be written, as in a read-only folder, each builds for itself.
  const renew = () => saved.lease(holder, now(), now() + LEASE_MS).catch(() => true);
  if (!(await renew())) return 'elsewhere';
  let tended: Tended = 'saved';
  const renewing = setInterval(renew, LEASE_MS / 3).unref();
  try {
    if (!isBetterSaved(rows, vectors)) {
      await vectors.tend(pace, build);
      tended = 'tended';
    }
  } finally {
    clearInterval(renewing);
    if (tended === 'saved') await saved.release(holder).catch(() => {}); // it ends by itself
  }
  return tended;
}

/** Whether what is saved has more of a graph than this. */
function isBetterSaved(rows: Rows, vectors: ResidentVectors): boolean {
  const snapshot = rows.snapshot();
  try {
    return rangesIn(readManifest(snapshot)?.vectors) > rangesIn(vectors.save?.());
  } finally {
    snapshot.release();
  }
}

function rangesIn(blobs: readonly { readonly key: string }[] = []): number {
  return blobs.filter(({ key }) => /^graph-\d+$/.test(key)).length;
}
