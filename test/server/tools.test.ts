import { afterEach, describe, expect, it } from 'vitest';
import { RagError } from '../../src/core/errors.js';
import type { Rag } from '../../src/core/types.js';
import { createServer, type ServerOptions } from '../../src/server/index.js';
import { type Connection, connect } from './connect.js';
import { answer, createFakeRag, hits, report } from './fake-rag.js';

let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  connection = undefined;
});

async function open(overrides: Partial<Rag> = {}, options: ServerOptions = {}) {
  const { rag, calls } = createFakeRag(overrides);
  connection = await connect(createServer(rag, { roots: ['/docs'], ...options }));
  const { client } = connection;
  await client.listTools(); // from here on the client checks structured results against the output schemas
  return {
    calls,
    client,
    async call(name: string, input: Record<string, unknown> = {}) {
      const result = await client.callTool({ name, arguments: input });
      const [content] = result.content as { type: string; text: string }[];
      const { structuredContent, isError, _meta } = result;
      return { structuredContent, isError, _meta, text: content?.text ?? '' };
    },
  };
}

describe('tool table', () => {
  it('lists the seven tools with titles, annotations and both schemas', async () => {
    const { client } = await open();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'cache-stats',
      'delete-documents',
      'generate',
      'ingest',
      'list-documents',
      'read-document',
      'search',
    ]);
    const readOnly = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name);
    expect(readOnly.sort()).toEqual(['cache-stats', 'generate', 'list-documents', 'read-document', 'search']);
    const destructive = tools.filter(({ annotations }) => annotations?.destructiveHint).map(({ name }) => name);
    expect(destructive.sort()).toEqual(['delete-documents', 'ingest']);
    for (const tool of tools) {
      expect(tool.title).toBeTruthy();
      expect(tool.description?.length).toBeGreaterThan(80);
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
      expect(JSON.stringify(tool)).not.toContain('prefixItems');
      expect(JSON.stringify(tool)).not.toContain('$schema');
    }
  });

  it('answers an unknown tool with an error', async () => {
    const { client } = await open();
    await expect(client.callTool({ name: 'serch', arguments: {} })).rejects.toThrow(/serch/);
  });
});

describe('search', () => {
  it('passes every option through and gives the hits', async () => {
    const { call, calls } = await open();
    const input = {
      filter: { year: { $gte: 2020 } },
      topK: 3,
      mode: 'keyword',
      groups: ['fine'],
      rerank: false,
      collection: 'notes',
    };
    const result = await call('search', { query: 'rope length', ...input });
    expect(calls).toEqual([['search', 'rope length', input]]);
    expect(result.structuredContent).toEqual({ hits, tookMs: 1.5, cached: false });
  });

  it('reads as numbered hits with uri, lines and fenced text', async () => {
    const { call } = await open();
    const { text } = await call('search', { query: ['rope', 'cord'] });
    expect(text).toContain('2 hits');
    expect(text).toContain('[1] guide.md · lines 3–6 · Guide > Ropes · score 0.912');
    expect(text).toContain('id: guide.md#abc/default/000000');
    expect(text).toContain('metadata: year=2023, tags=["rope","gear"]');
    expect(text).toContain('````\nRopes are sixty metres long.\n```\ncode\n```\n````');
    expect(text).toContain('[2] paper.pdf · page 4');
  });

  it('tells the stages when asked to explain', async () => {
    const { call } = await open();
    const { text, structuredContent } = await call('search', { query: 'rope', explain: true });
    expect(text).toContain('Index: flat + bm25\n- embed: 0.4 ms, cached');
    expect(structuredContent).toMatchObject({ explain: { pushedDown: { year: { $eq: 2023 } }, residual: null } });
  });

  it('cuts texts to maxChars in all, and says so', async () => {
    const { call } = await open();
    const { text, structuredContent } = await call('search', { query: 'rope', maxChars: 100 });
    const found = (structuredContent as { hits: { text: string; cut?: boolean }[] }).hits;
    expect(found.map((hit) => hit.text.length)).toEqual([41, 59]);
    expect(found.map((hit) => hit.cut)).toEqual([undefined, true]);
    expect(found[1]?.text.endsWith('…')).toBe(true);
    expect(text).toContain('(cut to fit maxChars; read-document with id paper.pdf has more)');
  });

  it('advises when nothing was found', async () => {
    const { call } = await open({ search: async () => ({ hits: [], tookMs: 1, cached: true }) });
    expect((await call('search', { query: 'rope' })).text).toMatch(/^0 hits, 1 ms, from the cache\. Try other words/);
  });

  it('says that indexing goes on, with results and with failures', async () => {
    const search = async () => {
      throw new RagError('NOT_FOUND', "there is no collection 'default'");
    };
    const status = () => '3 of 10 files are indexed so far';
    const { call } = await open({}, { status });
    expect((await call('search', { query: 'rope' })).text).toContain('Note: 3 of 10 files are indexed so far');
    expect((await call('cache-stats')).text).not.toContain('Note:');
    await connection?.close();
    const failing = await open({ search }, { status });
    expect((await failing.call('search', { query: 'rope' })).text).toMatch(/NOT_FOUND[\s\S]*Note: 3 of 10/);
  });
});

describe('the other tools', () => {
  it('ingest hands over sources, texts, options and the allowed folders', async () => {
    const { call, calls } = await open();
    const result = await call('ingest', {
      sources: ['/docs/*.md', { uri: '/docs/a.pdf', metadata: { year: 2023 } }],
      documents: [{ id: 'note', text: 'remember', metadata: { lang: 'en', gone: null } }],
      metadata: { team: 'x' },
      prune: true,
    });
    const sources = [
      '/docs/*.md',
      { uri: '/docs/a.pdf', metadata: { year: 2023 } },
      { id: 'note', text: 'remember', metadata: { lang: 'en' } },
    ];
    expect(calls).toEqual([['ingest', sources, { metadata: { team: 'x' }, prune: true, roots: ['/docs'] }]]);
    expect(result.structuredContent).toEqual(report);
    expect(result.text).toContain('2 added, 0 changed, 1 unchanged, 0 removed, 1 failed; 9 chunks written');
    expect(result.text).toContain('- bad.bin: INPUT_INVALID: bad.bin: is binary');
    expect(result.text).toContain('- a.md: the front matter was left out');
  });

  it('ingest tells its progress, the last step included, in growing numbers', async () => {
    const { client } = await open();
    const seen: { progress: number; total?: number | undefined; message?: string | undefined }[] = [];
    await client.callTool({ name: 'ingest', arguments: { sources: ['/docs'] } }, undefined, {
      onprogress: (update) => seen.push(update),
    });
    expect(seen.at(-1)).toEqual({ progress: 4, total: 4, message: '4.md' });
    expect(seen.map(({ progress }) => progress)).toEqual([...seen.map(({ progress }) => progress)].sort((a, b) => a - b));
  });

  it('generate streams its text as progress and ends with the answer', async () => {
    const { client } = await open();
    const seen: string[] = [];
    const result = await client.callTool({ name: 'generate', arguments: { question: 'how long?' } }, undefined, {
      onprogress: ({ message }) => seen.push(message ?? ''),
    });
    expect(seen).toEqual(['Sixty ', 'metres ', '[1].']);
    expect(result.structuredContent).toEqual(answer);
  });

  it('sends no progress to a client that did not ask for it', async () => {
    const { call } = await open();
    await call('generate', { question: 'how long?' });
    expect(connection?.lines.filter((line) => line.includes('notifications/progress'))).toEqual([]);
  });

  it('generate passes its options through and reads as answer with sources', async () => {
    const { call, calls } = await open();
    const options = {
      filter: { year: 2023 },
      topK: 2,
      mode: 'vector',
      maxTokens: 100,
      temperature: 0,
      session: 's',
      collection: 'c',
    };
    const { text } = await call('generate', { question: 'how long?', ...options });
    expect(calls).toEqual([['stream', 'how long?', options]]);
    expect(text).toBe('Sixty metres [1].\n\nSources:\n[1] guide.md · id: guide.md#abc/default/000000\n\nfake/tiny, 30 ms');
  });

  it('generate fails clearly when the stream ends without an answer', async () => {
    const { call } = await open({
      async *stream() {
        yield { type: 'text-delta', text: 'half' };
      },
    });
    expect(await call('generate', { question: 'how long?' })).toMatchObject({
      isError: true,
      _meta: { 'hotrag/error': 'UPSTREAM_FAILED' },
    });
  });

  it('read-document reads around a hit, or lines, or all up to a bound that it states', async () => {
    const { call, calls } = await open();
    await call('read-document', { id: 'guide.md', around: 'guide.md#abc/default/000000' });
    await call('read-document', { id: 'guide.md', lines: '1-2', maxChars: 10 });
    const { text, structuredContent } = await call('read-document', { id: 'guide.md' });
    expect(calls).toEqual([
      ['read', 'guide.md', { around: 'guide.md#abc/default/000000' }],
      ['read', 'guide.md', { lines: '1-2', maxChars: 10 }],
      ['read', 'guide.md', { maxChars: 100_000 }],
    ]);
    expect(structuredContent).toEqual({
      id: 'guide.md',
      uri: 'guide.md',
      text: 'one\ntwo',
      lines: [1, 2],
      metadata: { year: 2023 },
    });
    expect(text).toBe('guide.md · lines 1–2\nmetadata: year=2023\n\n```\none\ntwo\n```');
  });

  it('read-document tells where the document goes on', async () => {
    const part = { id: 'a', uri: 'a', text: 'on', lines: [3, 3], metadata: {}, nextLine: 4, cut: true } as const;
    const { rag } = createFakeRag();
    const { call } = await open({ documents: { ...rag.documents, read: async () => part } });
    const { text } = await call('read-document', { id: 'a' });
    expect(text).toContain('Line 3 is longer than this');
    expect(text).toContain('The document goes on at line 4');
  });

  it('list-documents pages', async () => {
    const { call, calls } = await open();
    const { text, structuredContent } = await call('list-documents', { filter: { year: 2023 }, limit: 1, cursor: 'a.md' });
    expect(calls).toEqual([['list', { filter: { year: 2023 }, limit: 1, cursor: 'a.md' }]]);
    expect(structuredContent).toMatchObject({ nextCursor: 'guide.md' });
    expect(text).toContain('- guide.md · 3 chunks · 2026-01-01T00:00:00.000Z year=2023');
    expect(text).toContain('call again with cursor "guide.md"');
  });

  it('delete-documents hands the whole selection to the engine, which guards it', async () => {
    const { call, calls } = await open();
    const { text, structuredContent } = await call('delete-documents', {
      ids: ['a.md'],
      filter: {},
      all: false,
      collection: 'c',
    });
    expect(calls).toEqual([['delete', { ids: ['a.md'], filter: {}, all: false }, { collection: 'c' }]]);
    expect(structuredContent).toEqual({ removed: 2 });
    expect(text).toBe('2 documents removed');
  });

  it('cache-stats tells each layer', async () => {
    const { call } = await open();
    const { text, structuredContent } = await call('cache-stats');
    expect(structuredContent).toMatchObject({ collection: 'default', version: '7', layers: { answers: { hits: 3 } } });
    expect(text).toContain('search: 75 % of 4 look-ups hit, 4 values (1024 bytes), 0 evicted, 120 ms saved');
  });
});
