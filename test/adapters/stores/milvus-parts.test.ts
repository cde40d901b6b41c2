import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../src/adapters/stores/milvus/address.js';
import { fieldColumns, MAX_FIELD_COLUMNS } from '../../../src/adapters/stores/milvus/columns.js';
import { MilvusFailure, statusOf, translateMilvus } from '../../../src/adapters/stores/milvus/errors.js';
import { openMilvusStore } from '../../../src/adapters/stores/milvus/index.js';
import { fieldValues, packMetadata, unpackMetadata } from '../../../src/adapters/stores/milvus/metadata.js';
import { milvusOptions } from '../../../src/adapters/stores/milvus/options.js';
import { splitText } from '../../../src/adapters/stores/milvus/text.js';
import { checkIndex, searchParameters } from '../../../src/adapters/stores/milvus/vector-index.js';
import { isAtLeast, readVersion } from '../../../src/adapters/stores/milvus/version.js';
import { sampleMetadata } from '../../contracts/filters.js';

describe('the address of a Milvus', () => {
  it.each([
    ['http://localhost:19530', 'localhost:19530', false],
    ['http://localhost', 'localhost:19530', false],
    ['http://localhost:80', 'localhost:80', false],
    ['https://in01.example.com', 'in01.example.com:443', true],
    ['https://in01.example.com:19530/', 'in01.example.com:19530', true],
    ['localhost:19531', 'localhost:19531', false],
    ['10.0.0.1', '10.0.0.1:19530', false],
    ['http://[::1]:19530', '[::1]:19530', false],
  ])('%s', (uri, host, tls) => {
    expect(addressOf({ uri, tls: undefined })).toEqual({ host, tls });
  });

  it('takes `tls` over what the scheme says', () => {
    expect(addressOf({ uri: 'localhost:19530', tls: true }).tls).toBe(true);
  });

  it.each([
    './milvus.db',
    '/data/milvus.db',
    'milvus.db',
    'ftp://host',
    'http://',
    'http://user:secret@host',
    'http://host/db',
    'http://host?a=b',
  ])('refuses %s, and keeps passwords to itself', (uri) => {
    const open = () => openMilvusStore(milvusOptions.parse({ type: 'milvus', uri }));
    expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }));
  });
});

describe('metadata in a JSON column', () => {
  it('comes back as it was', () => {
    for (const metadata of sampleMetadata()) {
      expect(unpackMetadata(JSON.parse(JSON.stringify(packMetadata(metadata))))).toEqual(JSON.parse(JSON.stringify(metadata)));
    }
  });

  it('keeps types, lists and odd names apart', () => {
    const packed = packMetadata({ a: 1, 'a:b': '1', list: ['x'], none: [], fields: true, 'string:a': 2 });
    expect(packed).toEqual({
      fields: ['a', 'a:b', 'list', 'none', 'fields', 'string:a'],
      'number:a': [1],
      'string:a:b': ['1'],
      'string[]:list': ['x'],
      '[]:none': [],
      'boolean:fields': [true],
      'number:string:a': [2],
    });
    expect(unpackMetadata(packed)).toEqual({ a: 1, 'a:b': '1', list: ['x'], none: [], fields: true, 'string:a': 2 });
  });

  it('fills the columns of declared fields only with values of their type', () => {
    const columns = fieldColumns([
      { name: 'year', type: 'number' },
      { name: 'lang', type: 'string' },
      { name: 'tags', type: 'string[]' },
    ]);
    expect(fieldValues(columns, { year: -0, lang: 5, tags: ['x'] })).toEqual({
      has_field__year: true,
      field__year: 0,
      has_field__lang: false,
      field__lang: '',
    });
  });

  it('gives every declared field columns of its own, with names that Milvus takes, as long as there is room', () => {
    const names = [
      'a',
      'A',
      '_a',
      'a b',
      'a-b',
      'x1',
      'ключ',
      'constructor',
      'x'.repeat(128),
      ...Array.from({ length: 30 }, (_, index) => `f${index}`),
    ];
    const columns = [...fieldColumns(names.map((name) => ({ name, type: 'string' }))).values()];
    expect(columns).toHaveLength(MAX_FIELD_COLUMNS);
    const all = columns.flatMap(({ value, present }) => [value, present]);
    expect(new Set(all).size).toBe(all.length);
    for (const name of all) expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/);
  });
});

describe('a text over several columns', () => {
  it.each([
    '',
    'a',
    'x'.repeat(65_535),
    'x'.repeat(65_536),
    'ж'.repeat(65_535),
    '漢'.repeat(43_690),
    '🙂'.repeat(32_766),
    'a🙂'.repeat(26_000),
  ])('is cut between characters (%#)', (text) => {
    const parts = splitText(text, 4, 'text');
    expect(parts).toHaveLength(4);
    expect(parts.join('')).toBe(text);
    for (const part of parts) {
      expect(Buffer.byteLength(part)).toBeLessThanOrEqual(65_535);
      expect(part).not.toMatch(/\p{Surrogate}/u);
    }
  });

  it('is refused when it is too long or half a character', () => {
    const long = expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining('262144 bytes') });
    expect(() => splitText('x'.repeat(262_144), 4, 'text')).toThrow(long);
    expect(() => splitText('a\ud83d', 4, 'text')).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});

describe('what the client throws', () => {
  const translate = translateMilvus('host:1');
  const grpc = (code: number, message = 'said') => Object.assign(new Error(message), { code });
  it.each([
    [
      'a missing collection',
      new MilvusFailure({ error_code: 'UnexpectedError', reason: 'not found', code: 100 }),
      'NOT_FOUND',
      false,
    ],
    ['a missing database', { error_code: 'UnexpectedError', reason: 'database:x not found', code: 65535 }, 'NOT_FOUND', false],
    ['a bare status', { error_code: 'CollectionNotExists', reason: 'none', code: 0 }, 'NOT_FOUND', false],
    ['a status inside', { status: { error_code: 'UnexpectedError', reason: 'busy', code: 8 } }, 'UPSTREAM_FAILED', true],
    ['a wrong request', { error_code: 'IllegalArgument', reason: 'bad', code: 1100 }, 'UPSTREAM_FAILED', false],
    [
      'a wrong token',
      { error_code: 'UnexpectedError', reason: 'auth check failure, please check', code: 65535 },
      'UNAUTHORIZED',
      false,
    ],
    ['a server that is down', grpc(14), 'CONNECTION_FAILED', true],
    ['a deadline', grpc(4), 'TIMEOUT', true],
    ['an unknown caller', grpc(16), 'UNAUTHORIZED', false],
    ['too much at once', grpc(8), 'UPSTREAM_FAILED', true],
    ['an unreadable answer', new TypeError("reading 'scores'"), 'UPSTREAM_FAILED', true],
    ['anything else', 'words', 'UPSTREAM_FAILED', true],
  ])('%s', (_, error, code, retryable) => {
    const translated = translate(error, 'search collection "docs"');
    expect(translated).toMatchObject({ code, retryable, adapter: 'milvus', cause: error });
    expect(translated.message).toContain('host:1');
    expect(translated.message).toContain('search collection "docs"');
  });

  it('advises where TLS met a plain port', () => {
    expect(translate(grpc(14, 'SSL routines: wrong version number'), 'connect').message).toContain('http://');
  });

  it('finds the status in an answer, or that there is none', () => {
    expect(statusOf({ status: { error_code: 'Success', reason: '', code: 0 }, data: [] })?.error_code).toBe('Success');
    expect(statusOf({ error_code: 'Success' })).toEqual({ error_code: 'Success', reason: '', code: 0 });
    expect(statusOf({})).toBeUndefined();
    expect(statusOf({ status: null })).toBeUndefined();
  });
});

describe('a vector index', () => {
  const lite = readVersion('milvus_lite-3.2.2');
  const v22 = readVersion('v2.2.9');
  const v23 = readVersion('v2.3.5-lite');
  const indexOf = (index: unknown) => milvusOptions.parse({ type: 'milvus', uri: 'localhost', index }).index;

  it('is refused where the server does not have it', () => {
    for (const index of ['FLAT', 'AUTOINDEX', 'HNSW', 'IVF_FLAT', 'IVF_SQ8', 'DISKANN', { type: 'IVF_PQ', m: 4 }]) {
      expect(() => checkIndex(indexOf(index), 8, v23)).not.toThrow();
    }
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED' });
    expect(() => checkIndex(indexOf('DISKANN'), 8, lite)).toThrow(unsupported);
    expect(() => checkIndex(indexOf({ type: 'IVF_PQ', m: 4 }), 8, lite)).toThrow(unsupported);
    expect(() => checkIndex(indexOf('DISKANN'), 8, v22)).toThrow(unsupported);
  });

  it('is refused with parameters that contradict each other', () => {
    const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(() => checkIndex(indexOf({ type: 'IVF_PQ', m: 5 }), 8, v23)).toThrow(invalid);
    expect(() => checkIndex(indexOf({ type: 'IVF_FLAT', nlist: 8, nprobe: 9 }), 8, v23)).toThrow(invalid);
  });

  it('looks through at least as many candidates as hits are asked for', () => {
    expect(searchParameters(indexOf({ type: 'HNSW', ef: 50 }), 10)).toEqual({ ef: 50 });
    expect(searchParameters(indexOf({ type: 'HNSW', ef: 50 }), 200)).toEqual({ ef: 200 });
    expect(searchParameters(indexOf({ type: 'DISKANN', search_list: 20 }), 30)).toEqual({ search_list: 30 });
    expect(searchParameters(indexOf('FLAT'), 30)).toEqual({});
  });

  it('knows versions: Lite by its own name only', () => {
    expect(lite).toMatchObject({ lite: true, major: 3, minor: 2 });
    expect(v23).toMatchObject({ lite: false, major: 2, minor: 3 });
    expect(isAtLeast(v23, 2, 3)).toBe(true);
    expect(isAtLeast(v23, 2, 4)).toBe(false);
    expect(isAtLeast(readVersion('3.0.0'), 2, 4)).toBe(true);
    expect(isAtLeast(lite, 2, 4)).toBe(false);
  });
});
