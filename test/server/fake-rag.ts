import { RagError } from '../../src/core/errors.js';
import type { Answer, AnswerEvent, CacheLayerStats, Hit, IngestReport, Rag } from '../../src/core/types.js';

/** An engine that answers from constants and writes down what it was asked. */
export interface FakeRag {
  readonly rag: Rag;
  /** Method and arguments of every call, without signals and callbacks. */
  readonly calls: readonly (readonly [method: string, ...parts: unknown[]])[];
}

export const hits: readonly Hit[] = [
  {
    id: 'guide.md#abc/default/000000',
    documentId: 'guide.md',
    uri: 'guide.md',
    text: 'Ropes are sixty metres long.\n```\ncode\n```',
    score: 0.91234,
    group: 'default',
    span: [10, 50],
    location: { lines: [3, 6], headings: ['Guide', 'Ropes'] },
    metadata: { year: 2023, tags: ['rope', 'gear'] },
  },
  {
    id: 'paper.pdf#def/default/000004',
    documentId: 'paper.pdf',
    uri: 'paper.pdf',
    text: 'x'.repeat(500),
    score: 0.5,
    group: 'default',
    span: [900, 1400],
    location: { page: 4 },
    metadata: {},
  },
];

export const report: IngestReport = {
  added: 2,
  changed: 0,
  unchanged: 1,
  removed: 0,
  failed: [{ uri: 'bad.bin', code: 'INPUT_INVALID', message: 'bad.bin: is binary' }],
  warnings: [{ uri: 'a.md', message: 'the front matter was left out' }],
  documents: 4,
  chunks: 9,
  tookMs: 12.5,
};

export const answer: Answer = {
  text: 'Sixty metres [1].',
  sources: [{ index: 1, cited: true, hitId: 'guide.md#abc/default/000000', documentId: 'guide.md', uri: 'guide.md' }],
  finish: 'stop',
  cached: false,
  engine: 'fake',
  model: 'tiny',
  metrics: {
    ttftMs: 5,
    tpotMs: null,
    inputTokens: 40,
    cachedTokens: null,
    outputTokens: 6,
    tokensPerSecond: null,
    loadMs: null,
    queueMs: 0,
    retrieveMs: 2,
    totalMs: 30,
    source: 'client',
  },
};

const layer: CacheLayerStats = {
  hits: 3,
  misses: 1,
  hitRate: 0.75,
  entries: 4,
  bytes: 1024,
  evictions: 0,
  savedMs: 120,
  tiers: [{ name: 'memory', hits: 3, misses: 1, errors: 0 }],
};

export function createFakeRag(overrides: Partial<Rag> = {}): FakeRag {
  const calls: (readonly [string, ...unknown[]])[] = [];
  const note = (method: string, ...parts: unknown[]) => {
    calls.push([method, ...parts.map((part) => JSON.parse(JSON.stringify(part ?? null)))]);
  };
  const rag: Rag = {
    collection: 'default',
    async ingest(sources, options = {}) {
      const { signal, onProgress, ...rest } = options;
      note('ingest', sources, rest);
      for (let done = 1; done <= 4; done++) onProgress?.({ phase: 'ingesting', done, total: 4, chunks: done, uri: `${done}.md` });
      return report;
    },
    async *watch() {
      yield report;
    },
    async search(query, options = {}) {
      const { signal, ...rest } = options;
      note('search', query, rest);
      return { hits, tookMs: 1.5, cached: false, ...(options.explain === true && { explain }) };
    },
    async generate(question) {
      note('generate', question);
      return answer;
    },
    async *stream(question, options = {}): AsyncIterable<AnswerEvent> {
      const { signal, ...rest } = options;
      note('stream', question, rest);
      yield { type: 'hits', hits };
      for (const text of ['Sixty ', 'metres ', '[1].']) yield { type: 'text-delta', text };
      yield { type: 'finish', answer };
    },
    documents: {
      async list(options = {}) {
        const { signal, ...rest } = options;
        note('list', rest);
        const document = {
          id: 'guide.md',
          uri: 'guide.md',
          hash: 'abc',
          chunks: 3,
          metadata: { year: 2023 },
          updatedAt: '2026-01-01T00:00:00.000Z',
        };
        return { documents: [document], nextCursor: 'guide.md' };
      },
      async read(id, options = {}) {
        const { signal, ...rest } = options;
        note('read', id, rest);
        if (id !== 'guide.md') throw new RagError('NOT_FOUND', `document "${id}" is not in collection 'default'`);
        return { id, uri: id, text: 'one\ntwo', lines: [1, 2], metadata: { year: 2023 } };
      },
      async delete(selection, options = {}) {
        const { signal, ...rest } = options;
        note('delete', selection, rest);
        return { removed: 2 };
      },
    },
    collections: {
      list: async () => [],
      drop: async () => {},
    },
    async cacheStats(options = {}) {
      const { signal, ...rest } = options;
      note('cacheStats', rest);
      return { layers: { embeddings: layer, search: layer, answers: layer }, collection: 'default', version: '7' };
    },
    warm: async () => {},
    close: async () => {},
    ...overrides,
  };
  return { rag, calls };
}

const explain = {
  stages: [{ name: 'embed', ms: 0.4, detail: 'cached' }],
  index: 'flat + bm25',
  pushedDown: { year: { $eq: 2023 } },
  residual: null,
};
