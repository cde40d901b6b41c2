import { deflateSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { afterEach, describe, expect, it } from 'vitest';
import { createLoaders } from '../../../src/adapters/loaders/index.js';
import { createPlainLoaders } from '../../../src/adapters/loaders/plain.js';
import type { Loader } from '../../../src/core/contracts.js';
import { pdf, pdfOf } from '../../support/pdf.js';
import { useWorker } from '../../support/worker.js';
import { docx, docxParts, paragraph, zip } from '../../support/zip.js';

const { script } = useWorker('adapters/loaders/worker.ts');
const open: Loader[] = [];
afterEach(async () => {
  for (const loader of open.splice(0)) await loader.close?.();
});

function loaders(options: Parameters<typeof createLoaders>[0] = {}): readonly Loader[] {
  const made = createLoaders({ script, ...options });
  open.push(...made);
  return made;
}

function load(list: readonly Loader[], uri: string, content: string | Uint8Array, signal?: AbortSignal) {
  const bytes = Buffer.from(content);
  const loader = list.find((candidate) => candidate.accepts(uri, bytes.subarray(0, 4096)));
  if (loader === undefined) throw new Error(`nobody reads ${uri}`);
  return loader.load({ uri, bytes }, { signal });
}

/** Each form shows the next one ten times: 10 to the power of 12 lines, out of two kilobytes. */
const endless = pdfOf(['/X0 Do'], {
  resources: '/XObject << /X0 900 0 R >>',
  extra: Object.fromEntries(
    Array.from({ length: 12 }, (_, depth) => {
      const content = depth === 11 ? 'BT /F1 9 Tf (deep) Tj ET' : `/X${depth + 1} Do `.repeat(10);
      const resources = `<< /Font << /F1 3 0 R >> /XObject << /X${depth + 1} ${901 + depth} 0 R >> >>`;
      const head = `<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources ${resources} /Length ${content.length} >>`;
      return [900 + depth, `${head}\nstream\n${content}\nendstream`];
    }),
  ),
});
const page = '<h1>A</h1><p>text</p>';

describe('documents read in threads', () => {
  it.each([
    ['a.html', Buffer.from(page)],
    ['a.pdf', pdf([['one'], [], ['three']])],
    ['a.docx', docx(paragraph('A', 'Heading1') + paragraph('text'))],
    ['a.txt', iconv.encode('检索增强生成是一种人工智能技术。\n', 'gbk')],
    ['latin.txt', Buffer.from('a long line é\n'.repeat(100_000))],
    ['wide.md', Buffer.from(`---\na: 1\n---\n${'a long line 中\n'.repeat(100_000)}`)],
    ['a.csv', Buffer.from(`a,b\n${`1,"${'😀 '.repeat(100)}"\n`.repeat(4000)}`)],
  ])('come out as if they were read here: %s', async (uri, bytes) => {
    const plain = createPlainLoaders({ maxPages: 10, maxUnpackedBytes: 1_000_000 });
    expect(await load(loaders(), uri, bytes)).toEqual(await load(plain, uri, bytes));
  });

  it('are refused in the same words', async () => {
    await expect(load(loaders(), 'x.pdf', '<html>')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'x.pdf is not a PDF: it looks like HTML',
    });
  });

  it('wait for each other where there are more than threads', async () => {
    const list = loaders({ threads: 1 });
    const texts = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => (await load(list, 'a.html', `<p>page ${index}`)).text),
    );
    expect(texts).toEqual(Array.from({ length: 12 }, (_, index) => `page ${index}`));
  });

  it('leave small texts alone: no thread is needed for them', async () => {
    const list = loaders({ script: '/nowhere/worker.js' });
    expect((await load(list, 'a.md', '# A')).text).toBe('# A');
    await expect(load(list, 'a.png.txt', Buffer.from([0x89, 0x50, 0x4e, 0x47]))).rejects.toThrow(/PNG/);
    expect((await load(list, 'a.html', '')).warnings).toEqual([expect.stringContaining('is empty')]);
    await expect(load(list, 'a.html', page)).rejects.toThrow(/a\.html can't be read/);
  });
});

describe('a document that costs too much', () => {
  it('takes too long: it is ended, the limit is named, and the next one is read', async () => {
    const list = loaders({ documentTimeoutMs: 10_000, threads: 1 });
    const [bad, good] = await Promise.allSettled([load(list, 'loop.pdf', endless), load(list, 'a.html', page)]);
    expect(bad).toMatchObject({
      reason: {
        code: 'TIMEOUT',
        retryable: false,
        message: expect.stringMatching(/loop\.pdf.*ingest\.documentTimeoutMs.*10000/),
      },
    });
    // What waited its turn had all of its own time.
    expect(good).toMatchObject({ value: { text: '# A\n\ntext' } });
  });

  it('needs too much memory: likewise', async () => {
    const list = loaders({ threadMemoryMb: 48, threads: 1 });
    const [bad, good] = await Promise.allSettled([
      load(list, 'big.html', '<p>a <b>b</b> <i>c</i>'.repeat(300_000)),
      load(list, 'a.html', page),
    ]);
    expect(bad).toMatchObject({
      reason: { code: 'INPUT_INVALID', message: expect.stringMatching(/big\.html.*ingest\.threadMemoryMb.*48/) },
    });
    expect(good).toMatchObject({ value: { text: '# A\n\ntext' } });
  });

  it('unfolds to too much: likewise', async () => {
    const list = loaders({ maxUnpackedBytes: 1_000_000 });
    const bomb = zip(docxParts(paragraph('a'), { 'word/media/a.bin': Buffer.alloc(2_000_000) }));
    await expect(load(list, 'bomb.docx', bomb)).rejects.toThrow(/bomb\.docx.*ingest\.maxUnpackedBytes/);
    const content = deflateSync(deflateSync(Buffer.alloc(20_000_000, ' '))).toString('latin1');
    const stream = pdf([['a']]).toString('latin1');
    const bytes = stream.replace(
      /<< \/Length \d+ >>\nstream\n[\s\S]*?\nendstream/,
      () => `<< /Length ${content.length} /Filter [/FlateDecode /FlateDecode] >>\nstream\n${content}\nendstream`,
    );
    await expect(load(list, 'bomb.pdf', Buffer.from(bytes, 'latin1'))).rejects.toThrow(/bomb\.pdf.*ingest\.maxUnpackedBytes/);
    expect((await load(list, 'a.html', page)).text).toBe('# A\n\ntext');
  });
});

describe('an abort', () => {
  it('ends what runs, and what waits, with its reason; the rest goes on', async () => {
    const list = loaders({ threads: 1 });
    const controller = new AbortController();
    const running = load(list, 'loop.pdf', endless, controller.signal);
    const waiting = load(list, 'b.html', page, controller.signal);
    const other = load(list, 'c.html', page);
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(running).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow('enough');
    expect((await other).text).toBe('# A\n\ntext');
  });

  it('that came before is noticed', async () => {
    await expect(load(loaders(), 'a.html', page, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
  });
});

describe('closing', () => {
  it('ends what runs, and may be done twice', async () => {
    const list = loaders();
    const [loader] = list;
    const running = load(list, 'loop.pdf', endless);
    running.catch(() => {});
    await load(list, 'a.html', page);
    await loader?.close?.();
    await loader?.close?.();
    await expect(running).rejects.toThrow(/closed/);
    await expect(load(list, 'a.html', page)).rejects.toThrow(/closed/);
  });

  it('is quick where nothing was started', async () => {
    await expect(loaders()[0]?.close?.()).resolves.toBeUndefined();
  });
});
