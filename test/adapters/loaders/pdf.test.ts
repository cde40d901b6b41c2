import { describe, expect, it } from 'vitest';
import { createChunker } from '../../../src/adapters/chunkers/index.js';
import { createPdfLoader } from '../../../src/adapters/loaders/pdf.js';
import { cutDocument } from '../../../src/core/cut.js';
import { binaryLoaderContract } from '../../contracts/loader-contract.js';
import { pdf, pdfOf } from '../../support/pdf.js';

const LIMITS = { maxPages: 100, maxUnpackedBytes: 1_000_000 };
const whole = pdf([['Hello page one', 'second line'], ['Page two']]);
const encrypted = pdf([['secret']], {
  trailer: '/Encrypt 900 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]',
  extra: { 900: `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${'41'.repeat(32)}> /U <${'42'.repeat(32)}> >>` },
});

binaryLoaderContract('pdf', () => createPdfLoader(LIMITS), {
  good: { 'a.pdf': whole, 'b/C.PDF': Buffer.concat([Buffer.from('\n\n'), whole]) },
  bad: {
    'cut.pdf': whole.subarray(0, 40),
    'html.pdf': Buffer.from('<!doctype html><p>not found'),
    'png.pdf': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    'locked.pdf': encrypted,
  },
});

function load(bytes: Uint8Array, limits = LIMITS) {
  return createPdfLoader(limits).load({ uri: 'a.pdf', bytes });
}

describe('a PDF', () => {
  it('gives its lines, and where its pages start', async () => {
    const { text, pages, format, warnings } = await load(whole);
    expect({ text, pages, format, warnings }).toEqual({
      text: 'Hello page one\nsecond line\n\nPage two',
      pages: [0, 28],
      format: 'text',
      warnings: [],
    });
  });

  it('tells each chunk its page', async () => {
    const loaded = await load(pdf(['one', 'two', 'three'].map((word) => [`${word} `.repeat(20)])));
    const owner = { id: 'a.pdf', uri: 'a.pdf', hash: 'h', metadata: {} };
    const chunks = await cutDocument(loaded, owner, { default: createChunker({ maxChars: 100, overlap: 0 }) }, undefined);
    const pageOf = (word: string) => chunks.find(({ text }) => text.startsWith(word))?.location.page;
    expect([pageOf('one'), pageOf('two'), pageOf('three')]).toEqual([1, 2, 3]);
  });

  it('is read in Chinese though its font is not embedded', async () => {
    const hex = Buffer.from('检索增强', 'utf16le').swap16().toString('hex');
    expect((await load(pdfOf([`BT /F2 12 Tf 50 700 Td <${hex}> Tj ET`]))).text).toBe('检索增强');
  });

  it('has words that lines part put together', async () => {
    expect((await load(pdf([['An exam-', 'ple of A-', 'B and x-', '1 ends']]))).text).toBe('An example\nof A-\nB and x-\n1 ends');
  });

  it('warns of pages without text', async () => {
    const { warnings, pages } = await load(pdf([['a'], [], [], ['b'], []]));
    expect(warnings).toEqual([expect.stringMatching(/without text.*: 2-3, 5$/)]);
    expect(pages).toHaveLength(5);
    expect(await load(pdf([[], []]))).toMatchObject({
      text: '',
      warnings: [expect.stringMatching(/is empty.*none of its 2 pages/)],
    });
  });

  it('gives its title as metadata', async () => {
    const { metadata } = await load(pdf([['a']], { trailer: '/Info 900 0 R', extra: { 900: '<< /Title (A  title) >>' } }));
    expect(metadata).toEqual({ title: 'A title' });
  });

  it('says what is wrong with a bad one', async () => {
    await expect(load(encrypted)).rejects.toThrow(/a\.pdf is encrypted.*without a password/);
    await expect(load(Buffer.from('<html>'))).rejects.toThrow(/not a PDF: it looks like HTML/);
  });

  it('has no more pages or text than the limits allow', async () => {
    const many = pdf(Array.from({ length: 4 }, () => ['text '.repeat(30)]));
    await expect(load(many, { ...LIMITS, maxPages: 3 })).rejects.toThrow(/4 pages.*ingest\.maxPages.*\(3\)/);
    await expect(load(many, { ...LIMITS, maxUnpackedBytes: 500 })).rejects.toThrow(/ingest\.maxUnpackedBytes/);
  });

  it('leaves the bytes it was given to their owner', async () => {
    const bytes = new Uint8Array(whole);
    await load(bytes);
    expect(bytes.byteLength).toBe(whole.length);
  });
});
