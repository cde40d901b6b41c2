import { json, type Reply, type SeenRequest } from './recorded-ollama.js';

/** The key that the stub asks for under /v1, as vLLM does; what stands beside it is open. */
export const VLLM_KEY = 'vllm-key';
const CONTEXT = 2048;
const EMBED_CONTEXT = 512;

/**
 * A server with vLLM's interface, written from its documentation (0.32): paths, keys, error bodies, limits, per-request metrics. It doesn't
 * think: what it says is fixed, embeddings count words, scores count common words.
 */
export function vllm(request: SeenRequest): Reply {
  const { path, headers, body } = request;
  if (path === '/health') return { type: 'text/plain', body: [''] };
  if (path === '/metrics')
    return { type: 'text/plain; version=0.0.4', body: ['# HELP vllm:num_requests_running …\nvllm:num_requests_running 0.0\n'] };
  if (!path.startsWith('/v1/')) return json({ detail: 'Not Found' }, 404);
  if (headers.authorization !== `Bearer ${VLLM_KEY}`) return json({ error: 'Unauthorized' }, 401);
  if (path === '/v1/models') {
    const model = (id: string, max_model_len: number) => ({ id, object: 'model', owned_by: 'vllm', root: id, max_model_len });
    return json({ object: 'list', data: [model('chat', CONTEXT), model('embed', EMBED_CONTEXT), model('rank', EMBED_CONTEXT)] });
  }
  if (!['chat', 'embed', 'rank'].includes(String(body.model))) {
    return failure(404, 'NotFoundError', `The model \`${String(body.model)}\` does not exist.`);
  }
  switch (path) {
    case '/v1/chat/completions':
    case '/v1/completions':
      return write(body, path === '/v1/completions');
    case '/v1/embeddings':
      return embed(body);
    case '/v1/rerank':
      return rerank(body);
    case '/v1/score':
      return score(body);
    default:
      return json({ detail: 'Not Found' }, 404);
  }
}

/** The events of a stream. */
export function sse(events: readonly unknown[], after: Reply['after'] = 'end'): Reply {
  const body = events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  return { type: 'text/event-stream; charset=utf-8', body, after };
}

/** One event that says this. */
export function delta(delta: Readonly<Record<string, unknown>>, finish_reason: string | null = null) {
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'chat', choices: [{ index: 0, delta, finish_reason }] };
}

export const USAGE = { prompt_tokens: 61, completion_tokens: 12, total_tokens: 73, prompt_tokens_details: { cached_tokens: 48 } };

function failure(code: number, type: string, message: string): Reply {
  return json({ error: { message, type, param: null, code } }, code);
}

function write(body: Record<string, unknown>, isCompletion: boolean): Reply {
  const prompt = isCompletion ? String(body.prompt) : JSON.stringify(body.messages);
  const tokens = words(prompt).length;
  if (body.model === 'embed') return failure(400, 'BadRequestError', 'The model does not support Chat Completions API');
  if (tokens > CONTEXT) {
    const message = `This model's maximum context length is ${CONTEXT} tokens. However, your request has ${tokens} input tokens.`;
    return failure(400, 'BadRequestError', message);
  }
  if (Number(body.priority ?? 0) !== 0)
    return failure(400, 'BadRequestError', 'Got priority 1 but Priority scheduling is not enabled.');
  const said = (body.max_tokens === 1 ? ['The'] : ['The line', ' is 42 km', ' long [1].', ' Straße 北京 🚄']).map((content) =>
    isCompletion ? { id: 'cmpl-1', choices: [{ index: 0, text: content, finish_reason: null }] } : delta({ content }),
  );
  const end = body.max_tokens === 1 ? 'length' : 'stop';
  const metrics = {
    time_to_first_token_ms: 41.5,
    generation_time_ms: 132,
    queue_time_ms: 3.5,
    mean_itl_ms: 12,
    tokens_per_second: 83,
  };
  return sse([
    ...(isCompletion ? [] : [delta({ role: 'assistant', content: '' })]),
    ...said,
    isCompletion ? { id: 'cmpl-1', choices: [{ index: 0, text: '', finish_reason: end }] } : delta({}, end),
    { id: 'chatcmpl-1', choices: [], usage: USAGE, metrics },
    '[DONE]',
  ]);
}

function embed({ input, model, encoding_format: encoding }: Record<string, unknown>): Reply {
  if (model !== 'embed') return failure(400, 'BadRequestError', 'The model does not support Embeddings API');
  const texts = input as string[]; // our own request
  const longest = Math.max(...texts.map((text) => words(text).length));
  if (longest > EMBED_CONTEXT) {
    const message = `This model's maximum context length is ${EMBED_CONTEXT} tokens. However, you requested ${longest} tokens in the input.`;
    return failure(400, 'BadRequestError', message);
  }
  const data = texts.map((text, index) => {
    const vector = vectorOf(text);
    const embedding = encoding === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
    return { object: 'embedding', index, embedding };
  });
  return json({ object: 'list', model, data: data.toReversed(), usage: { prompt_tokens: 1, total_tokens: 1 } });
}

function rerank({ query, documents }: Record<string, unknown>): Reply {
  const texts = documents as string[]; // our own request
  const tooLong = refuseLong(texts);
  if (tooLong !== undefined) return tooLong;
  const results = texts.map((text, index) => ({ index, document: { text }, relevance_score: common(String(query), text) }));
  results.sort((left, right) => right.relevance_score - left.relevance_score);
  return json({ id: 'rerank-1', model: 'rank', usage: { total_tokens: 9 }, results });
}

function score({ text_1: query, text_2: texts }: Record<string, unknown>): Reply {
  const documents = texts as string[]; // our own request
  const data = documents.map((text, index) => ({ index, object: 'score', score: common(String(query), text) }));
  return refuseLong(documents) ?? json({ id: 'score-1', object: 'list', model: 'rank', data });
}

function refuseLong(texts: readonly string[]): Reply | undefined {
  const longest = Math.max(...texts.map((text) => words(text).length));
  return longest > EMBED_CONTEXT
    ? failure(400, 'BadRequestError', `This model's maximum context length is ${EMBED_CONTEXT} tokens.`)
    : undefined;
}

/** Words hashed into 16 places: texts with common words are near. */
function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(16);
  for (const word of words(text)) {
    let hash = 7;
    for (const character of word) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
    vector[hash % 16] = (vector[hash % 16] ?? 0) + 1;
  }
  return vector;
}

function common(left: string, right: string): number {
  const known = new Set(words(left));
  return words(right).filter((word) => known.has(word)).length - 0.5;
}

function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
