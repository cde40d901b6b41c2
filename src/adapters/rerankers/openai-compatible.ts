import type { CallOptions, Reranker } from '../../core/contracts.js';
import { createGuardedCalls } from '../inference/guarded-calls.js';
import { halves } from '../inference/halves.js';
import { broken, type Http } from '../inference/http.js';
import { isTooLong } from '../inference/http-failure.js';
import { fieldsOf } from '../inference/json.js';
import { createOpenAiHttp } from '../inference/openai-client.js';
import type { OpenAiRerankerOptions } from './options.js';

/** A text this short that is still too long is not the text's fault. UTF-16 units. */
const SHORTEST = 64;

/**
 * A reranker behind `/v1/rerank` or `/v1/score`. A text that is longer than the model reads counts as its best half: nothing is cut off.
 * The scores are the model's own, logits or probabilities: only their order means something.
 * @throws RagError CONFIG_INVALID (url)
 */
export function createOpenAiReranker(
  options: Omit<OpenAiRerankerOptions, 'type'> & { readonly fetch?: typeof fetch | undefined },
): Reranker {
  const { model, api, timeoutMs, concurrency, retries } = options;
  const http = createOpenAiHttp(options, 'reranker');
  const calls = createGuardedCalls({ engine: http.upstream.name, concurrency, retries });

  const ask = (query: string, texts: readonly string[], { signal }: CallOptions): Promise<readonly number[]> =>
    calls.run(
      async (callSignal) => {
        const call = { signal: callSignal, timeoutMs };
        if (api === 'rerank') {
          const { results } = await http.json('/rerank', {
            ...call,
            body: { model, query, documents: texts, top_n: texts.length },
          });
          return readScores(results, 'relevance_score', texts.length, http);
        }
        const { data } = await http.json('/score', { ...call, body: { model, text_1: query, text_2: texts } });
        return readScores(data, 'score', texts.length, http);
      },
      { signal },
    );

  async function score(query: string, texts: readonly string[], call: CallOptions): Promise<readonly number[]> {
    try {
      return await ask(query, texts, call);
    } catch (error) {
      const [first, ...others] = texts;
      if (!isTooLong(error) || first === undefined) throw error;
      if (others.length > 0) {
        // One of them is too long: which one, servers don't say.
        const middle = texts.length >> 1;
        const left = await score(query, texts.slice(0, middle), call);
        return [...left, ...(await score(query, texts.slice(middle), call))];
      }
      if (first.length <= SHORTEST) throw error;
      return [Math.max(...(await score(query, halves(first), call)))];
    }
  }

  return {
    id: `openai-compatible/${model}/${api}`,
    async rerank(query, texts, call = {}) {
      call.signal?.throwIfAborted();
      return texts.length === 0 ? [] : score(query, texts, call);
    },
  };
}

/** One finite score a text, in the texts' order, whatever the order of the reply. */
function readScores(list: unknown, name: string, count: number, { upstream }: Http): readonly number[] {
  const scores: (number | undefined)[] = Array.from({ length: count });
  for (const [place, item] of (Array.isArray(list) ? list : []).entries()) {
    const fields = fieldsOf(item);
    const { index = place } = fields;
    const score = fields[name];
    if (typeof index !== 'number' || !(index in scores)) throw broken(upstream, 'a score for a text that it was not given');
    if (typeof score !== 'number' || !Number.isFinite(score))
      throw broken(upstream, `a score that is no number for text ${index + 1}`);
    scores[index] = score;
  }
  return scores.map((score, index) => {
    if (score === undefined) throw broken(upstream, `no score for text ${index + 1} of ${count}`);
    return score;
  });
}
