import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { fieldsFromSchema, isZodSchema } from '../../src/sdk/metadata-schema.js';

const typesOf = (shape: z.ZodRawShape) =>
  Object.fromEntries(fieldsFromSchema(z.object(shape)).map(({ name, type }) => [name, type]));
/** What TypeScript makes of `enum Level { Low, High }`. */
const Level = { 0: 'Low', 1: 'High', Low: 0, High: 1 } as const;

describe('fieldsFromSchema', () => {
  it('reads scalars and arrays, in order', () => {
    expect(
      fieldsFromSchema(z.object({ year: z.number(), lang: z.string(), done: z.boolean(), tags: z.array(z.string()) })),
    ).toEqual([
      { name: 'year', type: 'number' },
      { name: 'lang', type: 'string' },
      { name: 'done', type: 'boolean' },
      { name: 'tags', type: 'string[]' },
    ]);
  });

  it('looks through what may be missing, and through formats', () => {
    expect(fieldsFromSchema(z.object({ year: z.int() }).partial())).toEqual([{ name: 'year', type: 'number' }]);
    expect(
      typesOf({
        a: z.string().nullable().optional(),
        b: z.number().default(1),
        c: z.array(z.boolean().nullable()).readonly().optional(),
        d: z.email(),
        e: z.iso.date().nullish(),
        f: z.coerce.number().catch(0),
      }),
    ).toEqual({ a: 'string', b: 'number', c: 'boolean[]', d: 'string', e: 'string', f: 'number' });
  });

  it('takes enums, literals and unions of one kind of value', () => {
    expect(
      typesOf({
        a: z.enum(['x', 'y']),
        b: z.enum(Level),
        c: z.literal([1, 2]),
        d: z.union([z.literal('x'), z.email(), z.null()]),
        e: z.array(z.enum(['x'])),
      }),
    ).toEqual({ a: 'string', b: 'number', c: 'number', d: 'string', e: 'string[]' });
  });

  it.each([
    [z.object({ when: z.date() }), 'metadata.when: z.date is not a kind of metadata; keep a date as ISO text'],
    [z.object({ who: z.object({ name: z.string() }) }), 'metadata.who: z.object is not a kind of metadata; flatten'],
    [z.object({ rows: z.array(z.array(z.number())) }), 'metadata.rows[]: z.array is not a kind of metadata'],
    [z.object({ any: z.any() }), 'metadata.any: z.any'],
    [
      z.object({ n: z.string().transform(Number) }),
      'metadata.n: z.pipe is not a kind of metadata; declare the type that is stored',
    ],
    [
      z.object({ mix: z.union([z.string(), z.number()]) }),
      'metadata.mix: a field holds one of string, number and boolean; found string and number',
    ],
    [z.object({ big: z.literal(1n) }), 'metadata.big: a field holds one of string, number and boolean; found bigint'],
    [z.object({ $uri: z.string() }), 'metadata.$uri: field names that start with "$" are reserved'],
    [z.string(), 'metadata: must be a z.object, not a z.string'],
    [{ _def: { typeName: 'ZodObject' } }, 'metadata: is a schema of zod 3'],
  ])('refuses what metadata can’t hold (%#)', (schema, words) => {
    expect(isZodSchema(schema)).toBe(true);
    expect(() => fieldsFromSchema(schema)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    );
  });
});
