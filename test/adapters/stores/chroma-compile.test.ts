import { expect, test } from 'vitest';
import { chromaCompiler } from '../../../src/adapters/stores/chroma/compile.js';
import { parseFilter, splitFilter } from '../../../src/core/filter.js';
import type { FilterJson } from '../../../src/core/types.js';

/** Filter, what Chroma gets of it, and whether something is left to the core. */
const TABLE: readonly (readonly [FilterJson, unknown, 'all' | 'part' | 'nothing'])[] = [
  [{ year: 2001 }, { 's:year': { $in: [2001] } }, 'all'],
  [{ year: 1.5 }, { $and: [{ 's:year': { $eq: 1.5 } }, { 's:year': { $gt: 1 } }, { 's:year': { $lt: 2 } }] }, 'all'],
  [
    { year: { $ne: -1.5 } },
    { $or: [{ 's:year': { $ne: -1.5 } }, { 's:year': { $lte: -2 } }, { 's:year': { $gte: -1 } }] },
    'all',
  ],
  [{ year: { $gt: 1.5 } }, { $or: [{ 's:year': { $gt: 1.5 } }, { 's:year': { $gte: 2 } }] }, 'all'],
  [{ year: { $gte: 1.5 } }, { $and: [{ 's:year': { $gte: 1.5 } }, { 's:year': { $gt: 1 } }] }, 'all'],
  [{ year: { $lt: 1.5 } }, { $or: [{ 's:year': { $lt: 1.5 } }, { 's:year': { $lte: 1 } }] }, 'all'],
  [{ year: { $lte: 1.5 } }, { $and: [{ 's:year': { $lte: 1.5 } }, { 's:year': { $lt: 2 } }] }, 'all'],
  [{ year: { $gte: 2001, $lt: 2004 } }, { $and: [{ 's:year': { $gte: 2001 } }, { 's:year': { $lt: 2004 } }] }, 'all'],
  [{ $not: { year: { $gt: 5 } } }, { $or: [{ f: { $not_contains: '#year' } }, { 's:year': { $lte: 5 } }] }, 'all'],
  [{ lang: { $in: ['en'] } }, { 's:lang': { $in: ['en'] } }, 'all'],
  [{ lang: { $ne: 'en' } }, { 's:lang': { $nin: ['en'] } }, 'all'],
  [
    { x: { $in: ['1', 1, true, 2.5] } },
    {
      $or: [
        { 's:x': { $in: ['1'] } },
        { 's:x': { $in: [true] } },
        { 's:x': { $in: [1] } },
        { $and: [{ 's:x': { $eq: 2.5 } }, { 's:x': { $gt: 2 } }, { 's:x': { $lt: 3 } }] },
      ],
    },
    'all',
  ],
  [{ tags: { $contains: 'a' } }, { 'l:tags': { $contains: '"a"' } }, 'all'],
  [{ sizes: { $contains: 1 } }, { 'l:sizes': { $contains: '1' } }, 'all'],
  [{ tags: { $containsAny: ['a', 1] } }, { $or: [{ 'l:tags': { $contains: '"a"' } }, { 'l:tags': { $contains: '1' } }] }, 'all'],
  [
    { $not: { tags: { $containsAny: ['a', 'b'] } } },
    { $and: [{ 'l:tags': { $not_contains: '"a"' } }, { 'l:tags': { $not_contains: '"b"' } }] },
    'all',
  ],
  [{ year: { $exists: true } }, { $or: [{ f: { $contains: '#year' } }, { f: { $contains: '=year' } }] }, 'all'],
  [{ year: { $exists: false } }, { $and: [{ f: { $not_contains: '#year' } }, { f: { $not_contains: '=year' } }] }, 'all'],
  [{ $group: 'fine' }, { g: { $in: ['fine'] } }, 'all'],
  [{ $documentId: { $ne: 'a.md' } }, { d: { $nin: ['a.md'] } }, 'all'],
  [
    { $uri: 'a.md' },
    { $or: [{ u: { $in: ['a.md'] } }, { $and: [{ f: { $not_contains: '$uri' } }, { d: { $in: ['a.md'] } }] }] },
    'all',
  ],
  [
    { $uri: { $nin: ['a', 'b'] } },
    { $and: [{ u: { $nin: ['a', 'b'] } }, { $or: [{ f: { $contains: '$uri' } }, { d: { $nin: ['a', 'b'] } }] }] },
    'all',
  ],
  [
    { 'chroma:document': 'x', '#x': true },
    { $and: [{ 's:chroma:document': { $in: ['x'] } }, { 's:#x': { $in: [true] } }] },
    'all',
  ],
  [{ text: '"}, {"$or": [' }, { 's:text': { $in: ['"}, {"$or": ['] } }, 'all'],
  [{ name: { $startsWith: 'a' } }, undefined, 'nothing'],
  [{ name: { $gt: 'a' } }, undefined, 'nothing'],
  [{ $id: 'a' }, undefined, 'nothing'],
  [{ year: 2 ** 60 }, undefined, 'nothing'],
  [{ year: 1, name: { $startsWith: 'a' } }, { 's:year': { $in: [1] } }, 'part'],
  [{ $or: [{ year: 1 }, { name: { $startsWith: 'a' } }] }, undefined, 'nothing'],
];

test.each(TABLE)('%j', (json, native, pushes) => {
  const filter = parseFilter(json) ?? expect.fail('no filter');
  const { pushed, residual } = splitFilter(filter, chromaCompiler.canPush);
  expect(pushed && chromaCompiler.compile(pushed)).toEqual(native);
  expect([pushed !== undefined, residual !== undefined]).toEqual([pushes !== 'nothing', pushes !== 'all']);
});

test('what the server would refuse, or end from, does not fit', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ op: 'eq' as const, field: 'year', value: index }));
  expect(chromaCompiler.fits?.({ op: 'or', filters: many(50) })).toBe(true);
  expect(chromaCompiler.fits?.({ op: 'or', filters: many(500) })).toBe(false);
  expect(chromaCompiler.fits?.({ op: 'in', field: 'year', values: Array.from({ length: 2_000 }, (_, index) => index) })).toBe(
    true,
  );
  expect(chromaCompiler.fits?.({ op: 'in', field: 'year', values: Array.from({ length: 4_000 }, (_, index) => index) })).toBe(
    false,
  );
});
