import { afterEach, describe, expect, it } from 'vitest';
import { RagError } from '../../src/core/errors.js';
import type { IngestReport, Rag } from '../../src/core/types.js';
import { createServer } from '../../src/server/index.js';
import { type ConnectionOptions, connections, type Session } from './connections.js';
import { answer, createFakeRag, hits, report } from './fake-rag.js';

/** One table for every client and transport: what works over one works over all. */
describe.each(connections)('$name', ({ open }) => {
  let session: Session | undefined;
  afterEach(async () => {
    await session?.close();
    session = undefined;
  });

  async function start(overrides: Partial<Rag> = {}, options: ConnectionOptions = {}) {
    const { rag, calls } = createFakeRag(overrides);
    const opened = await open(createServer(rag, { roots: ['/docs'], instructions: 'Read this.' }), options);
    session = opened;
    return { session: opened, calls };
  }

  it('calls every tool', async () => {
    const { session } = await start();
    expect(session.instructions()).toBe('Read this.');
    const names = await session.tools();
    expect([...names].sort()).toEqual(Object.keys(INPUTS).sort());
    for (const name of names) {
      const { structured, code } = await session.call(name, INPUTS[name]);
      expect(code).toBeUndefined();
      expect(structured).toBeTypeOf('object');
    }
    expect((await session.call('search', { query: 'rope' })).structured).toMatchObject({ hits });
    expect((await session.call('ingest', { documents: [{ text: 'a' }] })).structured).toEqual(report);
  });

  it('tells errors by their code', async () => {
    const { session } = await start();
    expect((await session.call('search', { query: 'a', topk: 3 })).code).toBe('INPUT_INVALID');
    expect((await session.call('read-document', { id: 'nowhere.md' })).code).toBe('NOT_FOUND');
    await expect(session.call('serch', { query: 'a' })).rejects.toThrow(/serch/);
  });

  it('tells the progress of an ingest and of an answer', async () => {
    const { session } = await start();
    const steps: number[] = [];
    await session.call('ingest', { sources: ['/docs'] }, { onProgress: ({ progress }) => steps.push(progress) });
    expect(steps.at(-1)).toBe(4);
    const pieces: string[] = [];
    const { structured } = await session.call(
      'generate',
      { question: 'how long?' },
      { onProgress: ({ message = '' }) => pieces.push(message) },
    );
    expect(pieces.join('')).toBe('Sixty metres [1].');
    expect(structured).toEqual(answer);
  });

  it('cancels a search that is under way', async () => {
    let aborted = (_reason: unknown) => {};
    const ended = new Promise((resolve) => {
      aborted = resolve;
    });
    const cancel = new AbortController();
    const search: Rag['search'] = (_query, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          aborted(signal.reason);
          reject(signal.reason);
        });
        cancel.abort();
      });
    const { session } = await start({ search });
    await expect(session.call('search', { query: 'a' }, { signal: cancel.signal })).rejects.toThrow();
    await ended;
  });

  it('lists, reads and completes resources, page by page', async () => {
    const { rag } = createFakeRag();
    const collections: Rag['collections'] = {
      ...rag.collections,
      list: async () => [
        { name: 'default', documents: 2, chunks: 6, embedder: 'static' },
        { name: 'notes', documents: 1, chunks: 3, embedder: 'static' },
      ],
    };
    const documents: Rag['documents'] = {
      ...rag.documents,
      async list(options = {}) {
        const { documents } = await rag.documents.list(options);
        const first = documents.map((document) => ({ ...document, id: 'docs/guide.md' }));
        return options.cursor === undefined && options.collection === 'default'
          ? { documents: first, nextCursor: 'x' }
          : { documents };
      },
    };
    const { session } = await start({ collections, documents });
    expect(await session.resources()).toEqual([
      'hotrag://default',
      'hotrag://notes',
      'hotrag://default/docs%2Fguide.md',
      'hotrag://default/guide.md',
      'hotrag://notes/guide.md',
    ]);
    await expect(session.resources('nonsense')).rejects.toThrow(/cursor/);
    expect(await session.templates()).toEqual(['hotrag://{collection}', 'hotrag://{collection}/{document}']);
    expect(await session.read('hotrag://default/guide.md')).toBe('one\ntwo');
    expect(await session.read('hotrag://default')).toContain('# default');
    await expect(session.read('hotrag://default/nowhere.md')).rejects.toThrow();
    await expect(session.read('file:///etc/passwd')).rejects.toThrow();
    expect(await session.complete('hotrag://{collection}', 'collection', 'no')).toEqual(['notes']);
    expect(await session.complete('hotrag://{collection}/{document}', 'document', 'docs')).toEqual(['docs/guide.md']);
  });

  it('tells of a resource that changed', async () => {
    const { session } = await start();
    const { told } = await session.updated('hotrag://default/4.md');
    await session.call('ingest', { sources: ['/docs'] });
    await told;
  });

  it('gives the prompts', async () => {
    const { session } = await start();
    expect(await session.prompts()).toEqual(['answer-from-sources', 'compare', 'what-is-in-here']);
    expect(await session.prompt('answer-from-sources', { question: 'how long?' })).toContain('Ropes are sixty metres long.');
    expect(await session.prompt('compare', { first: 'ropes', second: 'cords' })).toContain('## On cords');
    expect(await session.prompt('what-is-in-here', {})).toContain('guide.md');
    await expect(session.prompt('compare', { first: 'ropes' })).rejects.toThrow(/second: is required/);
    await expect(session.prompt('conpare', {})).rejects.toThrow(/there is no prompt/);
  });

  it("lets the client's model answer where no engine can be reached", async () => {
    const prompts: string[] = [];
    const model = (prompt: string) => {
      prompts.push(prompt);
      return 'Sixty metres [1].';
    };
    const { session } = await start({ stream: noEngine }, { model });
    const { structured, text } = await session.call('generate', { question: 'how long?' });
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain('Ropes are sixty metres long.');
    expect(structured).toMatchObject({
      text: 'Sixty metres [1].',
      engine: 'client',
      model: 'test-model',
      sources: [{ index: 1, cited: true, uri: 'guide.md' }, { cited: false }],
      metrics: { ttftMs: null, tpotMs: null, inputTokens: null, outputTokens: null, tokensPerSecond: null, queueMs: null },
    });
    expect(text).toContain('Sixty metres [1].');
  });

  it('says NO_ENGINE and gives the hits where the client has no model either', async () => {
    const { session } = await start({ stream: noEngine });
    const { code, text } = await session.call('generate', { question: 'how long?' });
    expect(code).toBe('NO_ENGINE');
    expect(text).toContain('Ropes are sixty metres long.');
  });

  it('joins an ingest that goes on after its client lost patience', async () => {
    let begun = 0;
    let finish = (_report: IngestReport) => {};
    let started = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const ingest: Rag['ingest'] = (_sources, { onProgress } = {}) => {
      begun++;
      onProgress?.({ phase: 'ingesting', done: 3, total: 9, chunks: 3, uri: '3.md' });
      return new Promise((resolve) => {
        finish = resolve;
        started();
      });
    };
    const { session } = await start({ ingest });
    const impatient = new AbortController();
    const first = session.call('ingest', { sources: ['/docs'] }, { signal: impatient.signal }).catch(() => 'gave up');
    await running;
    impatient.abort(new Error('Request timed out'));
    expect(await first).toBe('gave up');
    const second = session.call('ingest', { sources: ['/docs'] }, { onProgress: () => finish(report) });
    expect((await second).structured).toEqual(report);
    expect(begun).toBe(1);
  });
});

const INPUTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  search: { query: 'rope' },
  'read-document': { id: 'guide.md' },
  generate: { question: 'how long?' },
  'list-documents': {},
  ingest: { documents: [{ text: 'remember' }] },
  'delete-documents': { ids: ['a.md'] },
  'cache-stats': {},
};

// biome-ignore lint/correctness/useYield: it fails before its first event
async function* noEngine(): AsyncGenerator<never> {
  throw new RagError('NO_ENGINE', 'no language model is reachable', { hits });
}
