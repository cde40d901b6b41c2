import { delimiter } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePlainConfig } from '../../src/sdk/config.js';
import { type ConfigSources, layerConfig } from '../../src/sdk/config-layers.js';

const layer = (sources: { file?: object | string; env?: ConfigSources['env']; flags?: Record<string, string> }) =>
  layerConfig({
    file:
      sources.file === undefined
        ? undefined
        : { name: 'c.json', text: typeof sources.file === 'string' ? sources.file : JSON.stringify(sources.file) },
    env: sources.env ?? {},
    flags: new Map(Object.entries(sources.flags ?? {})),
  });
const parse = (sources: Parameters<typeof layer>[0]) => {
  const { input, originOf } = layer(sources);
  return parsePlainConfig(input, originOf);
};

describe('precedence', () => {
  it('is flags, environment, file, default', () => {
    const file = { collection: 'file', ingest: { concurrency: 2 } };
    const env = { HOTRAG_COLLECTION: 'env' };
    expect(parse({ file, env, flags: { collection: 'flag' } }).collection).toBe('flag');
    expect(parse({ file, env }).collection).toBe('env');
    expect(parse({ file }).collection).toBe('file');
    expect(parse({}).collection).toBe('default');
    expect(parse({ file, flags: { 'ingest-max-file-bytes': '10' } }).ingest).toMatchObject({ concurrency: 2, maxFileBytes: 10 });
  });

  it('joins settings of a part, and replaces a part whose type differs', () => {
    const file = { store: { type: 'milvus', uri: 'http://a', replicas: 2 } };
    expect(parse({ file, flags: { 'store-uri': 'http://b' } }).store).toMatchObject({
      type: 'milvus',
      uri: 'http://b',
      replicas: 2,
    });
    expect(parse({ file, flags: { store: 'milvus' } }).store).toMatchObject({ uri: 'http://a', replicas: 2 });
    expect(parse({ file, flags: { store: 'memory', 'store-path': 'x' } }).store).toEqual({
      type: 'memory',
      path: 'x',
      index: 'auto',
      metric: 'cosine',
    });
    expect(
      parse({ file, env: { HOTRAG_STORE: 'memory' }, flags: { store: 'chroma', 'store-uri': 'http://c' } }).store,
    ).toMatchObject({ type: 'chroma', uri: 'http://c' });
    expect(parse({ flags: { 'generator-model': 'm' } }).generator).toMatchObject([{ type: 'ollama', model: 'm' }]);
  });

  it('leaves the text of the file as it was read: two layerings don’t mix', () => {
    const file = { ingest: { concurrency: 2 } };
    expect(layer({ file, flags: { 'ingest-concurrency': '9' } }).input).toEqual({ ingest: { concurrency: 9 } });
    expect(file).toEqual({ ingest: { concurrency: 2 } });
  });
});

describe('reading', () => {
  it('takes numbers, booleans, lists, JSON and a part as a whole', () => {
    expect(parse({ flags: { roots: ['/a', '/b'].join(delimiter) } }).roots).toEqual(['/a', '/b']);
    expect(parse({ flags: { roots: '["/a:b"]' } }).roots).toEqual(['/a:b']);
    expect(parse({ env: { HOTRAG_CACHES_SEARCH: 'false', HOTRAG_CACHES_ANSWERS_ENTRIES: '7' } }).caches).toMatchObject({
      search: false,
      answers: { entries: 7 },
    });
    expect(parse({ env: { HOTRAG_METADATA: '{"year":"number"}' } }).metadata).toEqual({ year: 'number' });
    expect(parse({ flags: { store: '{"type":"chroma","uri":"http://x"}' } }).store).toMatchObject({
      type: 'chroma',
      hnsw: { ef_search: 100 },
    });
    expect(
      parse({ flags: { store: 'milvus', 'store-uri': 'u', 'store-index': '{"type":"HNSW","M":8}', 'store-tls': 'true' } }).store,
    ).toMatchObject({ index: { M: 8 }, tls: true });
    expect(parse({ flags: { 'generator-keep-alive': '-1' } }).generator).toMatchObject([{ keepAlive: -1 }]);
    expect(parse({ flags: { 'generator-keep-alive': '10m' } }).generator).toMatchObject([{ keepAlive: '10m' }]);
  });

  it('takes the schema’s address in a file', () => {
    expect(layer({ file: { $schema: 'x', collection: 'c' } }).input).toEqual({ collection: 'c' });
  });

  it.each([
    [
      { env: { HOTRAG_INGEST_CONCURRENCY: 'many' } },
      'HOTRAG_INGEST_CONCURRENCY (ingest.concurrency): must be a number, not "many"',
    ],
    [{ env: { HOTRAG_INGEST_CONCURRENCY: '0' } }, 'HOTRAG_INGEST_CONCURRENCY (ingest.concurrency): must be at least 1'],
    [{ env: { HOTRAG_COLLECTION: ' ' } }, 'HOTRAG_COLLECTION (collection): is empty'],
    [{ flags: { store: 'milvs' } }, '--store (store.type): "milvs" is none of memory, milvus, chroma; did you mean milvus?'],
    [{ flags: { 'store-uri': 'http://x' } }, '--store-uri: store.uri is an option of milvus and chroma, not of memory'],
    [{ flags: { 'store-tls': 'yes' } }, '--store-tls (store.tls): must be true or false, not "yes"'],
    [{ flags: { 'generator-options': '{"a":}' } }, '--generator-options (generator.options): is no JSON: line 1, column 6'],
    [
      { file: { generator: [] }, flags: { 'generator-model': 'm' } },
      '--generator-model: generator is an array in the layer below',
    ],
    [{ file: '{\n  "collection": "a",\n}' }, 'c.json: line 3, column 1: a name in double quotes should stand here'],
    [{ file: '[]' }, 'c.json: must hold an object, not an array'],
    [{ file: { ingest: { concurrency: 0 } } }, 'c.json (ingest.concurrency): must be at least 1'],
    [{ file: { ingst: {} } }, 'c.json: ingst is not an option; did you mean ingest?'],
  ])('refuses %j', (sources, words) => {
    expect(() => parse(sources)).toThrow(words);
  });

  it('refuses a secret as a flag and says where it belongs; takes it from the environment', () => {
    expect(() => parse({ flags: { 'store-token': 'x' } })).toThrow(/secret.*HOTRAG_STORE_TOKEN or store\.token/);
    expect(parse({ env: { HOTRAG_STORE: 'milvus', HOTRAG_STORE_URI: 'u', HOTRAG_STORE_TOKEN: 't' } }).store).toMatchObject({
      token: 't',
    });
  });

  it('warns of unknown variables of ours with the nearest name, and of no others', () => {
    const { warnings } = layer({ env: { HOTRAG_COLECTION: 'x', OTHER: 'y', HOTRAG_CONFIG: 'z' } });
    expect(warnings).toEqual(['HOTRAG_COLECTION in the environment is no option of hotrag; did you mean HOTRAG_COLLECTION?']);
  });
});
