import { describe, expectTypeOf, it } from 'vitest';
import type { Metadata } from '../../src/core/contracts.js';
import type { FilterOf } from '../../src/core/filter-types.js';
import type { FilterJson } from '../../src/core/types.js';

interface Book {
  readonly title: string;
  readonly year?: number | undefined;
  readonly draft: boolean;
  readonly tags: readonly string[];
  readonly sizes?: number[];
  readonly lang: 'en' | 'zh';
  readonly note?: string | null;
}

/** The compiler is the test: `npm run typecheck` fails when a line below an expected error compiles. */
const filters = (...all: readonly FilterOf<Book>[]) => all.length;

describe('FilterOf', () => {
  it('takes what fits each field', () => {
    filters(
      {},
      { title: 'a' },
      { title: { $startsWith: 'a', $gte: 'a', $in: ['a'], $exists: true } },
      { year: { $gte: 2020, $lt: 2023 } },
      { draft: true },
      { draft: { $ne: false, $in: [true, false] } },
      { tags: { $contains: 'a', $containsAny: ['a', 'b'], $exists: false } },
      { sizes: { $contains: 1 } },
      { lang: 'en' },
      { lang: { $in: ['en', 'zh'], $startsWith: 'e' } },
      { note: { $exists: false } },
      { $or: [{ year: 2020 }, { $and: [{ draft: true }] }, { $not: { lang: 'zh' } }] },
      { $id: 'a', $documentId: { $in: ['a'] }, $uri: { $startsWith: 'docs/' }, $group: { $ne: 'fine' } },
    );
  });

  it('refuses to compile what does not fit', () => {
    // @ts-expect-error a misspelt field
    filters({ yaer: 2020 });
    // @ts-expect-error a misspelt field inside $or
    filters({ $or: [{ langs: 'en' }] });
    // @ts-expect-error a misspelt field inside $not
    filters({ $not: { yaer: 2020 } });
    // @ts-expect-error a misspelt operator
    filters({ year: { $gtr: 2020 } });
    // @ts-expect-error a range on a boolean
    filters({ draft: { $gte: true } });
    // @ts-expect-error a prefix of a number
    filters({ year: { $startsWith: '20' } });
    // @ts-expect-error a string for a number
    filters({ year: '2020' });
    // @ts-expect-error a string bound for a number
    filters({ year: { $gte: '2020' } });
    // @ts-expect-error equality with a list
    filters({ tags: ['a'] });
    // @ts-expect-error equality of a list field
    filters({ tags: 'a' });
    // @ts-expect-error a range on a list
    filters({ sizes: { $gte: 1 } });
    // @ts-expect-error a member of another type
    filters({ sizes: { $contains: '1' } });
    // @ts-expect-error membership in a string
    filters({ title: { $contains: 'a' } });
    // @ts-expect-error a value outside the union
    filters({ lang: 'fr' });
    // @ts-expect-error a value outside the union in a list
    filters({ lang: { $in: ['en', 'fr'] } });
    // @ts-expect-error null, which no filter takes
    filters({ note: null });
    // @ts-expect-error $and without a list
    filters({ $and: { year: 2020 } });
    // @ts-expect-error a number as uri
    filters({ $uri: 1 });
    // @ts-expect-error a virtual field that there isn't
    filters({ $url: 'a' });
  });

  it('is untyped for metadata of any shape', () => {
    expectTypeOf<FilterOf<Metadata>>().toEqualTypeOf<FilterJson>();
    expectTypeOf<{ anything: { $gte: 1 } }>().toExtend<FilterOf<Metadata>>();
  });

  it('can be passed wherever the untyped form is taken', () => {
    expectTypeOf<FilterOf<Book>>().toExtend<FilterJson>();
  });

  it('offers the virtual fields even where no field is declared', () => {
    expectTypeOf<{ $uri: 'a' }>().toExtend<FilterOf<Record<never, never>>>();
  });
});
