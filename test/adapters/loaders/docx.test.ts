import { describe, expect, it } from 'vitest';
import { createDocxLoader } from '../../../src/adapters/loaders/docx.js';
import { binaryLoaderContract } from '../../contracts/loader-contract.js';
import { docx, docxParts, paragraph, zip } from '../../support/zip.js';

const LIMITS = { maxUnpackedBytes: 1_000_000 };
const good = docx(paragraph('A title', 'Heading1') + paragraph('Some text.'));

binaryLoaderContract('docx', () => createDocxLoader(LIMITS), {
  good: { 'a.docx': good, 'b/C.DOCX': good },
  bad: {
    'cut.docx': good.subarray(0, 300),
    'noend.docx': good.subarray(0, good.length - 30),
    'other.docx': zip({ 'a.txt': 'no document' }),
    'old.docx': Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]),
    'html.docx': Buffer.from('<html>'),
    'xml.docx': docx('<w:p><w:r>'),
  },
});

function load(bytes: Uint8Array) {
  return createDocxLoader(LIMITS).load({ uri: 'a.docx', bytes });
}

describe('a Word document', () => {
  it('gives headings and tables as Markdown', async () => {
    const cell = (text: string) => `<w:tc>${paragraph(text)}</w:tc>`;
    const table = `<w:tbl><w:tr>${cell('Name')}${cell('Price')}</w:tr><w:tr>${cell('Apple')}${cell('1')}</w:tr></w:tbl>`;
    const { text, format } = await load(docx(paragraph('A title', 'Heading1') + paragraph('snake_case *text*') + table));
    expect(format).toBe('markdown');
    expect(text).toBe('# A title\n\nsnake_case *text*\n\n| Name | Price |\n| --- | --- |\n| Apple | 1 |');
  });

  it('without text is empty, with a warning', async () => {
    expect(await load(docx(''))).toMatchObject({ text: '', warnings: [expect.stringContaining('is empty')] });
  });

  it('that would unfold beyond the limit is not unfolded', async () => {
    const bomb = docx(paragraph('a'), { 'word/media/a.bin': Buffer.alloc(2_000_000) });
    expect(bomb.length).toBeLessThan(10_000);
    await expect(load(bomb)).rejects.toThrow(/unpacks to 200\d{4} bytes.*ingest\.maxUnpackedBytes.*1000000/);
  });

  it('that lies about its sizes is found out', async () => {
    const bomb = zip(docxParts(paragraph('a'), { 'word/media/a.bin': Buffer.alloc(50_000_000) }), { 'word/media/a.bin': 10 });
    await expect(load(bomb)).rejects.toThrow(/another size than it states/);
  });

  it('says what is wrong with a bad one', async () => {
    await expect(load(Buffer.from([0xd0, 0xcf, 0x11, 0xe0]))).rejects.toThrow(/encrypted office document/);
    await expect(load(good.subarray(0, 300))).rejects.toThrow(/not a whole Word document/);
  });
});
