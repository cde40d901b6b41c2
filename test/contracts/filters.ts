import type { Field, Filter, Metadata, Scalar } from '../../src/core/contracts.js';
import type { FilterJson } from '../../src/core/types.js';

/** Closes a quoted literal and goes on as an expression, where values are spliced instead of bound. */
const INJECTION = 'x" or y >= 0 or s == "';

/** Strings that servers were seen to escape, fold, order or match differently. */
const AWKWARD_STRINGS = [
  '',
  'en',
  'En',
  'ab',
  'abc',
  'a_b',
  'axb',
  'a%b',
  '%',
  '_',
  '10',
  '9',
  '2001',
  'true',
  'null',
  'single\' and double" quote',
  'back\\slash',
  'ends in \\',
  'line\nbreak',
  'tab\tstop',
  'ümlaut',
  'u\u0308mlaut',
  '\u4f60\u597d',
  '\uff21', // Above the emoji in UTF-16 units, below it in code points.
  '🙂',
  '{braces} $dollar $1',
  INJECTION,
] as const;

/** Field names that are the servers' own words, hold an operator of theirs, or need quoting. */
const AWKWARD_NAMES = [
  'score',
  'id',
  'distance',
  'a.b',
  'with space',
  `quote"'`,
  'back\\slash',
  'and',
  'exists',
  'constructor',
  'ключ',
] as const;

/** The fields of `sampleMetadata` that hold one type throughout, as a user would declare them. */
export const sampleFields: readonly Field[] = [
  { name: 'year', type: 'number' },
  { name: 'rating', type: 'number' },
  { name: 'text', type: 'string' },
  { name: 'draft', type: 'boolean' },
  { name: 'tags', type: 'string[]' },
  { name: 'sizes', type: 'number[]' },
  { name: 'flags', type: 'boolean[]' },
  { name: 'score', type: 'number' },
];

/**
 * Rows that tell stores apart: each field is missing somewhere, `rating` mixes whole numbers and fractions, `mixed` mixes types,
 * texts need escaping. Sixty rows, always the same.
 */
export function sampleMetadata(): readonly Metadata[] {
  const numbers = [0, -0, 1, 1.5, 2, -1, -1.5, 2.5, 0.1, -2, 1e15, 3];
  const mixed: readonly (Scalar | readonly Scalar[])[] = ['1', 1, true, 'true', '', 0, false, [1], ['1'], [true], [], '1.5', 1.5];
  return Array.from({ length: 60 }, (_, row) => {
    const name = at(AWKWARD_NAMES, row);
    return {
      ...unless(row % 4 === 3, 'year', 2000 + (row % 6)),
      ...unless(row % 5 === 4, 'rating', at(numbers, row)),
      ...unless(row % 7 === 6, 'text', at(AWKWARD_STRINGS, row)),
      ...unless(row % 3 === 2, 'draft', row % 2 === 0),
      ...unless(row % 6 === 5, 'tags', AWKWARD_STRINGS.slice(row % 9, (row % 9) + (row % 4))),
      ...unless(row % 8 === 1, 'sizes', numbers.slice(row % 10, (row % 10) + (row % 3))),
      ...unless(row % 4 === 0, 'flags', row % 8 === 2 ? [] : [row % 3 === 0]),
      ...unless(row % 2 === 1, 'mixed', at(mixed, row / 2)),
      ...unless(row % 9 === 0, name, name === 'score' ? row / 4 : at(AWKWARD_STRINGS, row * 5)),
      ...unless(row % 10 !== 0, 'score', row / 2),
    };
  });
}

/** Hand-picked filters: every operator, and the traps that real servers were seen to fall into. */
export function filterTable(): readonly { readonly name: string; readonly json: FilterJson }[] {
  return [
    { name: 'everything', json: {} },
    { name: 'an empty and', json: { $and: [] } },
    { name: 'an empty or', json: { $or: [] } },
    { name: 'not everything', json: { $not: {} } },
    { name: 'an empty or beside a field', json: { year: 2001, $or: [] } },
    { name: 'a plain value', json: { year: 2001 } },
    { name: 'two fields', json: { year: 2001, draft: true } },
    { name: 'two operators on a field', json: { year: { $gte: 2001, $lt: 2004 } } },
    { name: 'three conditions, none dropped', json: { year: { $gte: 2001 }, draft: false, text: { $ne: 'en' } } },
    { name: 'ne, which a missing field satisfies', json: { year: { $ne: 2001 } } },
    { name: 'nin, which a missing field satisfies', json: { year: { $nin: [2001, 2002] } } },
    { name: 'not eq, which a missing field satisfies', json: { $not: { year: 2001 } } },
    { name: 'not gt, which a missing field satisfies', json: { $not: { year: { $gt: 2002 } } } },
    { name: 'not lte, which a missing field satisfies', json: { $not: { rating: { $lte: 1 } } } },
    { name: 'not startsWith', json: { $not: { text: { $startsWith: 'a' } } } },
    { name: 'not contains', json: { $not: { tags: { $contains: 'en' } } } },
    { name: 'not containsAny', json: { $not: { tags: { $containsAny: ['en', 'ab'] } } } },
    { name: 'not and', json: { $not: { year: 2001, draft: true } } },
    { name: 'not or', json: { $not: { $or: [{ year: 2001 }, { draft: true }] } } },
    { name: 'not not', json: { $not: { $not: { year: { $gte: 2003 } } } } },
    { name: 'ne of another type', json: { year: { $ne: '2001' } } },
    { name: 'ne on a field that nobody has', json: { nowhere: { $ne: 1 } } },
    { name: 'eq on a field that nobody has', json: { nowhere: 1 } },
    { name: 'ne on lists', json: { tags: { $ne: 'en' } } },
    { name: 'eq never matches a list', json: { tags: 'en' } },
    { name: 'in never matches a list', json: { tags: { $in: ['en', 'ab'] } } },
    { name: 'contains never matches a scalar', json: { text: { $contains: 'en' } } },
    { name: 'exists', json: { year: { $exists: true } } },
    { name: 'exists not', json: { year: { $exists: false } } },
    { name: 'exists beside another condition', json: { year: { $exists: true }, draft: true } },
    { name: 'exists on lists, empty ones too', json: { tags: { $exists: true } } },
    { name: 'exists on a field that nobody has', json: { nowhere: { $exists: false } } },
    { name: 'exists on an inherited name', json: { toString: { $exists: true } } },
    { name: 'in', json: { year: { $in: [2001, 2003] } } },
    { name: 'in of none', json: { year: { $in: [] } } },
    { name: 'nin of none', json: { year: { $nin: [] } } },
    { name: 'in of none under not', json: { $not: { year: { $in: [] } } } },
    { name: 'in of one', json: { text: { $in: ['en'] } } },
    { name: 'in of several types', json: { mixed: { $in: ['1', 1, true] } } },
    { name: 'nin of several types', json: { mixed: { $nin: ['1', 1, true] } } },
    { name: 'in of whole numbers and fractions', json: { rating: { $in: [1, 2.5, -1.5] } } },
    { name: 'in of many', json: { year: { $in: Array.from({ length: 300 }, (_, index) => 2002 + index) } } },
    { name: 'nin of many types', json: { mixed: { $nin: [...AWKWARD_STRINGS, 1, -0, true] } } },
    { name: 'any of many', json: { sizes: { $containsAny: Array.from({ length: 40 }, (_, index) => index / 2 - 1) } } },
    { name: 'in with doubles', json: { year: { $in: [2001, 2001] } } },
    ...(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte'] as const).flatMap((operator) =>
      [0, -0, 1, 1.5, -1.5, -1, 0.5, 2.0, 1e15, -0.5].map((value) => ({
        name: `${operator} ${Object.is(value, -0) ? '-0' : value} on whole numbers and fractions`,
        json: { rating: { [operator]: value } },
      })),
    ),
    { name: 'a fraction against whole numbers', json: { year: { $gt: 2001.5 } } },
    { name: 'a large number', json: { year: { $lt: 1e21 } } },
    ...(['$gt', '$gte', '$lt', '$lte'] as const).flatMap((operator) =>
      ['', 'ab', '2', '\uff21', '🙂', 'z'].map((value) => ({
        name: `${operator} "${value}" on strings`,
        json: { text: { [operator]: value } },
      })),
    ),
    { name: 'a number range on strings', json: { text: { $gt: 0 } } },
    { name: 'a string range on numbers', json: { year: { $gt: '' } } },
    { name: 'a range on lists', json: { sizes: { $gte: 0 } } },
    ...([1, '1', true, 'true', 0, false, '', 1.5, '1.5'] as const).flatMap((value) => [
      { name: `strict type of eq ${JSON.stringify(value)}`, json: { mixed: value } },
      { name: `strict type of ne ${JSON.stringify(value)}`, json: { mixed: { $ne: value } } },
      { name: `strict type of contains ${JSON.stringify(value)}`, json: { mixed: { $contains: value } } },
    ]),
    { name: 'a range over mixed types', json: { mixed: { $gte: 1 } } },
    { name: 'a prefix over mixed types', json: { mixed: { $startsWith: '1' } } },
    { name: 'true', json: { draft: true } },
    { name: 'false', json: { draft: false } },
    { name: 'not true', json: { draft: { $ne: true } } },
    { name: '1 is not true', json: { draft: 1 } },
    { name: 'in of booleans', json: { draft: { $in: [true, false] } } },
    ...AWKWARD_STRINGS.flatMap((text) => [
      { name: `the text ${JSON.stringify(text)}`, json: { text } },
      { name: `not the text ${JSON.stringify(text)}`, json: { text: { $ne: text } } },
      { name: `one of two texts, ${JSON.stringify(text)}`, json: { text: { $in: [text, 'en'] } } },
      { name: `a list with ${JSON.stringify(text)}`, json: { tags: { $contains: text } } },
      { name: `the prefix ${JSON.stringify(text)}`, json: { text: { $startsWith: text } } },
    ]),
    { name: 'a prefix with a wildcard of others', json: { text: { $startsWith: 'a_' } } },
    { name: 'a prefix is case-sensitive', json: { text: { $startsWith: 'E' } } },
    { name: 'half a list of numbers', json: { sizes: { $contains: 1.5 } } },
    { name: 'a list of numbers has no string', json: { sizes: { $contains: '1' } } },
    { name: 'a list with 0', json: { sizes: { $contains: 0 } } },
    { name: 'a list of booleans', json: { flags: { $contains: false } } },
    { name: 'any of', json: { tags: { $containsAny: ['a_b', INJECTION, 'ab'] } } },
    { name: 'any of several types', json: { mixed: { $containsAny: [1, '1', true] } } },
    { name: 'any of none', json: { tags: { $containsAny: [] } } },
    { name: 'any of none under not', json: { $not: { tags: { $containsAny: [] } } } },
    { name: 'any of one', json: { sizes: { $containsAny: [2] } } },
    ...AWKWARD_NAMES.flatMap((name) => [
      { name: `a field called ${name}`, json: { [name]: { $exists: true } } },
      { name: `a value of a field called ${name}`, json: { [name]: { $gte: '' } } },
      { name: `another value of a field called ${name}`, json: { [name]: { $ne: 'en' } } },
    ]),
    { name: 'a number in a field called score', json: { score: { $gte: 5 } } },
    { name: 'or', json: { $or: [{ year: 2001 }, { draft: true }, { text: 'en' }] } },
    {
      name: 'or in and in or',
      json: { $or: [{ $and: [{ year: { $gte: 2002 } }, { $or: [{ draft: true }, { rating: 1 }] }] }, { text: '🙂' }] },
    },
    { name: 'or of one', json: { $or: [{ year: 2001 }] } },
    { name: 'and of one', json: { $and: [{ year: 2001 }] } },
    { name: 'or with everything in it', json: { $or: [{}, { year: 2001 }] } },
    { name: 'the same field twice', json: { $and: [{ year: { $ne: 2001 } }, { year: { $ne: 2002 } }] } },
    { name: 'a contradiction', json: { $and: [{ year: 2001 }, { year: 2002 }] } },
    { name: 'the group', json: { $group: 'default' } },
    { name: 'another group', json: { $group: { $ne: 'default' } } },
    { name: 'a uri by prefix', json: { $uri: { $startsWith: 'a' } } },
    { name: 'uris from here on', json: { $uri: { $gte: 'b' } } },
    { name: 'an id that nothing has', json: { $id: 'nothing' } },
    { name: 'a document that nothing has', json: { $documentId: { $nin: ['nothing'] } } },
  ];
}

/** `count` random filters over the fields of `sampleMetadata`, at most 4 deep; the same seed gives the same filters. */
export function randomFilters(seed: number, count: number): readonly Filter[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => randomFilter(random, 4));
}

type Random = () => number;

const SCALAR_OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'exists', 'startsWith'] as const;
const LIST_OPERATORS = ['contains', 'containsAny', 'contains', 'containsAny', 'exists'] as const;
const LIST_FIELDS: ReadonlySet<string> = new Set(['tags', 'sizes', 'flags']);
const FIELDS = [
  'year',
  'rating',
  'text',
  'draft',
  'tags',
  'sizes',
  'flags',
  'mixed',
  'nowhere',
  '$group',
  '$uri',
  ...AWKWARD_NAMES,
];
const VALUES: ReadonlyMap<string, readonly Scalar[]> = new Map<string, readonly Scalar[]>([
  ['year', [1999, 2000, 2001, 2002.5, 2003, 2005, '2001']],
  ['rating', [0, -0, 1, 1.5, -1, -1.5, 2.5, 0.1, 1.25, 1e15, 3]],
  ['score', [0, 5, 7.5, 10, 30]],
  ['draft', [true, false, 1, 'true']],
  ['sizes', [0, 1, 1.5, -1, 2.5, '1']],
  ['flags', [true, false, 0]],
  ['mixed', ['1', 1, true, 'true', '', 0, false, 1.5, '1.5']],
  ['$group', ['default', 'other']],
]);

function randomFilter(random: Random, depth: number): Filter {
  const kind = depth > 1 ? random() : 1;
  if (kind < 0.2) return { op: 'and', filters: randomFilterList(random, depth - 1) };
  if (kind < 0.4) return { op: 'or', filters: randomFilterList(random, depth - 1) };
  if (kind < 0.55) return { op: 'not', filter: randomFilter(random, depth - 1) };
  return randomLeaf(random);
}

function randomFilterList(random: Random, depth: number): readonly Filter[] {
  return Array.from({ length: randomCount(random) }, () => randomFilter(random, depth));
}

function randomLeaf(random: Random): Filter {
  const field = pick(random, FIELDS);
  const op = randomOperator(random, field);
  const values = VALUES.get(field) ?? AWKWARD_STRINGS;
  const value = pick(random, values);
  switch (op) {
    case 'eq':
    case 'ne':
    case 'contains':
      return { op, field, value };
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return { op, field, value: typeof value === 'boolean' ? Number(value) : value };
    case 'in':
    case 'nin':
    case 'containsAny':
      return { op, field, values: Array.from({ length: randomCount(random) }, () => pick(random, values)) };
    case 'exists':
      return { op, field, value: random() < 0.5 };
    case 'startsWith': {
      // Half a surrogate pair is no string that a filter may hold, so the cut is made between code points.
      const characters = [...String(value)];
      return { op, field, value: characters.slice(0, Math.floor(random() * 3)).join('') };
    }
  }
}

/** Mostly one that fits, so that filters select something; a virtual field takes no other. */
function randomOperator(random: Random, field: string): (typeof SCALAR_OPERATORS | typeof LIST_OPERATORS)[number] {
  const stray = !field.startsWith('$') && random() < 0.15;
  return pick<(typeof SCALAR_OPERATORS | typeof LIST_OPERATORS)[number]>(
    random,
    LIST_FIELDS.has(field) === stray ? SCALAR_OPERATORS : LIST_OPERATORS,
  );
}

/** 0 now and then, else 1 to 3. */
function randomCount(random: Random): number {
  return random() < 0.08 ? 0 : 1 + Math.floor(random() * 3);
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return at(items, Math.floor(random() * items.length));
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[Math.floor(index) % items.length];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
}

function unless(missing: boolean, name: string, value: Scalar | readonly Scalar[]): Metadata {
  return missing ? {} : { [name]: value };
}

/** Mulberry32: 32 bits of state, enough for choosing, the same on every platform. */
function randomNumbers(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
