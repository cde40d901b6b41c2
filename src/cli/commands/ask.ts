import { isRagError } from '../../core/errors.js';
import type { Answer, Hit, Rag, SearchMode } from '../../core/types.js';
import { defineCommand } from '../command.js';
import { placeOf, renderHits } from '../hits.js';
import type { Host } from '../host.js';
import { createStyle, type Style } from '../terminal.js';

/** `hotrag ask`: streams an Answer's text, then its sources. */
export const command = defineCommand({
  usage: '<question>',
  takes: { least: 1, most: 1 },
  flags: {
    filter: { kind: 'object', value: '{"year":{"$gte":2020}}', describe: 'Answer only from what this filter allows.' },
    'top-k': { kind: 'number', describe: 'Number of passages given to the model, 1 to 100. Default: 5.' },
    mode: { kind: 'text', choices: ['hybrid', 'vector', 'keyword'], describe: 'How to search. Default: hybrid.' },
    'max-tokens': { kind: 'number', describe: 'Longest answer, in tokens.' },
    temperature: { kind: 'number', describe: 'Randomness of the model’s choice of words, from 0.' },
  },
  examples: [
    'hotrag ask "how long is the warranty?"',
    'hotrag ask "what changed?" --generator-model qwen3:4b',
    'hotrag ask "what changed?" --json',
  ],
  async run({ host, flags, positionals: [question = ''], json, withRag }) {
    const options = {
      filter: flags.filter,
      topK: flags['top-k'],
      mode: flags.mode as SearchMode | undefined, // one of its choices
      maxTokens: flags['max-tokens'],
      temperature: flags.temperature,
      signal: host.signal,
    };
    const { stdout } = host;
    const style = createStyle(host, stdout);
    await withRag(async (rag) => {
      try {
        if (json) stdout.write(`${JSON.stringify(await rag.generate(question, options))}\n`);
        else await stream(rag, question, options, host, style);
      } catch (error) {
        // The search has been done: its hits are worth having, whatever became of the answer.
        if (isRagError(error) && error.hits !== undefined) {
          const { code, message, retryable, hits } = error;
          stdout.write(json ? `${JSON.stringify({ code, message, retryable, hits })}\n` : renderHits(hits, stdout, style));
        }
        throw error;
      }
    });
    return 0;
  },
});

async function stream(
  rag: Rag,
  question: string,
  options: Parameters<Rag['stream']>[1],
  host: Host,
  style: Style,
): Promise<void> {
  const { stdout } = host;
  let hits: readonly Hit[] = [];
  let open = false;
  try {
    for await (const event of rag.stream(question, options)) {
      switch (event.type) {
        case 'hits':
          hits = event.hits;
          break;
        case 'text-delta':
          stdout.write(style.foreign(event.text));
          open = true;
          break;
        case 'finish':
          stdout.write(`\n\n${renderSources(event.answer, hits, style)}`);
          open = false;
          break;
      }
    }
  } finally {
    if (open) stdout.write('\n');
  }
}

function renderSources({ sources, finish, cached, model, metrics }: Answer, hits: readonly Hit[], style: Style): string {
  const places = new Map(hits.map((hit) => [hit.id, placeOf(hit)]));
  const cited = sources.some((source) => source.cited) ? sources.filter((source) => source.cited) : sources;
  const lines = cited.map(({ index, hitId, uri }) => `[${index}] ${style.foreign(places.get(hitId) ?? uri)}\n`);
  const facts = [
    model,
    ...(cached === false ? [] : ['cached']),
    ...(metrics.ttftMs === null ? [] : [`first text after ${Math.round(metrics.ttftMs)} ms`]),
    ...(metrics.tokensPerSecond === null ? [] : [`${metrics.tokensPerSecond.toFixed(1)} tokens/s`]),
    `${Math.round(metrics.totalMs)} ms in all`,
    ...(finish === 'length' ? ['cut at the longest length allowed'] : []),
  ];
  return `${lines.join('')}${style.dim(facts.join(' · '))}\n`;
}
