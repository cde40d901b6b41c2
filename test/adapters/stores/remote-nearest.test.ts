import { expect, test } from 'vitest';
import { createRemoteCollection } from '../../../src/adapters/stores/remote/collection.js';
import type { Space } from '../../../src/core/contracts.js';
import { FINGERPRINT, makeDocument, makeVector } from '../../support/chunks.js';
import { createFakeServer } from './remote-server.js';

const space: Space = { collection: 'docs', uuid: '7f0c0a52-1f0f-4a59-9c5e-0f6f2f9a0001', fingerprint: FINGERPRINT, fields: [] };
const query = makeVector('asked');

/** A collection of `tied` documents with the query's own vector and 300 others, and how many rows each search asks the server for. */
async function openWithTies(tied: number) {
  const server = createFakeServer();
  await server.create(space);
  const tables = await server.tables(space);
  const asked: number[] = [];
  const collection = createRemoteCollection({
    space,
    compiler: server.compiler,
    tables: {
      ...tables,
      nearest: (request, options) => {
        asked.push(request.limit);
        return tables.nearest(request, options);
      },
    },
    keywords: { open: () => Promise.reject(new Error('no keyword index here')), eager: false },
  });
  const same = Array.from({ length: tied }, (_, row) => makeDocument(`same ${tied - row}`, [{ vector: query }]));
  const others = Array.from({ length: 300 }, (_, row) => makeDocument(`other ${row}`, [{ vector: makeVector(`${row}`) }]));
  await collection.commit({ put: [...same, ...others], drop: [] });
  return { collection, asked };
}

test('one trip answers a search whose last hit ties with nothing that follows', async () => {
  const { collection, asked } = await openWithTies(10);
  const { matches } = await collection.nearest({ vector: query, limit: 10 });
  expect(asked).toEqual([11]);
  expect(matches.map(({ id }) => id)).toEqual(matches.map(({ id }) => id).sort());
  expect(new Set(matches.map(({ score }) => score)).size).toBe(1);
});

test('a tie at the end of the hits is asked for until it is whole, and no further', async () => {
  const { collection, asked } = await openWithTies(40);
  const { matches } = await collection.nearest({ vector: query, limit: 10 });
  expect(asked).toEqual([11, 44]);
  const all = Array.from({ length: 40 }, (_, row) => `same ${row + 1}`).sort();
  expect(matches.map(({ chunk }) => chunk?.documentId)).toEqual(all.slice(0, 10));
});
