import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { createLoaders } from '../../../src/adapters/loaders/index.js';
import { createPlainLoaders } from '../../../src/adapters/loaders/plain.js';

const LIMITS = { maxPages: 10, maxUnpackedBytes: 1_000_000 };
const ZH = '检索增强生成是一种人工智能技术，它把信息检索和文本生成结合起来。\n第二行：向量数据库。\n';
const TW = '檢索增強生成是一種人工智慧技術，它把資訊檢索和文字生成結合起來。\n第二行\n';
const JA = '検索拡張生成は、情報検索とテキスト生成を組み合わせた技術です。\nカタカナの行\n';
const KO = '검색 증강 생성은 인공지능 기술이다.\n둘째 줄\n';
const FR = 'Le café était déjà fermé, où êtes-vous allé?\nÇa va très bien.\n';
const RU = 'Поиск с дополненной генерацией — это технология.\nВторая строка\n';

function load(bytes: Uint8Array, uri = 'a.txt') {
  const loader = createPlainLoaders(LIMITS).find((candidate) => candidate.accepts(uri, bytes));
  if (loader === undefined) throw new Error(`nobody reads ${uri}`);
  return loader.load({ uri, bytes });
}

describe('text in other encodings', () => {
  it.each([
    ['gbk', ZH, 'GB18030'],
    ['gb18030', `${ZH}𠀀\n`, 'GB18030'],
    ['gbk', '中文', 'GB18030'],
    ['big5', TW, 'Big5'],
    ['shift_jis', JA, 'Shift_JIS'],
    ['shift_jis', '価格,商品\n10,りんご\n', 'Shift_JIS'],
    ['euc-jp', JA, 'EUC-JP'],
    ['euc-kr', KO, 'EUC-KR'],
    ['windows-1252', FR, 'windows-1252'],
    ['windows-1252', 'a “quoted” naïve word\n', 'windows-1252'],
    ['latin1', 'café', 'windows-1252'],
    ['windows-1251', RU, 'windows-1251'],
  ])('is read as %s by its bytes, and says so: %j', async (encoding, text, named) => {
    expect(await load(iconv.encode(text, encoding))).toMatchObject({
      text,
      warnings: [expect.stringMatching(new RegExp(`not UTF-8.*${named}.*guess`))],
    });
  });

  it.each(['utf-16le', 'utf-16be'])('is read as %s by its mark', async (encoding) => {
    for (const text of [ZH, FR, '😀 only\r\n']) {
      const bytes = iconv.encode(text, encoding, { addBOM: true });
      expect(await load(bytes)).toMatchObject({ text: text.replace('\r', ''), warnings: [] });
    }
  });

  it.each(['utf-16le', 'utf-16be'])('is read as %s without a mark, and says so', async (encoding) => {
    expect(await load(iconv.encode(`${ZH}and English\n`, encoding))).toMatchObject({
      text: `${ZH}and English\n`,
      warnings: [expect.stringMatching(/no byte order mark.*UTF-16/)],
    });
  });

  it('is found where the first megabyte is ASCII', async () => {
    const text = `${'plain ASCII line\n'.repeat(70_000)}${ZH}`;
    expect((await load(iconv.encode(text, 'gbk'))).text).toBe(text);
  });

  it('is read as ISO-2022-JP by its escapes, which a terminal’s are not', async () => {
    const japanese = Buffer.from('\x1b$B8!:w\x1b(B text\n', 'latin1');
    expect(await load(japanese)).toMatchObject({ text: '検索 text\n', warnings: [expect.stringContaining('ISO-2022-JP')] });
    const log = '\x1b[31mred\x1b[0m costs \x1b$5\n';
    expect(await load(Buffer.from(log))).toMatchObject({ text: log, warnings: [] });
  });

  it('applies to tables, JSON and Markdown', async () => {
    expect((await load(iconv.encode('名称,数量\n苹果和香蕉,3\n', 'gbk'), 'a.csv')).text).toBe('名称: 苹果和香蕉\n数量: 3');
    expect((await load(iconv.encode(`{"名称": "${ZH.trim().replace('\n', '')}"}`, 'gbk'), 'a.json')).text).toContain(
      '名称: 检索',
    );
    const marked = iconv.encode('---\ntitle: Größe\n---\ntext\n', 'utf-16le', { addBOM: true });
    expect((await load(marked, 'a.md')).metadata).toEqual({ title: 'Größe' });
  });

  it('is what an HTML page or XML document says it is', async () => {
    const page = `<html><head><meta charset="shift_jis"><title>表</title></head><body><p>${JA}</p></body></html>`;
    expect(await load(iconv.encode(page, 'shift_jis'), 'a.html')).toMatchObject({
      text: expect.stringContaining('検索拡張生成は'),
      metadata: { title: '表' },
      warnings: [],
    });
    const old = `<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"><p>${FR}`;
    expect((await load(iconv.encode(old, 'latin1'), 'a.html')).text).toContain('déjà fermé');
    const xml = `<?xml version="1.0" encoding="windows-1251"?>\n<a>${RU}</a>\n`;
    expect(await load(iconv.encode(xml, 'windows-1251'), 'a.xml')).toMatchObject({ text: xml, warnings: [] });
  });

  it('is UTF-8 where it can be, whatever the page says', async () => {
    const page = `<html><head><meta charset="iso-8859-1"></head><body><p>${ZH}</p></body></html>`;
    expect((await load(Buffer.from(page), 'a.html')).text).toContain('检索增强');
  });
});

describe('what is no text', () => {
  const random = Buffer.from(Array.from({ length: 5000 }, (_, index) => ((index * 2_654_435_761) >>> 13) & 0xff || 1));

  it.each([
    ['a PNG image', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff]), /PNG image/],
    ['NUL bytes', Buffer.from([1, 0, 2, 0, 0, 0, 255, 7]), /NUL/],
    ['UTF-16 that is broken', Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00]), /UTF-16.*damaged/],
    ['random bytes', random, /no known encoding/],
  ])('is refused: %s', async (_, bytes, message) => {
    await expect(load(bytes)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringMatching(message) });
  });

  it('mixes encodings, and the first wrong byte is told', async () => {
    const bytes = Buffer.concat([Buffer.from(ZH), iconv.encode('中文', 'gbk'), Buffer.from(ZH)]);
    await expect(load(bytes)).rejects.toThrow(new RegExp(`byte ${Buffer.byteLength(ZH)} .*mixes encodings`));
  });
});

it('makes loaders without starting anything', () => {
  expect(createLoaders().map(({ id }) => id)).toEqual(createPlainLoaders(LIMITS).map(({ id }) => id));
});
