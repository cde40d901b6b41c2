import { DEFAULT_CONTEXT_TOKENS } from '../../core/budget.js';
import type { CallOptions, ModelInfo, TextEvent, TextRequest, Timings, Usage } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { createDeadline } from './deadline.js';
import type { EngineGenerator } from './engine.js';
import { broken, type Http } from './http.js';
import { transportFailure } from './http-failure.js';
import {
  checkHealth,
  createOpenAiHttp,
  isStatus,
  listModels,
  llamaServerContext,
  type OpenAiConnection,
} from './openai-client.js';
import { readChunk } from './openai-events.js';
import type { OpenAiOptions } from './openai-options.js';
import { createSlots } from './slots.js';
import { createSseParser } from './sse.js';

/** Requests that may wait for a place; more are refused at once rather than answered minutes late. */
const MAX_WAITING = 256;
/** Of one answer on the wire: 128,000 tokens, each in an event of 400 bytes, and some reserve. */
const LARGEST_STREAM = 64 * 1024 * 1024;
/** After `[DONE]`, for the end of the response, so that its connection can be used again. */
const LAST_BYTES_MS = 20;

export interface OpenAiGeneratorOptions extends OpenAiConnection, Partial<Omit<OpenAiOptions, 'type' | 'url' | 'apiKey'>> {
  readonly model: string;
  readonly info?: ModelInfo | undefined;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
}

/**
 * A generator on the configured server; asks it for its models and how much they read.
 * @throws RagError CONNECTION_FAILED, TIMEOUT, UNAUTHORIZED · UPSTREAM_FAILED (no such model) · CONFIG_INVALID (no model named and
 *   several served) · `signal.reason` once aborted
 */
export async function openOpenAiGenerator(
  options: Omit<OpenAiGeneratorOptions, 'model'> & { readonly model?: string | undefined },
  { signal }: CallOptions = {},
): Promise<EngineGenerator> {
  const http = createOpenAiHttp(options, 'generator');
  const models = await listModels(http, signal).catch((error: unknown) => {
    // Some gateways have no list; then the model that was named is taken at its word.
    if (options.model !== undefined && isStatus(error, 404, 405, 501)) return [];
    throw error;
  });
  const names = models.map(({ id }) => id).join(', ');
  const only = models.length === 1 ? models[0] : undefined;
  const model = options.model ?? only?.id;
  if (model === undefined) {
    const found = models.length === 0 ? 'lists no model' : `serves several models (${names})`;
    throw new RagError('CONFIG_INVALID', `${http.upstream.name} ${found}: name one in \`generator.model\``);
  }
  // llama-server answers under whatever name it is asked for.
  if (only?.owner === 'llamacpp' && only.id !== model) {
    throw new RagError('UPSTREAM_FAILED', `${http.upstream.name} serves ${only.id}, not ${model}: correct \`generator.model\``, {
      adapter: 'openai-compatible',
      retryable: false,
    });
  }
  const listed = models.find(({ id }) => id === model);
  const told = (listed?.owner === 'llamacpp' ? await llamaServerContext(http, signal) : undefined) ?? listed?.contextTokens;
  return createOpenAiGenerator({ ...options, model, contextTokens: options.contextTokens ?? told, info: listed?.info });
}

/** A generator on a model of such a server; nothing is asked before the first call. */
export function createOpenAiGenerator(options: OpenAiGeneratorOptions): EngineGenerator {
  const { model, api = 'chat', timeoutMs = 120_000, stallMs = 30_000, concurrency = 16 } = options;
  const { clock = () => performance.now() } = options;
  const http = createOpenAiHttp(options, 'generator');
  const { name, adapter } = http.upstream;
  const path = api === 'chat' ? '/chat/completions' : '/completions';
  const slots = createSlots({ engine: name, concurrency, maxWaiting: MAX_WAITING });
  const late = (ms: number, what: string) => () =>
    new RagError('TIMEOUT', `${name} gave no ${what} of ${model} within ${ms} ms`, { adapter });

  function bodyOf({ messages, maxTokens, temperature }: TextRequest) {
    return {
      ...options.extra,
      ...options.options,
      model,
      ...(api === 'chat'
        ? { messages: messages.map(({ role, content }) => ({ role, content })) }
        : { prompt: messages.map(({ content }) => content).join('\n\n') }),
      stream: true,
      stream_options: { include_usage: true },
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
      ...(temperature !== undefined && { temperature }),
    };
  }

  async function* generate(request: TextRequest, { signal }: CallOptions = {}): AsyncGenerator<TextEvent, void, undefined> {
    const deadline = createDeadline(signal);
    let release = () => {};
    try {
      const askedAt = clock();
      release = await slots.acquire(deadline.signal);
      const queueMs = clock() - askedAt;
      deadline.arm(timeoutMs, late(timeoutMs, 'first word'));
      const response = await http.send(path, { body: bodyOf(request), signal: deadline.signal });
      const end = createEnding(http, model, queueMs);
      const stalled = late(stallMs, 'next word');
      const events = readEvents(response, http);
      for (;;) {
        const batch = await events.next();
        if (batch === undefined) break;
        if (batch.length === 0) continue; // a ping is no word
        deadline.disarm(); // while the caller is busy with the text, nobody waits for the server
        for (const data of batch) {
          if (data === '[DONE]') continue;
          const chunk = readChunk(data, http.upstream);
          end.see(chunk);
          if (chunk.text !== '') yield { type: 'text-delta', text: chunk.text };
        }
        deadline.arm(stallMs, stalled);
      }
      deadline.disarm();
      yield end.finish();
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : transportFailure(error, http.upstream);
    } finally {
      deadline.close();
      release();
    }
  }

  return {
    id: `openai-compatible/${model}?${JSON.stringify([api, sorted(options.options), sorted(options.extra)])}`,
    engine: 'openai-compatible',
    model,
    contextTokens: options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    info: options.info,
    generate,
    health: ({ signal } = {}) => checkHealth(http, signal),
    async warm({ signal } = {}) {
      for await (const _ of generate({ messages: [{ role: 'user', content: 'Hello' }], maxTokens: 1 }, { signal }));
    },
  };
}

/** The data of the events of a response, as many at a time as have arrived, in bounded memory. */
function readEvents({ body }: Response, { upstream }: Http) {
  const parser = createSseParser((problem) => broken(upstream, problem));
  const reader = body?.getReader();
  let size = 0;
  let isOver = reader === undefined;

  return {
    /** undefined: there are no more; empty: what arrived was no event. */
    async next(): Promise<readonly string[] | undefined> {
      if (reader === undefined || isOver) return undefined;
      const { value, done } = await reader.read();
      if (done) {
        isOver = true;
        return parser.end();
      }
      size += value.byteLength;
      if (size > LARGEST_STREAM) throw broken(upstream, `an answer of over ${LARGEST_STREAM} bytes`);
      const events = parser.push(value);
      if (events.at(-1) === '[DONE]') {
        isOver = true;
        await soon(reader.read());
      }
      return events;
    },
  };
}

/** Gathers what the events tell of the answer as a whole. */
function createEnding({ upstream }: Http, model: string, queueMs: number) {
  const fail = (problem: string, retryable = true) =>
    new RagError('UPSTREAM_FAILED', `${upstream.name} ${problem}`, { adapter: upstream.adapter, retryable });
  let reason: string | undefined;
  let thought = false;
  let toolCall = false;
  let usage: Usage = { inputTokens: null, outputTokens: null };
  let timings: Timings = { ttftMs: null, tpotMs: null, queueMs };

  return {
    see(chunk: ReturnType<typeof readChunk>): void {
      reason = chunk.finishReason ?? reason;
      if (chunk.thought) thought = true;
      if (chunk.toolCall) toolCall = true;
      if (chunk.usage !== undefined) usage = chunk.usage;
      if (chunk.timings !== undefined) timings = { ...chunk.timings, queueMs: queueMs + (chunk.timings.queueMs ?? 0) };
    },

    finish(): TextEvent {
      switch (reason) {
        case undefined:
          throw fail(`ended the answer of ${model} early`);
        case 'tool_calls':
        case 'function_call':
          throw fail(
            `answered with a call of a tool instead of text, though none was offered; turn tools off for ${model}`,
            false,
          );
        case 'content_filter':
          throw fail('cut the answer off by its content filter', false);
        case 'abort':
        case 'error':
          throw fail(`gave up the answer of ${model} (${reason})`);
      }
      if (toolCall)
        throw fail(`mixed a call of a tool into its answer, though none was offered; turn tools off for ${model}`, false);
      // After thinking, the engine's TTFT is that of the first thought: the client's clock knows better.
      const told = thought ? { ...timings, ttftMs: null } : timings;
      return { type: 'finish', reason: /length|max_tokens/.test(reason) ? 'length' : 'stop', usage, timings: told };
    },
  };
}

/** Waits for the work or a moment, whichever ends first. */
async function soon(work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moment = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_BYTES_MS);
  });
  await Promise.race([work.catch(() => {}), moment]);
  clearTimeout(timer);
}

/** In one order, so that equal options are one id. */
function sorted(options: Readonly<Record<string, unknown>> = {}): readonly (readonly [string, unknown])[] {
  return Object.entries(options).sort(([left], [right]) => (left < right ? -1 : 1));
}
