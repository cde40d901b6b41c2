import * as z from 'zod';
import { RagError } from '../../core/errors.js';
import type { Answer, AnswerEvent } from '../../core/types.js';
import { milliseconds, oneLine } from '../render.js';
import { CLIENT_ENGINE, hitsWithoutEngine, sampleAnswer } from '../sampling.js';
import { type CallContext, defineTool } from '../tool.js';
import { answerMetrics, collection, filter, mode, strict, topK } from './schemas.js';

const answerSource = z.object({ index: z.int(), cited: z.boolean(), hitId: z.string(), documentId: z.string(), uri: z.string() });

export const generate = defineTool({
  name: 'generate',
  title: 'Answer from the documents',
  description:
    'Let the configured language model answer a question from the indexed documents, with numbered sources. Use it when the user wants that ' +
    'model or a ready answer. If you can write the answer yourself, search is faster and lets you judge the passages.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  readsIndex: true,
  input: strict({
    question: z.string().min(1),
    filter,
    topK,
    mode,
    maxTokens: z.int().min(1).optional().meta({ description: 'Longest answer. Default: as the engine is configured.' }),
    temperature: z.number().min(0).max(2).optional(),
    session: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Name of a conversation: questions under one name see the ones before.' }),
    collection,
  }),
  output: z.object({
    text: z.string(),
    sources: z.array(answerSource).meta({ description: 'The hits that the model was given; [1] in the text is the first.' }),
    finish: z.enum(['stop', 'length']),
    cached: z.union([z.literal(false), z.literal('exact')]),
    engine: z.string(),
    model: z.string(),
    metrics: answerMetrics,
  }),
  async run(rag, { question, ...options }, { signal, progress, sample }): Promise<Answer> {
    const startedAt = performance.now();
    try {
      return await answerOf(rag.stream(question, { ...options, signal }), progress, signal);
    } catch (error) {
      const hits = hitsWithoutEngine(error);
      if (sample === undefined || hits === undefined) throw error;
      const { maxTokens, temperature } = options;
      return sampleAnswer({ question, hits, sample, maxTokens, temperature, signal, retrieveMs: performance.now() - startedAt });
    }
  },
  render({ text, sources, finish, cached, engine, model, metrics }, { session }) {
    const cutOff = finish === 'length' ? '\n(The answer was cut off at maxTokens.)' : '';
    const list = sources.map(
      ({ index, cited, uri, hitId }) => `[${index}] ${oneLine(uri)} · id: ${oneLine(hitId)}${cited ? '' : ' (not cited)'}`,
    );
    const engineLine = `${engine}/${model}, ${milliseconds(metrics.totalMs)}${cached ? ', from the cache' : ''}`;
    const forgotten = engine === CLIENT_ENGINE && session !== undefined;
    return [
      `${text}${cutOff}`,
      list.length === 0 ? 'No passage was found.' : `Sources:\n${list.join('\n')}`,
      engineLine,
      ...(forgotten
        ? ['(Your own model answered: the conversation is in your hands, and nothing is kept under this session.)']
        : []),
    ].join('\n\n');
  },
});

async function answerOf(
  events: AsyncIterable<AnswerEvent>,
  progress: CallContext['progress'],
  signal: AbortSignal,
): Promise<Answer> {
  let characters = 0;
  for await (const event of events) {
    if (event.type === 'finish') return event.answer;
    if (event.type === 'hits' || event.text === '') continue;
    characters += event.text.length;
    // Waiting lets a client that reads slowly slow the engine down, instead of filling our memory.
    await progress?.({ progress: characters, message: event.text });
  }
  signal.throwIfAborted();
  throw new RagError('UPSTREAM_FAILED', 'the answer ended before it was finished');
}
