import { describe, expect, it } from 'vitest';
import { createPlainLoaders } from '../../../src/adapters/loaders/plain.js';
import type { LoadedDocument } from '../../../src/core/contracts.js';
import { loaderContract } from '../../contracts/loader-contract.js';

const LIMITS = { maxPages: 10, maxUnpackedBytes: 1_000_000 };
const pdf = '%PDF-1.7\n';
const zip = Buffer.from([0x50, 0x4b, 0x03, 0x04]);

loaderContract('markdown', () => named('markdown'), {
  good: { 'a.md': '# A\n\ntext\n', 'b/c.MDX': 'é 中\n', 'd.markdown': '---\na: 1\n---\ntext\n' },
  bad: { 'a.md': pdf },
});
loaderContract('csv', () => named('csv'), {
  good: { 'a.csv': 'a,b\n1,"x\ny"\n', 'b.tsv': 'a\tb\n1\t2\n' },
  bad: { 'a.csv': 'a,b\n1,"never closed\n', 'b.csv': 'a,b\n1,x"y"\n', 'c.csv': zip },
});
loaderContract('json', () => named('json'), {
  good: { 'a.json': '{\n"a": 1}', 'b.json': '[1,\n2]' },
  bad: {
    'a.json': '{"a": 1,}',
    'b.json': '{"a": 1} x',
    'c.json': '[1',
    'd.json': "{'a': 1}",
    'e.json': '['.repeat(100_000),
    'f.json': '{"a" 1}',
    'g.json': '01',
    'h.json': '"\\x"',
    'i.json': ']',
    'j.json': '[1 2]',
    'k.json': '{1: 2}',
    'l.json': '"a',
  },
});
loaderContract('jsonl', () => named('jsonl'), {
  good: { 'a.jsonl': '{"a": 1}\n\n{"a": 2}\n', 'b.ndjson': '1\n' },
  bad: { 'a.jsonl': '{"a": 1}\n{"a": 2\n' },
});
loaderContract('code', () => named('code'), {
  good: {
    'a.py': 'def f():\n    pass\n',
    Dockerfile: 'FROM node\n',
    'tsconfig.json': '{ /* why */ }\n',
    'x/constructor.ts': 'export {};\n',
  },
  bad: { 'a.py': zip },
});
loaderContract('text', () => named('text'), {
  good: { 'a.txt': 'text\n', LICENSE: 'MIT\n', 'a.log': 'line\n', 'a.unknown': 'text\n', constructor: 'text\n', '.env': 'A=1\n' },
  bad: { 'a.txt': pdf, 'b.txt': Buffer.from([0x7f, 0x45, 0x4c, 0x46]) },
});

function named(name: string) {
  const loader = createPlainLoaders(LIMITS).find(({ id }) => id.startsWith(`${name}@`));
  if (loader === undefined) throw new Error(`no loader ${name}`);
  return loader;
}

function load(uri: string, content: string): Promise<LoadedDocument> {
  const bytes = Buffer.from(content);
  const loader = createPlainLoaders(LIMITS).find((candidate) => candidate.accepts(uri, bytes.subarray(0, 4096)));
  if (loader === undefined) throw new Error(`nobody reads ${uri}`);
  return loader.load({ uri, bytes });
}

describe('which loader reads a file', () => {
  it.each([
    ['a.md', 'markdown'],
    ['README', 'text'],
    ['a.rst', 'text'],
    ['.hidden.md', 'markdown'],
    ['.md', 'text'],
    ['a.b/c', 'text'],
    ['a.TS', 'typescript'],
    ['src/Main.java', 'java'],
    ['Makefile', 'makefile'],
    ['CMakeLists.txt', 'cmake'],
    ['a.yml', 'yaml'],
    ['tsconfig.build.json', 'jsonc'],
    ['a.csv', 'csv'],
    ['a.ndjson', 'jsonl'],
    ['a.htm', 'markdown'],
    ['toString', 'text'],
    ['a.constructor', 'text'],
  ])('%s → %s', async (uri, format) => {
    expect((await load(uri, '"1"\n')).format).toBe(format);
  });

  it.each(['a.doc', 'b.ODT', 'c.rtf', 'd.pptx', 'e.xlsx'])('%s is refused in clear words', async (uri) => {
    await expect(load(uri, 'x')).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/can't be read.*convert it/),
    });
  });
});

describe('front matter', () => {
  it('becomes metadata, and lines keep their numbers', async () => {
    const { text, metadata, warnings } = await load(
      'a.md',
      '---\ntitle: Ähm\nyear: 2024\ntags: [a, b]\ndraft: false\ndate: 2024-01-02\n---\n# A\n',
    );
    expect(metadata).toEqual({ title: 'Ähm', year: 2024, tags: ['a', 'b'], draft: false, date: '2024-01-02' });
    expect(warnings).toEqual([]);
    expect(text).toBe(`${'\n'.repeat(7)}# A\n`);
  });

  it.each([
    ['nested: { a: 1 }', /nested/],
    ['mixed: [1, a]', /mixed/],
    ['nan: .nan', /nan/],
  ])('leaves out what fits no field, with a warning: %s', async (line, warning) => {
    const { metadata, warnings } = await load('a.md', `---\n${line}\ngood: 1\n---\ntext`);
    expect(metadata).toEqual({ good: 1 });
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    ['a: [1', /not valid YAML/],
    ['a: 1\na: 2', /not valid YAML/],
    ['- a\n- b', /a list/],
    ['just words', /a string/],
    [
      'a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c]',
      /not valid YAML/,
    ],
  ])('that can not be taken stays in the text, with a warning: %j', async (yaml, warning) => {
    const source = `---\n${yaml}\n---\ntext`;
    expect(await load('a.md', source)).toEqual({
      text: source,
      format: 'markdown',
      metadata: {},
      warnings: [expect.stringMatching(warning)],
    });
  });

  it('never runs code', async () => {
    const source = '---js\nglobalThis.hotragWasRun = true\n---\ntext';
    const tagged = "---\nf: !!js/function 'function () { globalThis.hotragWasRun = true }'\n---\ntext";
    expect(await load('a.md', source)).toMatchObject({ text: source, metadata: {}, warnings: [expect.stringContaining('"js"')] });
    expect((await load('a.md', tagged)).text).toContain('text');
    expect(globalThis).not.toHaveProperty('hotragWasRun');
  });

  it('reaches no prototype', async () => {
    const { metadata } = await load('a.md', '---\n__proto__: { polluted: true }\nconstructor: x\n---\ntext');
    expect({}).not.toHaveProperty('polluted');
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  it.each(['---\n\ntext without an end', '---', 'text\n---\na: 1\n---\n', '----\na: 1\n----\n', '- --\n'])(
    'is not what only looks like it: %j',
    async (source) => {
      expect(await load('a.md', source)).toMatchObject({ text: source, metadata: {}, warnings: [] });
    },
  );

  it('may be empty, or end with dots', async () => {
    expect(await load('a.md', '---\n---\ntext')).toMatchObject({ text: '\n\ntext', metadata: {}, warnings: [] });
    expect(await load('a.md', '---\na: 1\n...\ntext')).toMatchObject({ text: '\n\n\ntext', metadata: { a: 1 } });
  });
});

describe('tables', () => {
  it('become records of named values', async () => {
    const { text, warnings } = await load('a.csv', 'name,note,\nAda,"first, ""the""\n\nsecond",x\n\nBob,,\n');
    expect(text).toBe('name: Ada\nnote: first, "the"\n  \n  second\ncolumn 3: x\n\nname: Bob');
    expect(warnings).toEqual([]);
  });

  it.each([
    ['a.csv', 'a;b\n1,5;2\n'],
    ['a.csv', 'a\tb\n1,5\t2\n'],
    ['a.tsv', 'a\tb\n1,5\t2\n'],
    ['a.csv', '"a";"b"\n1,5;2\n'],
  ])('may have other delimiters: %s %j', async (uri, content) => {
    expect((await load(uri, content)).text).toBe('a: 1,5\nb: 2');
  });

  it('keep the cells of uneven rows, with a warning', async () => {
    const { text, warnings } = await load('a.csv', 'a,b\n1\n1,2,3\n');
    expect(text).toBe('a: 1\n\na: 1\nb: 2\ncolumn 3: 3');
    expect(warnings).toEqual([expect.stringMatching(/header: 2/)]);
  });

  it('without rows are empty documents, with a warning', async () => {
    expect(await load('a.csv', 'a,b\n')).toMatchObject({ text: '', warnings: [expect.stringMatching(/no rows/)] });
  });

  it('tell the line of what is wrong', async () => {
    await expect(load('a.csv', 'a,b\n1,2\n1,"x\n')).rejects.toThrow(/line 3/);
  });

  it('of many thousand rows are read whole', async () => {
    const { text } = await load(
      'a.csv',
      `id,name\n${Array.from({ length: 50_000 }, (_, id) => `${id},"name, ${id} é"`).join('\n')}`,
    );
    const records = text.split('\n\n');
    expect(records).toHaveLength(50_000);
    expect(records.every((record, id) => record === `id: ${id}\nname: name, ${id} é`)).toBe(true);
  });
});

describe('JSON', () => {
  it('becomes readable lines', async () => {
    const source = {
      title: 'Guide',
      list: [1, { a: true, b: [] }, [null, 'x']],
      nested: { deep: { er: 'two\nlines' }, none: {} },
      empty: '',
    };
    expect((await load('a.json', JSON.stringify(source))).text.split('\n')).toEqual([
      'title: Guide',
      'list:',
      '  - 1',
      '  - a: true',
      '    b: []',
      '  - - null',
      '    - x',
      'nested:',
      '  deep:',
      '    er: two',
      '      lines',
      '  none: {}',
      'empty: ""',
    ]);
  });

  it('unescapes text and keeps numbers as written', async () => {
    expect((await load('a.json', '{"a": "\\u4e2d \\"q\\" \\\\", "id": 12345678901234567890, "n": 1.50}')).text).toBe(
      'a: 中 "q" \\\nid: 12345678901234567890\nn: 1.50',
    );
  });

  it('has the elements of a list at the top, and lines, for records', async () => {
    const text = 'a: 1\nb: 2\n\na: 3';
    expect((await load('a.json', '[{"a":1,"b":2},{"a":3}]')).text).toBe(text);
    expect((await load('a.jsonl', '{"a":1,"b":2}\n{"a":3}\n')).text).toBe(text);
  });

  it.each(['{}', '[]', '"x"', 'null', '-1.5e+3', ' [ [ ] ] '])('takes %j', async (source) => {
    await expect(load('a.json', source)).resolves.toMatchObject({ format: 'json' });
  });

  it('tells line and column of what is wrong', async () => {
    await expect(load('a.json', '{\n  "a": tru\n}')).rejects.toThrow(/line 2, column 8/);
    await expect(load('a.jsonl', '{}\n{"a": }\n')).rejects.toThrow(/line 2, column 7/);
  });

  it('gives the event loop its turns in a large document', async () => {
    let turns = 0;
    let loading = true;
    const count = () => {
      turns++;
      if (loading) setImmediate(count);
    };
    setImmediate(count);
    const source = JSON.stringify({ data: Array.from({ length: 100_000 }, (_, id) => ({ id, name: `name ${id}` })) });
    const { text } = await load('a.json', source);
    loading = false;
    expect(text.split('\n')).toHaveLength(200_001);
    expect(turns).toBeGreaterThan(3);
  });
});
