import { describe, expect, it } from 'vitest';
import { createChunker } from '../../../src/adapters/chunkers/index.js';
import { chunkerContract, cutsOf } from '../../contracts/chunker-contract.js';

chunkerContract('markdown', () => createChunker({ type: 'markdown', maxChars: 120, overlap: 0 }), {
  format: 'markdown',
  maxChars: 120,
});
chunkerContract('recursive', () => createChunker({ type: 'recursive', maxChars: 120, overlap: 0 }), {
  format: 'text',
  maxChars: 120,
});
chunkerContract('records', () => createChunker({ type: 'records', maxChars: 120, overlap: 0 }), { format: 'csv', maxChars: 120 });
chunkerContract('overlapping', () => createChunker({ maxChars: 120, overlap: 30 }), { format: 'markdown', maxChars: 120 });
chunkerContract('tiny and overlapping', () => createChunker({ maxChars: 32, overlap: 15 }), { format: 'markdown', maxChars: 32 });
chunkerContract('default', () => createChunker(), { format: 'text', maxChars: 1000 });

async function textsOf(options: Parameters<typeof createChunker>[0], text: string, format = 'text') {
  return (await cutsOf(createChunker({ overlap: 0, ...options }), text, format)).map(({ span }) => text.slice(...span));
}

describe('recursive chunks', () => {
  it('end at paragraphs before lines, lines before sentences, sentences before words', async () => {
    const fill = 'x'.repeat(58);
    expect(await textsOf({ maxChars: 100 }, `${fill} a.\n\nb c. d\ne f ${fill}`)).toEqual([`${fill} a.`, `b c. d\ne f ${fill}`]);
    expect(await textsOf({ maxChars: 100 }, `${fill} a.\nb c. d ${fill}`)).toEqual([`${fill} a.`, `b c. d ${fill}`]);
    expect(await textsOf({ maxChars: 100 }, `${fill} a. b c ${fill}`)).toEqual([`${fill} a.`, `b c ${fill}`]);
    expect(await textsOf({ maxChars: 100 }, `${fill} a b ${fill}`)).toEqual([`${fill} a b`, fill]);
    expect(await textsOf({ maxChars: 100 }, fill + fill)).toEqual(['x'.repeat(100), 'x'.repeat(16)]);
  });

  it('end at Chinese and Japanese sentences, which no space follows', async () => {
    const sentence = `${'文'.repeat(28)}。`;
    expect(await textsOf({ maxChars: 100 }, sentence.repeat(4))).toEqual([sentence.repeat(3), sentence]);
    expect(await textsOf({ maxChars: 100 }, `${'文'.repeat(60)}！」${'文'.repeat(60)}`)).toEqual([
      `${'文'.repeat(60)}！」`,
      '文'.repeat(60),
    ]);
  });

  it('keep functions together and the indentation of first lines', async () => {
    const body = 'def f():\n    a = 1\n\n    return a';
    expect(await textsOf({ maxChars: 100 }, `${body}\n\n\n${body}\n\n\n${body}\n\n\n${body}`, 'python')).toEqual([
      `${body}\n\n\n${body}`,
      `${body}\n\n\n${body}`,
    ]);
    expect(await textsOf({ maxChars: 100 }, '\n\n    indented\n\tmore')).toEqual(['    indented\n\tmore']);
  });

  it('never part a surrogate pair, a letter and its accents, or an emoji of several parts', async () => {
    for (const character of ['😀', 'e\u0301\u0323', '👩‍👩‍👧‍👦', '🇩🇪', '한']) {
      const texts = await textsOf({ maxChars: 101 }, character.repeat(100));
      for (const text of texts) expect(text.length % character.length).toBe(0);
      expect(texts.join('')).toBe(character.repeat(100));
    }
  });

  it('cut a single line of 40 MB', async () => {
    const chunker = createChunker({ overlap: 0 });
    let total = 0;
    let count = 0;
    const text = 'x'.repeat(40_000_000);
    for await (const { span } of chunker.chunk({ text, format: 'text', metadata: {}, warnings: [] })) {
      total += span[1] - span[0];
      count++;
    }
    expect([total, count]).toEqual([40_000_000, 40_000]);
  });

  it('repeat the end of the one before, from the start of a line, sentence or word', async () => {
    const text = 'One two three four. Five six seven. Eight nine ten. '.repeat(6);
    const cuts = await cutsOf(createChunker({ maxChars: 100, overlap: 25 }), text, 'text');
    for (const [index, { span }] of cuts.entries()) {
      const previousEnd = cuts[index - 1]?.span[1] ?? 0;
      expect(span[0]).toBeLessThanOrEqual(previousEnd);
      expect(previousEnd - span[0]).toBeLessThanOrEqual(25);
      expect(text.slice(...span)).toMatch(/^(?:One|Five|Eight)/);
    }
    expect(cuts.some(({ span }, index) => span[0] < (cuts[index - 1]?.span[1] ?? 0))).toBe(true);
  });
});

describe('markdown chunks', () => {
  const long = 'Words that fill a line of the text well. '.repeat(3);
  const headingsOf = async (text: string, maxChars = 150) =>
    (await cutsOf(createChunker({ type: 'markdown', maxChars, overlap: 0 }), text, 'markdown')).map(({ span, headings }) => [
      text.slice(...span).slice(0, 12),
      headings,
    ]);

  it('begin at headings and know those above them', async () => {
    expect(await headingsOf(`# A\n${long}\n## B ##\n${long}\n### [C](x.md)\n${long}\n## D\n${long}\n# E\n${long}`)).toEqual([
      [expect.stringContaining('# A'), ['A']],
      [expect.stringContaining('## B'), ['A', 'B']],
      [expect.stringContaining('### [C]'), ['A', 'B', 'C']],
      [expect.stringContaining('## D'), ['A', 'D']],
      [expect.stringContaining('# E'), ['E']],
    ]);
  });

  it('know underlined headings from rules, lists and tables', async () => {
    expect(await headingsOf(`Title\n=====\n${long}\nPart\n---\n${long}\n\n---\n\n${long}`)).toEqual([
      ['Title\n=====\n', ['Title']],
      ['Part\n---\nWor', ['Title', 'Part']],
      [expect.anything(), ['Title', 'Part']],
    ]);
    expect(await headingsOf(`- item\n---\n${long}`)).toEqual([[expect.anything(), []]]);
  });

  it('find no headings in fenced code', async () => {
    const text = `# A\n${long}\n\`\`\`sh\n# comment\n~~~\n# another\n\`\`\`\n# B\n${long}\n~~~~\n~~~\n# c\n~~~~\n\`\`\`in line\`\`\`\n# D\n${long}`;
    expect((await headingsOf(text, 400)).map(([, headings]) => headings)).toEqual([['A'], ['B'], ['D']]);
  });

  it('keep fenced code and tables in one piece where they fit', async () => {
    const code = `\`\`\`js\n${'const a = 1;\n\n'.repeat(8)}\`\`\``;
    const table = `| a | b |\n|---|---|\n${'| 1 | 2 |\n'.repeat(10)}`.trimEnd();
    for (const block of [code, table]) {
      const texts = await textsOf({ type: 'markdown', maxChars: 150 }, `${long}\n\n${block}\n\n${long}`, 'markdown');
      expect(texts.some((text) => text.includes(block))).toBe(true);
    }
  });

  it('join sections too short to stand alone, under the headings they share', async () => {
    expect(await headingsOf('# A\n\n## B\n\nb\n\n## C\n\nc')).toEqual([[expect.anything(), ['A']]]);
    const [first] = await headingsOf(`# A\n\n## B\n\n${long.repeat(3)}`);
    expect(first).toEqual(['# A\n\n## B\n\nW', ['A', 'B']]);
  });

  it('take a section of any length', async () => {
    const text = `# A\n${`\n${long}\n`.repeat(3000)}# B\n${'```\n'}${'code\n'.repeat(60_000)}`;
    const cuts = await cutsOf(createChunker({ overlap: 0 }), text, 'markdown');
    const [before, after] = [
      cuts.filter(({ headings }) => headings?.[0] === 'A'),
      cuts.filter(({ headings }) => headings?.[0] === 'B'),
    ];
    expect(before.length + after.length).toBe(cuts.length);
    expect(after[0]?.span[0]).toBe(text.indexOf('# B'));
  });
});

describe('record chunks', () => {
  it('hold whole records, joined only while they are short', async () => {
    const short = 'name: a';
    const record = `name: ${'b'.repeat(60)}`;
    expect(await textsOf({ maxChars: 100 }, [short, record, record, short, short].join('\n\n'), 'csv')).toEqual([
      `${short}\n\n${record}`,
      record,
      `${short}\n\n${short}`,
    ]);
  });
});

describe('createChunker', () => {
  it('chooses by format, and holds its parameters in its id', () => {
    expect(createChunker().id).toBe('auto@1 maxChars=1000 overlap=100');
    expect(createChunker({ type: 'markdown', maxChars: 500, overlap: 0 }).id).toBe('markdown@1 maxChars=500 overlap=0');
  });

  it.each([{ maxChars: 31 }, { maxChars: 1.5 }, { maxChars: Number.NaN }, { overlap: -1 }, { maxChars: 400, overlap: 200 }])(
    'refuses %j',
    (options) => {
      expect(() => createChunker(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );

  it('refuses a type that there is none of', () => {
    // @ts-expect-error a configuration that nobody checked
    expect(() => createChunker({ type: 'semantic' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
