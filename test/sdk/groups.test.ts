import { describe, expect, it } from 'vitest';
import type { Chunker, TextGenerator } from '../../src/core/contracts.js';
import { createEchoGenerator, createLetterEmbedder, openTestRag } from '../support/rag.js';

const TEXT = [
  '# Kitchen\n\nThe kettle boils water. The oven bakes bread. The sink is made of steel.',
  '# Garage\n\nThe car needs oil. A bicycle hangs on the wall. Winter tyres lie below.',
  '# Attic\n\nOld letters are in a chest. A violin without strings stands beside it. Dust is everywhere.',
].join('\n\n');

const GROUPS = {
  coarse: { type: 'markdown', maxChars: 200, overlap: 0 },
  fine: { type: 'sentence', maxChars: 200 },
} as const;

const engine = (text: string, calls: string[] = []): TextGenerator => ({
  ...createEchoGenerator(),
  async *generate({ messages }) {
    calls.push(messages.at(-1)?.content ?? '');
    yield { type: 'text-delta', text };
    yield { type: 'finish', reason: 'stop', usage: { inputTokens: 1, outputTokens: 1 } };
  },
});

describe('several groups', () => {
  it('hold the same document, each cut its own way', async () => {
    const rag = await openTestRag({ groups: GROUPS });
    await rag.ingest({ id: 'house', text: TEXT });
    const fine = await rag.search('violin', { groups: ['fine'], mode: 'keyword' });
    expect(fine.hits.map(({ text, group }) => [group, text])).toEqual([['fine', 'A violin without strings stands beside it.']]);
    const coarse = await rag.search('violin', { groups: ['coarse'], mode: 'keyword' });
    expect(coarse.hits[0]?.text).toContain('Old letters');
  });

  it('are searched side by side, so that each gives its best', async () => {
    const rag = await openTestRag({ groups: GROUPS });
    await rag.ingest({ id: 'house', text: TEXT });
    const { hits } = await rag.search('violin', { mode: 'keyword' });
    expect(hits.map(({ group }) => group).sort()).toEqual(['coarse', 'fine']);
  });

  it('give what is large for what was found small', async () => {
    const rag = await openTestRag({ groups: GROUPS });
    await rag.ingest({ id: 'house', text: TEXT });
    const { hits, explain } = await rag.search('violin chest', {
      groups: ['fine'],
      returns: 'coarse',
      mode: 'keyword',
      explain: true,
    });
    expect(hits.map(({ group, text }) => [group, text.includes('violin'), text.includes('letters')])).toEqual([
      ['coarse', true, true],
    ]);
    expect(explain?.stages.map(({ name }) => name)).toContain('parents');
  });

  it('rank a parent that two groups led to above one that only one did', async () => {
    const rag = await openTestRag({ groups: { ...GROUPS, words: { type: 'recursive', maxChars: 40, overlap: 0 } } });
    await rag.ingest({ id: 'house', text: TEXT });
    const { hits } = await rag.search('oven', { groups: ['fine', 'words'], returns: 'coarse', mode: 'keyword' });
    expect(hits[0]?.score).toBeCloseTo(1);
  });

  it('show what was found itself, where the other group has nothing of the document yet', async () => {
    const empty: Chunker = { id: 'empty', chunk: () => [] };
    const rag = await openTestRag({ groups: { fine: GROUPS.fine, coarse: empty } });
    const report = await rag.ingest({ id: 'house', text: TEXT });
    expect(report.warnings).toEqual([{ uri: 'house', message: expect.stringContaining('"coarse"') }]);
    const { hits } = await rag.search('violin', { groups: ['fine'], returns: 'coarse', mode: 'keyword' });
    expect(hits.map(({ group }) => group)).toEqual(['fine']);
  });

  it('refuse a name that is not configured', async () => {
    const rag = await openTestRag({ groups: GROUPS });
    await rag.ingest({ id: 'house', text: TEXT });
    await expect(rag.search('x', { returns: 'large' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('coarse, fine'),
    });
  });

  it('cost only their own work when one is added', async () => {
    const store = { type: 'memory', index: 'auto', metric: 'cosine' } as const;
    const embedder = createLetterEmbedder();
    const { openStore } = await import('../../src/sdk/compose.js');
    const shared = await openStore(store);
    const keep = { ...shared, close: async () => {} };
    const first = await openTestRag({ store: keep, embedder, groups: { coarse: GROUPS.coarse } });
    await first.ingest({ id: 'house', text: TEXT });
    const before = embedder.embedded.length;
    await first.close();
    const second = await openTestRag({ store: keep, embedder, groups: GROUPS });
    await second.ingest({ id: 'house', text: TEXT });
    const added = embedder.embedded.slice(before);
    expect(before).toBe(3);
    expect(added).toContain('A violin without strings stands beside it.');
    expect(added).toHaveLength(9);
    await second.close();
    await shared.close();
  });
});

describe('groups that an engine writes', () => {
  it('are found by what was written, and lead to the text', async () => {
    const groups = { text: { type: 'markdown', maxChars: 1000 }, summary: { type: 'summary' } } as const;
    const rag = await openTestRag({ groups, generator: engine('An inventory of a household.') });
    await rag.ingest({ id: 'house', text: TEXT });
    const { hits } = await rag.search('inventory', { groups: ['summary'], mode: 'keyword' });
    expect(hits.map(({ text, span }) => [text, span])).toEqual([['An inventory of a household.', [0, TEXT.length]]]);
    const { hits: parents } = await rag.search('inventory', { groups: ['summary'], returns: 'text', mode: 'keyword' });
    expect(parents[0]?.text).toContain('kettle');
    expect((await rag.documents.read('house')).text).toBe(TEXT);
  });

  it('make a chunk of each question with its answer', async () => {
    const groups = { text: {}, qa: { type: 'qa' } } as const;
    const rag = await openTestRag({
      groups,
      generator: engine('Q: Where is the violin?\nA: In the attic.\n\nQ: What boils?\nA: The kettle.'),
    });
    await rag.ingest({ id: 'house', text: TEXT });
    const { hits } = await rag.search('violin', { groups: ['qa'], mode: 'keyword' });
    expect(hits.map(({ text }) => text)).toEqual(['Where is the violin?\nIn the attic.']);
  });

  it('are written once: new metadata costs no call', async () => {
    const calls: string[] = [];
    const groups = { text: {}, summary: { type: 'summary' } } as const;
    const rag = await openTestRag({ groups, generator: engine('A household.', calls) });
    await rag.ingest({ id: 'house', text: TEXT });
    await rag.ingest({ id: 'house', text: TEXT, metadata: { year: 2024 } });
    expect(calls).toHaveLength(1);
    const { hits } = await rag.search('household', { groups: ['summary'], filter: { year: 2024 }, mode: 'keyword' });
    expect(hits.map(({ text }) => text)).toEqual(['A household.']);
    await rag.ingest({ id: 'house', text: `${TEXT} And a cat.`, metadata: { year: 2024 } });
    expect(calls).toHaveLength(2);
  });

  it('end the call without an engine, instead of failing every document', async () => {
    const groups = { text: {}, summary: { type: 'summary' } } as const;
    const none = {
      ...createEchoGenerator(),
      generate: () => {
        throw Object.assign(new Error('gone'));
      },
    };
    const rag = await openTestRag({ groups, generator: none });
    expect((await rag.ingest([{ id: 'a', text: TEXT }])).failed).toHaveLength(1);
    const { RagError } = await import('../../src/core/errors.js');
    const down = {
      ...createEchoGenerator(),
      generate: () => {
        throw new RagError('CONNECTION_FAILED', 'no answer');
      },
    };
    const other = await openTestRag({ groups, generator: down });
    await expect(other.ingest([{ id: 'a', text: TEXT }])).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});

describe('a chunker of one’s own', () => {
  it.each([
    ['outside of the text', [[0, 5000]]],
    [
      'out of order',
      [
        [10, 20],
        [0, 5],
      ],
    ],
  ] as const)('whose spans are %s fails the document, and says which chunker it was', async (_, spans) => {
    const broken: Chunker = { id: 'broken@1', chunk: () => spans.map(([start, end]) => ({ span: [start, end] as const })) };
    const rag = await openTestRag({ groups: { default: broken } });
    const { failed } = await rag.ingest({ id: 'house', text: TEXT });
    expect(failed).toEqual([{ uri: 'house', code: 'INPUT_INVALID', message: expect.stringContaining('broken@1') }]);
  });
});
