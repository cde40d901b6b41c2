import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../../src/adapters/stores/memory/index.js';
import type { Collection } from '../../../src/core/contracts.js';
import { toArray } from '../../../src/core/flow.js';
import { bundleChild, type ChildProgram, kill, nextMessage } from '../../support/child.js';
import { FINGERPRINT, makeVector } from '../../support/chunks.js';

const ROUNDS = 20;
const REQUEST = { collection: 'shared', fingerprint: FINGERPRINT, fields: [], create: true };

describe('a durable memory store that several processes share', { timeout: 120_000 }, () => {
  let program: ChildProgram;
  let path: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    program = await bundleChild('./writing-process.ts');
    path = await mkdtemp(join(tmpdir(), 'hotrag-processes-'));
  });
  afterAll(async () => {
    await Promise.all(children.map(kill));
    await program.remove();
    await rm(path, { recursive: true, force: true });
  });

  async function start(name: string, from = 0): Promise<ChildProcess> {
    const child = program.start(path, REQUEST.collection, name, String(from));
    children.push(child);
    await nextMessage(child);
    return child;
  }

  it('loses nothing that was acknowledged and shows nothing by halves when a writer is killed', async () => {
    let acknowledged = -1;
    for (let round = 0; round < ROUNDS; round++) {
      const child = await start('writer', acknowledged + 1);
      child.on('message', (n) => {
        acknowledged = Number(n);
      });
      child.send('go');
      // Until it is well under way; then a moment that differs from round to round.
      await nextMessage(child);
      await wait((round * 7919) % 60);
      await kill(child);
      const store = await openMemoryStore({ path });
      const collection = await store.open(REQUEST);
      const versions = await consistentVersions(collection);
      // What was written and not told of any more may be there; it is the next one at most.
      expect(versions.get('writer-a')).toBeGreaterThanOrEqual(acknowledged);
      expect(versions.get('writer-a')).toBeLessThanOrEqual(acknowledged + 1);
      expect(versions.get('writer-b')).toBe(versions.get('writer-a'));
      acknowledged = Math.max(acknowledged, versions.get('writer-a') ?? 0);
      await store.close();
    }
  });

  it('sees what another process has written at its next query, and keeps one version of what both write', async () => {
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    const [one, two] = [await start('one'), await start('two')];
    for (let n = 0; n < 10; n++) {
      const before = await collection.version();
      const told = [nextMessage(one), nextMessage(two)];
      one.send('next');
      two.send('next');
      await Promise.all(told);
      expect(await collection.version()).not.toBe(before);
      const found = await collection.keywords({ text: `v${n} two`, limit: 1000 });
      expect(found.matches.some((match) => match.id.startsWith('two-a'))).toBe(true);
      const versions = await consistentVersions(collection);
      expect([versions.get('one-a'), versions.get('two-b'), versions.get('shared')]).toEqual([n, n, n]);
    }
    await store.close();
  });

  it('sees it even within one turn of the event loop', async () => {
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    const child = await start('hasty', 500);
    child.send('go');
    await nextMessage(child);
    const before = await collection.version();
    let after = before;
    // Blocks on purpose: LMDB's client lets go of an old state between turns, and there is none here.
    for (let look = 0; look < 100 && after === before; look++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      after = await collection.version();
    }
    expect(after).not.toBe(before);
    await kill(child);
    await store.close();
  });

  it('lets a reader query while another writes without a pause, each time one whole state', async () => {
    const store = await openMemoryStore({ path });
    const collection = await store.open(REQUEST);
    const child = await start('busy', 100);
    child.send('go');
    const seen = new Set<string>();
    await nextMessage(child);
    while (seen.size < 10) {
      const { matches } = await collection.nearest({
        vector: makeVector('q'),
        limit: 1000,
        plan: collection.plan({ op: 'startsWith', field: '$documentId', value: 'busy-' }),
      });
      const hashes = new Set(matches.map((match) => match.id.replace(/^.*#(.*)\/.*\/.*$/, '$1')));
      expect(hashes.size).toBe(1);
      expect(matches).toHaveLength(2 * (3 + (Number([...hashes][0]) % 40)));
      seen.add([...hashes].join());
    }
    await kill(child);
    await store.close();
  });
});

/** The version that each document has, after checking that rows, chunks and indexes are of one and the same. */
async function consistentVersions(collection: Collection): Promise<ReadonlyMap<string, number>> {
  const rows = await toArray(collection.documents({}));
  const entries = await toArray(collection.scan({}));
  for (const row of rows) {
    const own = entries.filter((entry) => entry.documentId === row.id);
    expect(own).toHaveLength(row.chunks);
    expect(own.every((entry) => entry.hash === row.hash)).toBe(true);
  }
  const ids = entries.map((entry) => entry.id).sort();
  const near = await collection.nearest({ vector: makeVector('q'), limit: 100_000 });
  const worded = await collection.keywords({ text: 'version', limit: 100_000 });
  expect(near.matches.map((match) => match.id).sort()).toEqual(ids);
  expect(worded.matches.map((match) => match.id).sort()).toEqual(ids);
  expect((await collection.get(ids)).every((chunk) => chunk !== undefined)).toBe(true);
  return new Map(rows.map((row) => [row.id, Number(row.hash)]));
}
