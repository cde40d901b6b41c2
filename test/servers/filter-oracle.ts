import { expect, test } from 'vitest';
import type { Collection, Filter } from '../../src/core/contracts.js';
import { filterToJson, matches, parseFilter } from '../../src/core/filter.js';
import { filterTable, randomFilters, sampleMetadata } from '../contracts/filters.js';
import { changeOf, directionOf } from './corpus.js';

const SEED = 20_240_607;
const RANDOM_TREES = 2_200;
/** Trees that are asked side by side. */
const WIDTH = 4;

/**
 * Compares what a store finds under a filter, residual applied as the core does, with `matches` over all rows: the filter table, then
 * random trees. `open` gives an empty collection of four dimensions.
 */
export function filterOracle(open: () => Promise<Collection>): void {
  const documents = sampleMetadata().map((metadata, index) => ({ id: `row ${index}`, texts: [`text ${index}`], metadata }));
  const change = changeOf(documents, 4);
  const rows = change.put.flatMap(({ entries }) => entries);
  let filled: Promise<Collection> | undefined;
  const collection = () => {
    filled ??= open().then(async (made) => {
      await made.commit(change);
      return made;
    });
    return filled;
  };

  async function check(filter: Filter, asked: Collection): Promise<void> {
    const plan = asked.plan(filter);
    const found = await asked.nearest({ vector: directionOf('any', 4), limit: rows.length, plan });
    const allowed = found.matches.filter(({ chunk }) => chunk && (plan.residual === undefined || matches(plan.residual, chunk)));
    const expected = rows.filter((row) => matches(filter, row)).map(({ id }) => id);
    expect(allowed.map(({ id }) => id).sort(), JSON.stringify({ filter: filterToJson(filter), native: plan.native })).toEqual(
      expected.sort(),
    );
    for (const { id, chunk } of found.matches) {
      const { vector: _, ...written } = rows.find((row) => row.id === id) ?? expect.fail(`unknown chunk ${id}`);
      expect(chunk).toEqual(written);
    }
  }

  test('every filter of the table finds what it means', async () => {
    const asked = await collection();
    for (const { json } of filterTable()) {
      const filter = parseFilter(json);
      if (filter !== undefined) await check(filter, asked);
    }
  });

  test(`${RANDOM_TREES} random filters find what they mean`, async () => {
    const asked = await collection();
    const filters = randomFilters(SEED, RANDOM_TREES);
    for (let start = 0; start < filters.length; start += WIDTH) {
      await Promise.all(filters.slice(start, start + WIDTH).map((filter) => check(filter, asked)));
    }
  }, 600_000);
}
