import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openRag } from '../../src/sdk/index.js';
import { makeFolder, writeIn } from '../support/folder.js';
import { createEchoGenerator, createLetterEmbedder, openTestRag } from '../support/rag.js';

const NOTES = [
  { id: 'whales', text: 'The blue whale is the largest animal that ever lived.', metadata: { year: 2020, tags: ['sea'] } },
  { id: 'ants', text: 'Leaf cutter ants farm fungus under the ground.', metadata: { year: 2023, tags: ['land', 'small'] } },
  { id: 'stars', text: 'A red dwarf burns its hydrogen slowly.', metadata: { year: 2024 } },
] as const;

describe('ingest', () => {
  it('reports what it did, and does nothing the second time', async () => {
    const rag = await openTestRag();
    expect(await rag.ingest(NOTES)).toMatchObject({ added: 3, changed: 0, unchanged: 0, failed: [], documents: 3, chunks: 3 });
    expect(await rag.ingest(NOTES)).toMatchObject({ added: 0, changed: 0, unchanged: 3, documents: 3, chunks: 0 });
  });

  it('replaces a document whose text or metadata changed', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const changed = await rag.ingest([
      { ...NOTES[0], text: 'The fin whale is the second largest.' },
      { ...NOTES[1], metadata: { year: 1999 } },
    ]);
    expect(changed).toMatchObject({ added: 0, changed: 2, unchanged: 0 });
    const { hits } = await rag.search('largest whale');
    expect(hits.filter(({ documentId }) => documentId === 'whales').map(({ text }) => text)).toEqual([
      'The fin whale is the second largest.',
    ]);
    expect((await rag.search('ants', { filter: { year: 1999 } })).hits.map(({ documentId }) => documentId)).toEqual(['ants']);
  });

  it('embeds only the chunks whose text is new', async () => {
    const embedder = createLetterEmbedder();
    const caches = { embeddings: false, search: false, answers: false } as const;
    const groups = { default: { type: 'recursive', maxChars: 64, overlap: 0 } } as const;
    const rag = await openTestRag({ embedder, caches, groups });
    const paragraph = (word: string) => `${word} `.repeat(7).trim();
    await rag.ingest([{ id: 'a', text: [paragraph('first'), paragraph('second'), paragraph('third')].join('\n\n') }]);
    embedder.embedded.length = 0;
    await rag.ingest([{ id: 'a', text: [paragraph('first'), paragraph('changed'), paragraph('third')].join('\n\n') }]);
    expect(embedder.embedded).toEqual([paragraph('changed')]);
  });

  it('gives raw text without an id the hash of its content', async () => {
    const rag = await openTestRag();
    await rag.ingest([{ text: 'no name' }]);
    await rag.ingest([{ text: 'no name' }]);
    const { documents } = await rag.documents.list();
    expect(documents).toHaveLength(1);
    expect(documents[0]?.id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('reads a folder, tells each file, and goes on after a broken one', async () => {
    const folder = makeFolder({
      'a.md': '# One\n\ntext one',
      'b/c.txt': 'text two',
      'broken.txt': new Uint8Array([0x66, 0x00, 0x01, 0x02, 0x00]),
      'empty.txt': '',
    });
    const rag = await openTestRag();
    const report = await rag.ingest([folder]);
    expect(report).toMatchObject({ added: 3, documents: 3 });
    expect(report.failed.map(({ uri, code }) => [uri, code])).toEqual([['broken.txt', 'INPUT_INVALID']]);
    expect(report.warnings.map(({ uri }) => uri)).toEqual(['empty.txt']);
    expect((await rag.documents.list()).documents.map(({ id }) => id)).toEqual(['a.md', 'b/c.txt', 'empty.txt']);
  });

  it('does not take its own store for documents', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha' });
    const rag = await openTestRag({ store: { type: 'memory', path: `${folder}/store` } });
    expect(await rag.ingest([folder])).toMatchObject({ added: 1, failed: [] });
    expect(await rag.ingest([folder])).toMatchObject({ added: 0, unchanged: 1, failed: [] });
  });

  it('warns when a document takes the place of another folder’s', async () => {
    const rag = await openTestRag();
    await rag.ingest([makeFolder({ 'a.txt': 'alpha' })]);
    const other = makeFolder({ 'a.txt': 'another alpha' });
    const report = await rag.ingest([other]);
    expect(report.warnings).toEqual([{ uri: 'a.txt', message: expect.stringContaining('took the place') }]);
    expect((await rag.ingest([`${other}/*.txt`])).warnings).toEqual([]);
  });

  it.each([
    ['search', { filters: {} }, "did you mean 'filter'"],
    ['search', { topk: 3 }, "did you mean 'topK'"],
    ['generate', { maxToken: 3 }, "did you mean 'maxTokens'"],
    ['ingest', { prun: true }, "did you mean 'prune'"],
  ] as const)('%s refuses the option %j', async (call, options, words) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const calls = {
      search: () => rag.search('whale', options as never), // wrong on purpose
      generate: () => rag.generate('whale?', options as never),
      ingest: () => rag.ingest(NOTES, options as never),
    };
    await expect(calls[call]()).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(words) });
  });

  it('prunes what is gone from the same folder, and nothing else', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha', 'b.txt': 'beta' });
    const other = makeFolder({ 'c.txt': 'gamma' });
    const rag = await openTestRag();
    await rag.ingest([folder, other, { id: 'raw', text: 'raw' }]);
    rmSync(`${folder}/b.txt`);
    expect((await rag.ingest([folder])).removed).toBe(0);
    expect((await rag.ingest([folder], { prune: true })).removed).toBe(1);
    expect((await rag.documents.list()).documents.map(({ id }) => id)).toEqual(['a.txt', 'c.txt', 'raw']);
  });

  it('does not prune a folder that cannot be found', async () => {
    const folder = makeFolder({ 'docs/a.txt': 'alpha' });
    const rag = await openTestRag();
    await rag.ingest([`${folder}/docs`]);
    rmSync(`${folder}/docs`, { recursive: true });
    const report = await rag.ingest([`${folder}/docs`], { prune: true });
    expect(report).toMatchObject({ removed: 0, failed: [{ code: 'NOT_FOUND' }] });
    expect((await rag.documents.list()).documents).toHaveLength(1);
  });

  it('takes a document once that several sources name, with the metadata of its own', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha', 'b.txt': 'beta' });
    const rag = await openTestRag();
    const report = await rag.ingest([folder, { uri: `${folder}/a.txt`, metadata: { special: true } }], {
      metadata: { lang: 'en' },
    });
    expect(report).toMatchObject({ added: 2, failed: [] });
    const { documents } = await rag.documents.list();
    expect(documents.map(({ metadata }) => metadata)).toEqual([{ lang: 'en', special: true }, { lang: 'en' }]);
  });

  it.each([
    [
      'the same id with two texts',
      [
        { id: 'a', text: 'one' },
        { id: 'a', text: 'two' },
      ],
      'sources',
    ],
    ['nested metadata', [{ text: 'x', metadata: { author: { name: 'n' } } }], 'sources[1].metadata.author'],
    ['mixed lists', [{ text: 'x', metadata: { tags: ['a', 1] } }], 'sources[1].metadata.tags'],
    ['a number as a source', [7], 'sources[1]'],
    ['a misspelt key', [{ txt: 'x' }], 'sources[1].txt'],
    ['a web address', ['https://example.org/a.md'], 'https://example.org/a.md'],
  ])('refuses %s, naming it, before anything is written', async (_name, sources, path) => {
    const rag = await openTestRag();
    const call = rag.ingest([{ id: 'fine', text: 'fine' }, ...(sources as never[])]); // wrong on purpose
    await expect(call).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(path),
    });
    await expect(rag.documents.list()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses what lies outside the roots', async () => {
    const folder = makeFolder({ 'in/a.txt': 'alpha', 'out/b.txt': 'beta' });
    const rag = await openTestRag({ roots: [`${folder}/in`] });
    await expect(rag.ingest([`${folder}/in`, `${folder}/out`])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(rag.ingest(['../out/b.txt'])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await rag.ingest(['a.txt'])).toMatchObject({ added: 1 });
  });

  it('stops when aborted, keeps what was done, and finishes the next time', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`${String(index).padStart(3, '0')}.txt`, `note ${index} `.repeat(300)]),
    );
    const folder = makeFolder(files);
    const rag = await openTestRag();
    const stop = new AbortController();
    const ingesting = rag.ingest([folder], {
      signal: stop.signal,
      onProgress: ({ done }) => done >= 100 && stop.abort(new Error('stopped')),
    });
    await expect(ingesting).rejects.toThrow('stopped');
    const rest = await rag.ingest([folder]);
    expect(rest.unchanged).toBeGreaterThanOrEqual(100);
    expect(rest.added + rest.unchanged).toBe(300);
  });

  it('leaves one state when two run at once', async () => {
    const rag = await openTestRag();
    const text = (version: string) => ({ id: 'a', text: `${version} text of the document` });
    await Promise.all([rag.ingest([text('first')]), rag.ingest([text('second')]), rag.ingest([text('third')])]);
    expect((await rag.search('text document')).hits).toHaveLength(1);
  });
});

describe('search', () => {
  it('finds by meaning and words, best first, with everything a hit has', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const { hits, cached, tookMs } = await rag.search('the largest animal');
    expect(hits[0]).toEqual({
      id: expect.stringMatching(/^whales#[0-9a-f]{12}\/default\/000000$/),
      documentId: 'whales',
      uri: 'whales',
      text: NOTES[0].text,
      score: expect.any(Number),
      group: 'default',
      span: [0, NOTES[0].text.length],
      location: { lines: [1, 1] },
      metadata: { year: 2020, tags: ['sea'] },
    });
    expect(cached).toBe(false);
    expect(tookMs).toBeGreaterThan(0);
  });

  it.each([
    [{ year: { $gte: 2023 } }, ['ants', 'stars']],
    [{ tags: { $contains: 'sea' } }, ['whales']],
    [{ tags: { $exists: false } }, ['stars']],
    [{ $or: [{ year: 2020 }, { $documentId: 'stars' }] }, ['stars', 'whales']],
    [{ year: 1 }, []],
    [{}, ['ants', 'stars', 'whales']],
  ])('keeps to the filter %j in every mode', async (filter, expected) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
      const { hits } = await rag.search('whale ants hydrogen animal', { filter, mode, topK: 10 });
      expect(hits.map(({ documentId }) => documentId).sort()).toEqual(expected);
    }
  });

  it('is cached until a write, and explain goes past the cache', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const first = await rag.search('whale');
    expect(await rag.search(' whale ')).toMatchObject({ cached: true, hits: first.hits });
    const explained = await rag.search('whale', { explain: true, filter: { year: { $gte: 2000 } } });
    expect(explained).toMatchObject({ cached: false, explain: { residual: null, pushedDown: { year: { $gte: 2000 } } } });
    expect(explained.explain?.stages.map(({ name }) => name).sort()).toEqual(['embed', 'fetch', 'keyword', 'vector']);
    await rag.ingest([{ id: 'other', text: 'another whale' }]);
    const after = await rag.search('whale');
    expect(after.cached).toBe(false);
    expect(after.hits.map(({ documentId }) => documentId)).toContain('other');
  });

  it('gives frozen hits, so that no caller can spoil the cache', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const { hits } = await rag.search('whale');
    expect(Object.isFrozen(hits)).toBe(true);
    expect(Object.isFrozen(hits[0]?.metadata)).toBe(true);
  });

  it('takes several queries at once', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const { hits } = await rag.search(['whale', 'fungus'], { topK: 2 });
    expect(hits.map(({ documentId }) => documentId).sort()).toEqual(['ants', 'whales']);
  });

  it.each([
    ['', {}, 'query'],
    ['  \n ', {}, 'query'],
    ['x', { topK: 0 }, 'topK'],
    ['x', { topK: 101 }, 'topK'],
    ['x', { topK: 1.5 }, 'topK'],
    ['x', { mode: 'hybird' }, "did you mean 'hybrid'"],
    ['x', { groups: ['nope'] }, 'groups'],
    ['x', { filter: { year: { $gtt: 1 } } }, 'filter.year.$gtt'],
    ['x', { filter: { year: { $gt: Number.NaN } } }, 'year.$gt'],
    ['x', { filter: { year: null } }, 'year'],
    ['x', { collection: '../x' }, 'collection'],
  ])('refuses %j with %j', async (query, options, words) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const call = rag.search(query, options as never); // wrong on purpose
    await expect(call).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(words) });
  });

  it('refuses a query that is a document', async () => {
    const rag = await openTestRag();
    await expect(rag.search('x'.repeat(40_000))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('is NOT_FOUND before the first ingest', async () => {
    const rag = await openTestRag();
    await expect(rag.search('x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await rag.cacheStats()).toMatchObject({ collection: 'default', version: '' });
  });

  it('keeps collections apart', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await rag.ingest([{ id: 'only', text: 'a whale elsewhere' }], { collection: 'other' });
    expect((await rag.search('whale', { collection: 'other' })).hits.map(({ documentId }) => documentId)).toEqual(['only']);
    expect(await rag.collections.list()).toMatchObject([
      { name: 'default', documents: 3, chunks: 3 },
      { name: 'other', documents: 1, chunks: 1 },
    ]);
    await rag.collections.drop('other');
    await expect(rag.search('whale', { collection: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(rag.collections.drop('other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a durable store', () => {
  it('opens hot: the same hits in the same order, nothing embedded again', async () => {
    const path = makeFolder();
    const first = await openRag({ store: { type: 'memory', path } });
    await first.ingest(NOTES);
    const before = await first.search('largest animal farm', { topK: 3 });
    await first.close();

    const embedder = createLetterEmbedder('static');
    await expect(openRag({ store: { type: 'memory', path }, embedder })).rejects.toMatchObject({ code: 'FINGERPRINT_MISMATCH' });
    expect(embedder.embedded).toEqual([]);

    const again = await openTestRag({ store: { type: 'memory', path } });
    expect((await again.search('largest animal farm', { topK: 3 })).hits).toEqual(before.hits);
    expect(await again.ingest(NOTES)).toMatchObject({ unchanged: 3, chunks: 0 });
    expect((await again.cacheStats()).layers.embeddings.misses).toBe(1);
  });

  it('re-embeds one document when one file changed', async () => {
    const folder = makeFolder({ 'a.txt': 'alpha text', 'b.txt': 'beta text', 'c.txt': 'gamma text' });
    const path = makeFolder();
    const first = await openRag({ store: { type: 'memory', path } });
    await first.ingest([folder]);
    await first.close();
    writeIn(folder, 'b.txt', 'beta changed');
    const again = await openTestRag({ store: { type: 'memory', path } });
    expect(await again.ingest([folder])).toMatchObject({ changed: 1, unchanged: 2, chunks: 1 });
    expect((await again.cacheStats()).layers.embeddings.misses).toBe(1);
  });
});

describe('documents', () => {
  const LONG = ['# Title', '', 'First paragraph.', '', '## Part', '', '    indented code', '', 'Last paragraph.'].join('\n');

  it('are listed in pages', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const first = await rag.documents.list({ limit: 2 });
    expect(first.documents.map(({ id }) => id)).toEqual(['ants', 'stars']);
    const second = await rag.documents.list({ limit: 2, cursor: first.nextCursor });
    expect(second).toMatchObject({ documents: [{ id: 'whales', chunks: 1, metadata: { year: 2020, tags: ['sea'] } }] });
    expect(second.nextCursor).toBeUndefined();
    expect((await rag.documents.list({ filter: { year: { $lt: 2024 } } })).documents).toHaveLength(2);
  });

  it('are read as they were, whole, by lines and around a hit', async () => {
    const folder = makeFolder({ 'a.md': LONG });
    const rag = await openTestRag({ groups: { default: { type: 'auto', maxChars: 40, overlap: 0 } } });
    await rag.ingest([folder]);
    expect(await rag.documents.read('a.md')).toEqual({ id: 'a.md', uri: 'a.md', text: LONG, lines: [1, 9], metadata: {} });
    expect(await rag.documents.read('a.md', { lines: '3-5' })).toMatchObject({
      text: 'First paragraph.\n\n## Part',
      lines: [3, 5],
    });
    expect(await rag.documents.read('a.md', { maxChars: 30 })).toMatchObject({ lines: [1, 4], nextLine: 5 });
    const { hits } = await rag.search('last paragraph', { mode: 'keyword' });
    const around = await rag.documents.read('a.md', { around: hits[0]?.id, maxChars: 50 });
    expect(around.text).toContain('Last paragraph.');
    expect(around.lines[1]).toBe(9);
  });

  it('say so when a line does not fit, and keep whole characters', async () => {
    const rag = await openTestRag();
    await rag.ingest([{ id: 'long', text: `${'🐜'.repeat(10)} and more\nnext` }]);
    expect(await rag.documents.read('long', { maxChars: 5 })).toMatchObject({
      text: '🐜🐜',
      lines: [1, 1],
      cut: true,
      nextLine: 2,
    });
    const whole = await rag.documents.read('long');
    expect(whole).not.toHaveProperty('cut');
    expect(whole).not.toHaveProperty('nextLine');
  });

  it.each([
    ['nope', {}, 'NOT_FOUND'],
    ['whales', { lines: '9-2' }, 'INPUT_INVALID'],
    ['whales', { lines: '7' }, 'INPUT_INVALID'],
    ['whales', { around: 'nope' }, 'NOT_FOUND'],
    ['whales', { maxChars: 0 }, 'INPUT_INVALID'],
  ])('refuse to be read: %s %j', async (id, options, code) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await expect(rag.documents.read(id, options)).rejects.toMatchObject({ code });
  });

  it('are deleted by id or filter', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    expect(await rag.documents.delete({ ids: ['ants', 'unknown'] })).toEqual({ removed: 1 });
    expect(await rag.documents.delete({ filter: { year: { $gte: 2024 } } })).toEqual({ removed: 1 });
    expect((await rag.search('whale ants hydrogen')).hits).toHaveLength(1);
    expect(await rag.documents.delete({ all: true })).toEqual({ removed: 1 });
  });

  it('are deleted from the collection that is named beside the ids', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await rag.ingest(NOTES, { collection: 'other' });
    expect(await rag.documents.delete({ ids: ['ants'], collection: 'other' })).toEqual({ removed: 1 });
    expect((await rag.documents.list()).documents).toHaveLength(3);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(rag.documents.delete({ ids: ['ants'], signal })).rejects.toThrow('enough');
  });

  it.each([
    [undefined],
    [{}],
    [{ filter: {} }],
    [{ ids: ['ants'], filter: { a: 1 } }],
    [{ ids: 'ants' }],
    [{ all: false }],
    [{ ids: ['ants'], filtre: { year: 1999 } }],
  ])('are not deleted by %j', async (selection) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await expect(rag.documents.delete(selection as never)).rejects.toMatchObject({ code: 'INPUT_INVALID' }); // wrong on purpose
    expect((await rag.documents.list()).documents).toHaveLength(3);
  });
});

describe('answers', () => {
  it('cite their sources and tell their times', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const answer = await rag.generate('which animal is the largest?', { topK: 2 });
    expect(answer).toMatchObject({
      finish: 'stop',
      cached: false,
      engine: 'echo',
      model: 'one',
      metrics: { inputTokens: 10, outputTokens: 4 },
    });
    expect(answer.sources[0]).toMatchObject({ index: 1, cited: true, documentId: 'whales' });
    expect(answer.sources[1]).toMatchObject({ index: 2, cited: false });
  });

  it('are watched as hits, text, finish', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    const types: string[] = [];
    for await (const event of rag.stream('largest animal?')) types.push(event.type);
    expect(types[0]).toBe('hits');
    expect(types.at(-1)).toBe('finish');
    expect(types.slice(1, -1).every((type) => type === 'text-delta')).toBe(true);
  });

  it('are cached until a write', async () => {
    const generator = createEchoGenerator();
    const rag = await openTestRag({ generator });
    await rag.ingest(NOTES);
    const first = await rag.generate('largest animal?');
    const second = await rag.generate('largest animal?');
    expect(second).toMatchObject({ text: first.text, cached: 'exact', metrics: { ttftMs: null, outputTokens: null } });
    expect(generator.requests).toHaveLength(1);
    await rag.ingest([{ id: 'new', text: 'something new' }]);
    expect((await rag.generate('largest animal?')).cached).toBe(false);
  });

  it('asked for a hundred times at once cost one call, and one caller leaving ends nobody', async () => {
    const generator = createEchoGenerator();
    const rag = await openTestRag({ generator });
    await rag.ingest(NOTES);
    const leaver = new AbortController();
    const all = Array.from({ length: 100 }, (_, index) =>
      rag.generate('largest animal?', index === 50 ? { signal: leaver.signal } : {}),
    );
    leaver.abort(new Error('left'));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(99);
    expect(outcomes[50]).toMatchObject({ status: 'rejected', reason: { message: 'left' } });
    expect(generator.requests).toHaveLength(1);
  });

  it('stop the engine when the only watcher leaves the loop', async () => {
    const generator = createEchoGenerator();
    const rag = await openTestRag({ generator });
    await rag.ingest(NOTES);
    for await (const event of rag.stream('largest animal?')) if (event.type === 'text-delta') break;
    expect(generator.requests[0]?.signal?.aborted).toBe(true);
  });

  it('see the turns before in a session', async () => {
    const seen: number[] = [];
    const echo = createEchoGenerator();
    const generator = {
      ...echo,
      generate: (...call: Parameters<typeof echo.generate>) => {
        seen.push(call[0].messages.length);
        return echo.generate(...call);
      },
    };
    const rag = await openTestRag({ generator });
    await rag.ingest(NOTES);
    await rag.generate('largest animal?', { session: 's' });
    await rag.generate('and the smallest?', { session: 's' });
    await rag.generate('and the smallest?');
    expect(seen).toEqual([2, 4, 2]);
  });

  it('name the question when it is empty', async () => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await expect(rag.generate(' ')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'question: is empty; say what to look for',
    });
  });

  it('carry the hits when generation fails', async () => {
    const failing = {
      ...createEchoGenerator(),
      generate: () => {
        throw new Error('no power');
      },
    };
    const rag = await openTestRag({ generator: failing });
    await rag.ingest(NOTES);
    await expect(rag.generate('largest animal?')).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      hits: [{ documentId: 'whales' }, {}, {}],
    });
  });

  it.each([[{ temperature: 3 }], [{ maxTokens: 0 }], [{ topK: 0 }]])('refuse %j', async (options) => {
    const rag = await openTestRag();
    await rag.ingest(NOTES);
    await expect(rag.generate('largest?', options)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('the whole', () => {
  it('refuses an unknown option and names the right one', async () => {
    await expect(openRag({ colection: 'x' } as never)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('collection'),
    });
  });

  it('refuses an embedder that returns wrong lengths or no numbers', async () => {
    const short = { ...createLetterEmbedder(), embed: async (texts: readonly string[]) => texts.map(() => new Float32Array(3)) };
    const rag = await openTestRag({ embedder: short });
    await expect(rag.ingest(NOTES)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining('27 were promised'),
    });
  });

  it.each([
    ['no list', undefined, 'returned no list of vectors'],
    ['plain lists', [[1, 2]], 'no Float32Array'],
  ])('refuses an embedder that returns %s', async (_, vectors, message) => {
    const embed = async () => vectors as never; // wrong on purpose
    const rag = await openTestRag({ embedder: { id: 'e', dimensions: 2, maxBatch: 8, embed } });
    await expect(rag.ingest({ text: 'x' })).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    [{ id: '' }, 'embedder.id'],
    [{ dimensions: 0 }, 'embedder.dimensions'],
    [{ maxBatch: 0 }, 'embedder.maxBatch'],
    [{ hybridWeight: 40 }, 'embedder.hybridWeight'],
    [{ scripts: ['Latin', 'latin'] }, `embedder.scripts[1]: "latin" is no Unicode script; did you mean 'Latin'?`],
  ])('refuses an embedder that says of itself %j', async (wrong, message) => {
    await expect(openRag({ embedder: { ...createLetterEmbedder(), ...wrong } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('knows a script by its short name too', async () => {
    const rag = await openTestRag({ embedder: { ...createLetterEmbedder(), scripts: ['Latn'] } });
    await rag.ingest(NOTES);
    expect((await rag.search('whale', { mode: 'vector' })).hits).toHaveLength(3);
  });

  it('can be closed twice, and says so afterwards', async () => {
    const rag = await openRag();
    await rag.ingest(NOTES);
    await rag.close();
    await rag.close();
    await expect(rag.search('x')).rejects.toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('closed') });
  });
});
