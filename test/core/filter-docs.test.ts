import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/core/errors.js';
import { fieldsFromJson } from '../../src/core/fields.js';
import { parseFilter } from '../../src/core/filter.js';

const page = await readFile(new URL('../../docs/filters.md', import.meta.url), 'utf8');
const fields = fieldsFromJson({ year: 'number', lang: 'string', draft: 'boolean', tags: 'string[]' });

/** First groups of a pattern, or all of the groups where there are several. */
function found(pattern: RegExp): readonly (readonly string[])[] {
  return [...page.matchAll(pattern)].map(([, ...groups]) => groups);
}

describe('docs/filters.md', () => {
  const examples = found(/^```json\n(.+?)\n```$/gms).flat();
  const errors = found(/^\| `(\{.+?\})` \| `(.+)` \|$/gm);

  it('has examples of both kinds', () => {
    expect(examples.length).toBeGreaterThanOrEqual(7);
    expect(errors.length).toBeGreaterThanOrEqual(10);
  });

  it.each(examples)('is right that this is a filter: %s', (example) => {
    expect(parseFilter(JSON.parse(example), { fields })).toBeDefined();
  });

  it.each(errors)('is right about what %s says', (example = '', message = '') => {
    const options = /declared|unknown field|which is a/.test(message) ? { fields } : {};
    let said = 'nothing';
    try {
      parseFilter(JSON.parse(example), options);
    } catch (error) {
      said = messageOf(error);
    }
    expect(said).toBe(message);
  });

  it('names every operator', () => {
    for (const operator of [
      '$eq',
      '$ne',
      '$gt',
      '$gte',
      '$lt',
      '$lte',
      '$in',
      '$nin',
      '$startsWith',
      '$contains',
      '$containsAny',
      '$exists',
      '$and',
      '$or',
      '$not',
    ]) {
      expect(page).toContain(`\`${operator}\``);
    }
  });
});
