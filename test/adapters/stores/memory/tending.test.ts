import { describe, expect, it } from 'vitest';
import type { ResidentVectors } from '../../../../src/adapters/stores/memory/resident-vectors.js';
import type { Rows, SavedRows } from '../../../../src/adapters/stores/memory/rows.js';
import { type Manifest, packManifest } from '../../../../src/adapters/stores/memory/saved.js';
import { tendVectors } from '../../../../src/adapters/stores/memory/tending.js';

describe('building a graph that several processes lack', () => {
  it('is left to the one that has the lease, which keeps it for saving', async () => {
    const shared = sharedRows();
    const [one, other] = [vectors(), vectors()];
    expect(await tend(shared.rows, one, 'one')).toBe('tended');
    expect(shared.holder()).toBe('one');
    expect(await tend(shared.rows, other, 'other')).toBe('elsewhere');
    expect([one.tends, other.tends]).toEqual([1, 0]);
  });

  it('is not done again where another process has saved a larger one', async () => {
    const shared = sharedRows(['head', 'vectors-0', 'graph-0', 'graph-1', 'graph-upper']);
    const mine = vectors(['graph-0']);
    expect(await tend(shared.rows, mine, 'one')).toBe('saved');
    expect(mine.tends).toBe(0);
    expect(shared.holder()).toBe(undefined);
    const larger = vectors(['graph-0', 'graph-1']);
    expect(await tend(shared.rows, larger, 'one')).toBe('tended');
  });

  it('needs no lease where it is little work, and gives it back when it fails', async () => {
    const shared = sharedRows();
    await shared.rows.saved?.lease('another', 0, 1);
    expect(await tend(shared.rows, { ...vectors(), isFarBehind: false }, 'one')).toBe('tended');
    await shared.rows.saved?.release('another');
    const failing = { ...vectors(), tend: () => Promise.reject(new Error('no memory')) };
    await expect(tend(shared.rows, failing, 'one')).rejects.toThrow('no memory');
    expect(shared.holder()).toBe(undefined);
  });

  it('is done by each for itself where nothing can be written', async () => {
    const { rows } = sharedRows();
    const lease = () => Promise.reject(new Error('read-only'));
    const readOnly = { ...rows, saved: { ...rows.saved, lease, release: lease } as unknown as SavedRows }; // a stand-in with what is used
    expect(await tend(readOnly, vectors(), 'one')).toBe('tended');
  });
});

function tend(rows: Rows, own: ResidentVectors, holder: string) {
  return tendVectors({ rows, vectors: own, holder, now: () => 0, build: undefined, pace: () => undefined });
}

function vectors(keys: readonly string[] = []): ResidentVectors & { tends: number } {
  return {
    tends: 0,
    name: 'flat',
    size: 0,
    isStale: true,
    isFarBehind: true,
    remove() {},
    async query() {
      return [];
    },
    async addBlock() {},
    async settle() {},
    async tend() {
      this.tends++;
    },
    save: () => keys.map((key) => ({ key, revision: '1', bytes: () => new Uint8Array(0) })),
  };
}

/** Rows of which only the lease and the manifest are there. */
function sharedRows(savedKeys: readonly string[] = []) {
  let holder: string | undefined;
  const blob = { name: 'x', bytes: 0 };
  const manifest: Manifest = {
    epoch: 0,
    sequence: 0,
    directory: blob,
    vectors: savedKeys.map((key) => ({ key, revision: '1', blob })),
  };
  const rows = {
    snapshot: () => ({ state: { sequence: 0 }, savedManifest: () => packManifest(manifest), release() {} }),
    saved: {
      async lease(name: string) {
        if (holder !== undefined && holder !== name) return false;
        holder = name;
        return true;
      },
      async release(name: string) {
        if (holder === name) holder = undefined;
      },
    },
  } as unknown as Rows; // a stand-in with what is used
  return { rows, holder: () => holder };
}
