import { afterEach, describe, expect, it } from 'vitest';
import { RagError } from '../../src/core/errors.js';
import type { Rag } from '../../src/core/types.js';
import { createServer } from '../../src/server/index.js';
import { type Connection, connect } from './connect.js';
import { createFakeRag, hits } from './fake-rag.js';

let connection: Connection | undefined;
afterEach(async () => {
  await connection?.close();
  connection = undefined;
});

async function failed(name: string, input: unknown, overrides: Partial<Rag> = {}, logged: string[] = []) {
  const { rag, calls } = createFakeRag(overrides);
  const logger = { warn: () => {}, error: (line: string) => logged.push(line) };
  connection = await connect(createServer(rag, { roots: ['/docs'], logger }));
  await connection.client.listTools();
  const result = await connection.client.callTool({ name, arguments: input as Record<string, unknown> });
  expect(result.isError).toBe(true);
  expect(result).not.toHaveProperty('structuredContent');
  const [content] = result.content as { text: string }[];
  return { text: content?.text ?? '', meta: result._meta, calls };
}

describe('bad input', () => {
  it.each([
    ['search', {}, 'query: is required'],
    ['search', { query: '' }, 'query: must not be empty'],
    ['search', { query: 5 }, 'query: must be a text or a list of 1 to 16 texts'],
    ['search', { query: 'a', topk: 3 }, "unknown key 'topk'; did you mean 'topK'?"],
    ['search', { query: 'a', colour: 1 }, "unknown key 'colour'; known: query, filter"],
    ['search', { query: 'a', topK: 0 }, 'topK: must be at least 1, got 0'],
    ['search', { query: 'a', topK: 101 }, 'topK: must be at most 100, got 101'],
    ['search', { query: 'a', topK: 1.5 }, 'topK: must be a whole number, got 1.5'],
    ['search', { query: 'a', topK: '5' }, 'topK: must be a number, got "5"'],
    [
      'search',
      { query: 'a', mode: 'hybird' },
      'mode: must be one of hybrid, vector, keyword, got "hybird"; did you mean \'hybrid\'?',
    ],
    ['search', { query: 'a', filter: 'year > 2020' }, 'filter: must be an object, got "year > 2020"'],
    ['search', { query: 'a', filter: null }, 'filter: must be an object, got null'],
    ['ingest', {}, 'sources: name sources, documents or both'],
    ['ingest', { sources: [] }, 'sources: must not be empty'],
    ['ingest', { sources: ['a.md', 7] }, 'sources[1]: must be a path or { uri, metadata }'],
    ['ingest', { sources: [{ uri: 'a.md', metdata: {} }] }, "sources[0]: unknown key 'metdata'; did you mean 'metadata'?"],
    ['ingest', { documents: [{ id: 'a' }] }, 'documents[0].text: is required'],
    ['ingest', { documents: [{ text: 'a', metadata: { x: { y: 1 } } }] }, 'documents[0].metadata.x: must be'],
    ['generate', { question: 'a', temperature: 3 }, 'temperature: must be at most 2, got 3'],
    ['list-documents', { limit: 0 }, 'limit: must be at least 1, got 0'],
    ['delete-documents', { ids: 'a.md' }, 'ids: must be a list, got "a.md"'],
  ])('%s refuses %j', async (name, input, words) => {
    const { text, meta, calls } = await failed(name, input);
    expect(text).toContain(`INPUT_INVALID: ${words}`);
    expect(text).toContain('Correct the value at the path named above');
    expect(meta).toEqual({ 'hotrag/error': 'INPUT_INVALID', 'hotrag/retryable': false });
    expect(calls).toEqual([]);
  });

  it('names every problem at once', async () => {
    const { text } = await failed('search', { topK: 0, modus: 'x' });
    expect(text).toMatch(/query: is required; topK: .*; unknown key 'modus'/);
  });

  it('is refused before the engine is opened', async () => {
    let opened = 0;
    const server = createServer(async () => {
      opened++;
      return createFakeRag().rag;
    });
    connection = await connect(server);
    await connection.client.callTool({ name: 'search', arguments: {} });
    expect(opened).toBe(0);
  });
});

describe('failures of the engine', () => {
  it('become results with code, words, advice and whether to try again', async () => {
    const search = async () => {
      throw new RagError('CONNECTION_FAILED', 'milvus at localhost:19530: refused');
    };
    const { text, meta } = await failed('search', { query: 'a' }, { search });
    expect(text).toBe(
      'CONNECTION_FAILED: milvus at localhost:19530: refused\n\nCheck that the server runs and that its address is right. The same call may work later.',
    );
    expect(meta).toEqual({ 'hotrag/error': 'CONNECTION_FAILED', 'hotrag/retryable': true });
  });

  it('keep the hits when no engine can answer', async () => {
    const { text, meta } = await failed(
      'generate',
      { question: 'how long?' },
      {
        // biome-ignore lint/correctness/useYield: it fails before its first event
        async *stream() {
          throw new RagError('NO_ENGINE', 'no language model is reachable', { hits });
        },
      },
    );
    expect(meta).toMatchObject({ 'hotrag/error': 'NO_ENGINE' });
    expect(text).toMatch(/^NO_ENGINE: no language model is reachable\n\nStart Ollama/);
    expect(text).toContain('What the search had found:\n\n[1] guide.md · lines 3–6');
  });

  it('speak of the tools', async () => {
    const { text } = await failed('read-document', { id: 'nowhere.md' });
    expect(text).toContain('NOT_FOUND: document "nowhere.md"');
    expect(text).toContain('See what is there with list-documents');
  });

  it('that are faults of ours show nothing of themselves, and go to the log', async () => {
    const logged: string[] = [];
    const cacheStats = async () => {
      throw new TypeError('secret of /home/someone');
    };
    const { text, meta } = await failed('cache-stats', {}, { cacheStats }, logged);
    expect(meta).toMatchObject({ 'hotrag/error': 'INTERNAL' });
    expect(text).not.toContain('secret');
    expect(logged.join()).toContain('cache-stats: TypeError: secret');
  });

  it('to open it are told, and the next call tries again', async () => {
    let attempts = 0;
    const server = createServer(async () => {
      attempts++;
      if (attempts === 1) throw new RagError('STORE_LOCKED', 'another process is writing');
      return createFakeRag().rag;
    });
    connection = await connect(server);
    const call = { name: 'search', arguments: { query: 'a' } };
    expect(await connection.client.callTool(call)).toMatchObject({
      _meta: { 'hotrag/error': 'STORE_LOCKED', 'hotrag/retryable': true },
    });
    expect(await connection.client.callTool(call)).not.toHaveProperty('isError');
    await connection.client.callTool(call);
    expect(attempts).toBe(2);
  });
});
