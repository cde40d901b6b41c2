import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { Metadata } from '../../src/core/contracts.js';
import { openRag } from '../../src/sdk/index.js';
import { createServer } from '../../src/server/index.js';

const schema = z
  .object({ year: z.number(), lang: z.enum(['en', 'de']), tags: z.array(z.string()), draft: z.boolean() })
  .partial();

/** Checked by `tsc`; nothing of it runs. */
async function misuse() {
  const rag = await openRag({ metadata: schema });
  // @ts-expect-error a misspelt field
  await rag.search('x', { filter: { yaer: 2020 } });
  // @ts-expect-error a range on a boolean
  await rag.search('x', { filter: { draft: { $gte: true } } });
  // @ts-expect-error equality on a list
  await rag.search('x', { filter: { tags: 'a' } });
  // @ts-expect-error a value that the enum lacks
  await rag.search('x', { filter: { lang: 'fr' } });
  // @ts-expect-error inside $or too
  await rag.generate('x', { filter: { $or: [{ year: '2020' }] } });
  // @ts-expect-error metadata of the wrong type
  await rag.ingest([{ text: 'x', metadata: { year: '2020' } }]);
  // @ts-expect-error a filter of documents
  await rag.documents.list({ filter: { yaer: 1 } });
  const json = await openRag({ metadata: { year: 'number', tags: 'string[]' } });
  // @ts-expect-error the JSON form types as well
  await json.search('x', { filter: { year: { $contains: 1 } } });
  // @ts-expect-error a type that there is not
  await openRag({ metadata: { year: 'int' } });
  createServer(rag); // a typed engine can be served, too
  createServer(async () => rag);
  // @ts-expect-error an unknown option
  await openRag({ colection: 'x' });
}

describe('a declared schema', () => {
  it('types filters and hits', async () => {
    expect(misuse).toBeTypeOf('function');
    const rag = await openRag({ metadata: schema });
    await rag.ingest([{ id: 'a', text: 'one whale', metadata: { year: 2020, lang: 'en', tags: ['sea'], draft: false } }]);
    const { hits } = await rag.search('whale', {
      filter: { year: { $gte: 2019 }, tags: { $contains: 'sea' }, draft: false, lang: 'en' },
    });
    expectTypeOf(hits[0]?.metadata.year).toEqualTypeOf<number | undefined>();
    expectTypeOf(hits[0]?.metadata.lang).toEqualTypeOf<'en' | 'de' | undefined>();
    expect(hits[0]?.metadata.tags).toEqual(['sea']);
    await rag.close();
  });

  it('is kept to at run time, where types cannot see', async () => {
    const rag = await openRag({ metadata: schema });
    await rag.ingest([{ id: 'a', text: 'one whale', metadata: { year: 2020 } }]);
    const filter = { year: 2020, yaer: 1 }; // one right key lets a variable through the compiler
    await expect(rag.search('whale', { filter })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('year'),
    });
    await rag.close();
  });

  it('is the JSON form all the same', async () => {
    const rag = await openRag({ metadata: { year: 'number', tags: 'string[]' } });
    await rag.ingest([{ id: 'a', text: 'one whale', metadata: { year: 2020, tags: ['sea'] } }]);
    const { hits } = await rag.search('whale', { filter: { year: 2020, tags: { $containsAny: ['sea'] } } });
    expectTypeOf(hits[0]?.metadata.year).toEqualTypeOf<number | undefined>();
    expect(hits).toHaveLength(1);
    await rag.close();
  });

  it('leaves everything open where there is none', async () => {
    const rag = await openRag();
    await rag.ingest([{ id: 'a', text: 'one whale', metadata: { anything: 'goes' } }]);
    const { hits } = await rag.search('whale', { filter: { anything: 'goes' } });
    expectTypeOf(hits[0]?.metadata).toEqualTypeOf<Metadata | undefined>();
    expect(hits).toHaveLength(1);
    await rag.close();
  });
});
