import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../support/folder.js';
import { callOverHttp, serveBin } from '../support/serve-bin.js';

/** Rounds of life and sudden death of the built bin over one store; each is killed in the middle of reads and writes. */
const ROUNDS = 3;
const WRITERS = 8;

it('a server that is killed without warning starts clean, and has all that it acknowledged', { timeout: 120_000 }, async () => {
  const folder = makeFolder();
  const config = { store: { type: 'memory', path: join(folder, 'store') } };
  const acknowledged = new Set<string>();
  let port = 0;

  for (let round = 0; round < ROUNDS; round++) {
    const { url, child, stderr } = await serveBin({ folder, config, port });
    // The same port: nothing of the dead one holds it.
    port = Number(new URL(url).port);
    expect((await fetch(new URL('/readyz', url))).status).toBe(200);
    expect(await documentsOf(url)).toEqual(expect.arrayContaining([...acknowledged]));
    for (const id of acknowledged) expect((await callOverHttp(url, 'read-document', { id })).structured?.['text']).toContain(id);

    let enough = () => {};
    const written = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const before = acknowledged.size;
    let alive = true;
    const work = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let count = 0; alive; count++) {
        const id = `round-${round}-writer-${writer}-${count}`;
        const documents = [{ id, text: `Whale ${id}. `.repeat(200) }];
        const reply = await callOverHttp(
          url,
          writer % 2 === 0 ? 'ingest' : 'search',
          writer % 2 === 0 ? { documents } : { query: id },
        )
          // A connection that breaks is what a kill looks like from outside.
          .catch(() => undefined);
        if (reply !== undefined && writer % 2 === 0 && reply.code === undefined) acknowledged.add(id);
        if (acknowledged.size >= before + 10) enough();
      }
    });
    await written;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    alive = false;
    await Promise.all(work);
    expect(stderr()).not.toMatch(/corrupt|can't be opened/i);
  }

  const { url, child, exited } = await serveBin({ folder, config, port });
  expect(await documentsOf(url)).toEqual(expect.arrayContaining([...acknowledged]));
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

async function documentsOf(url: string): Promise<readonly string[]> {
  const { structured, code } = await callOverHttp(url, 'list-documents', { limit: 1000 });
  if (code === 'NOT_FOUND') return []; // before the first write there is no collection
  const documents = structured?.['documents'] as readonly { readonly id: string }[] | undefined;
  return documents?.map(({ id }) => id) ?? [];
}
