import type { ChatRequest, ChatResponse } from 'ollama';
import { DEFAULT_CONTEXT_TOKENS } from '../../core/budget.js';
import type { CallOptions, ModelInfo, TextEvent, TextRequest, Timings, Usage } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { createDeadline } from './deadline.js';
import type { EngineGenerator } from './engine.js';
import { connectOllama, type OllamaConnection, ollamaAddress, ollamaFailure } from './ollama-client.js';
import { askOllama, detectOllama, showModel } from './ollama-models.js';
import type { OllamaOptions } from './ollama-options.js';
import { createSlots } from './slots.js';

/** Requests that may wait for a place; more are refused at once rather than answered minutes late. */
const MAX_WAITING = 256;
/** For a server that only has to say that it is there. */
const HEALTH_MS = 5_000;

export interface OllamaGeneratorOptions extends OllamaConnection, Partial<Omit<OllamaOptions, 'type' | 'url' | 'apiKey'>> {
  readonly model: string;
  /** Tokens of prompt and answer together. @default options.num_ctx, else 8192 */
  readonly contextTokens?: number | undefined;
  readonly info?: ModelInfo | undefined;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
}

/**
 * A generator on the configured Ollama; asks the server which model, whether it chats, and how much it takes.
 * @throws RagError CONNECTION_FAILED, TIMEOUT, UNAUTHORIZED · UPSTREAM_FAILED (model not installed, or not one that chats) ·
 *   NO_ENGINE (no model configured and none installed) · CONFIG_INVALID · `signal.reason` once aborted
 */
export async function openOllamaGenerator(
  options: Omit<OllamaGeneratorOptions, 'model'> & { readonly model?: string | undefined },
  call: CallOptions = {},
): Promise<EngineGenerator> {
  const { url } = ollamaAddress(options);
  const model = options.model ?? (await installedModel(options, call));
  const facts = await showModel({ ...options, model, wanted: numCtx(options) }, call);
  if (!facts.chats) {
    const advice = 'it only embeds; name another one in `generator.model`';
    throw new RagError('UPSTREAM_FAILED', `The model ${model} of Ollama at ${url} can't chat: ${advice}`, {
      adapter: 'ollama',
      retryable: false,
    });
  }
  return createOllamaGenerator({ ...options, model, contextTokens: facts.contextTokens, info: facts.info });
}

/**
 * A generator on a model of an Ollama server; nothing is asked before the first call.
 *
 * Ollama cuts a prompt that is too long without a word. So every request states its context (`num_ctx`, always the same one:
 * another would make the server load the model again) and forbids cutting (`truncate`, `shift`; Ollama 0.12.6 and later), and
 * `contextTokens` tells the core how much it may send.
 */
export function createOllamaGenerator(options: OllamaGeneratorOptions): EngineGenerator {
  const {
    model,
    think = false,
    keepAlive,
    timeoutMs = 120_000,
    stallMs = 30_000,
    concurrency = 4,
    clock = () => performance.now(),
  } = options;
  const { url } = ollamaAddress(options);
  const contextTokens = options.contextTokens ?? numCtx(options) ?? DEFAULT_CONTEXT_TOKENS;
  const parameters = { ...options.options, num_ctx: contextTokens };
  const slots = createSlots({ engine: `Ollama at ${url}`, concurrency, maxWaiting: MAX_WAITING });

  const late = (ms: number, what: string) => () =>
    new RagError('TIMEOUT', `Ollama at ${url} gave no ${what} of ${model} within ${ms} ms`, { adapter: 'ollama' });

  function chatRequest({ messages, maxTokens, temperature }: TextRequest): ChatRequest & { readonly stream: true } {
    const request = {
      model,
      messages: messages.map(({ role, content }) => ({ role, content })),
      stream: true as const,
      think,
      truncate: false,
      shift: false,
      ...(keepAlive !== undefined && { keep_alive: keepAlive }),
      options: {
        ...parameters,
        ...(maxTokens !== undefined && { num_predict: maxTokens }),
        ...(temperature !== undefined && { temperature }),
      },
    };
    return request as typeof request & { options: NonNullable<ChatRequest['options']> }; // names checked by ollamaOptions, value types by the server
  }

  async function* generate(request: TextRequest, { signal }: CallOptions = {}): AsyncGenerator<TextEvent, void, undefined> {
    const deadline = createDeadline(signal);
    let release = () => {};
    try {
      const askedAt = clock();
      release = await slots.acquire(deadline.signal);
      const queueMs = clock() - askedAt;

      deadline.arm(timeoutMs, late(timeoutMs, 'first word'));
      const client = await connectOllama(options, deadline.signal);
      const stream = await abortable(client.chat(chatRequest(request)), deadline.signal);
      const replies = stream[Symbol.asyncIterator]();
      let thought = false;
      for (;;) {
        const { value: reply, done } = await abortable(replies.next(), deadline.signal);
        deadline.disarm(); // while the caller is busy with the text, nobody waits for the server
        if (done)
          throw new RagError('UPSTREAM_FAILED', `Ollama at ${url} ended the answer of ${model} early`, { adapter: 'ollama' });
        const { content, thinking } = reply.message ?? {};
        if (thinking) thought = true;
        if (content) yield { type: 'text-delta', text: content };
        if (reply.done) {
          yield finishOf(reply, { queueMs, thought });
          return;
        }
        deadline.arm(stallMs, late(stallMs, 'next word'));
      }
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : ollamaFailure(error, options);
    } finally {
      deadline.close(); // the client itself would leave the connection open
      release();
    }
  }

  return {
    id: generatorId(model, parameters, think),
    engine: 'ollama',
    model,
    contextTokens,
    info: options.info,
    generate,
    async health({ signal } = {}) {
      await askOllama(options, { signal, timeoutMs: HEALTH_MS }, (client) => client.version());
    },
    async warm({ signal } = {}) {
      // Without messages Ollama loads the model and writes nothing; with other parameters it would load it again.
      const { messages: _, stream: __, ...settings } = chatRequest({ messages: [] });
      await askOllama(options, { signal, timeoutMs }, (client) => client.chat({ ...settings, messages: [], stream: false }));
    },
  };
}

async function installedModel(options: OllamaConnection, { signal }: CallOptions): Promise<string> {
  const detection = await detectOllama({ ...options, signal, timeoutMs: 5_000 });
  switch (detection.found) {
    case 'model':
      return detection.model;
    case 'server':
      throw noModel(ollamaAddress(options).url);
    case 'nothing':
      throw detection.error;
  }
}

/** There is a server, but nothing on it that could answer. */
export function noModel(url: string): RagError {
  const message = `Ollama at ${url} has no installed model that chats: fetch one, for example with \`ollama pull qwen3:4b\``;
  return new RagError('NO_ENGINE', message, { adapter: 'ollama' });
}

/**
 * The finish event of the last line. Ollama counts in nanoseconds: TTFT = load + prompt_eval, TPOT = eval / eval_count.
 * After thinking, its TTFT would be that of the first thought, not of the first text, and is left to the client's clock.
 */
function finishOf(reply: ChatResponse, call: { readonly queueMs: number; readonly thought: boolean }): TextEvent {
  const { done_reason: reason, load_duration: load, prompt_eval_count, prompt_eval_duration, eval_count, eval_duration } = reply;
  if (reason === 'load' || reason === 'unload') {
    throw new RagError('UPSTREAM_FAILED', `Ollama answered with ${reason}ing the model instead of text`, { adapter: 'ollama' });
  }
  const promptMs = milliseconds(prompt_eval_duration);
  const outputMs = milliseconds(eval_duration);
  const outputTokens = count(eval_count);
  const usage: Usage = { inputTokens: count(prompt_eval_count), outputTokens };
  const timings: Timings = {
    ttftMs: call.thought || promptMs === null ? null : (milliseconds(load) ?? 0) + promptMs,
    tpotMs: outputMs === null || outputTokens === null || outputTokens === 0 ? null : outputMs / outputTokens,
    queueMs: call.queueMs,
    loadMs: milliseconds(load),
  };
  return { type: 'finish', reason: reason === 'length' ? 'length' : 'stop', usage, timings };
}

/** Older servers leave figures out, whatever the package's types say. */
function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function milliseconds(nanoseconds: unknown): number | null {
  const value = count(nanoseconds);
  return value === null ? null : value / 1e6;
}

function numCtx({ options }: Pick<OllamaGeneratorOptions, 'options'>): number | undefined {
  return typeof options?.num_ctx === 'number' ? options.num_ctx : undefined;
}

/** Whatever changes the answers is part of the id; where the server stands is not. */
function generatorId(model: string, parameters: Readonly<Record<string, unknown>>, think: boolean | string): string {
  const sorted = Object.entries(parameters).sort(([left], [right]) => (left < right ? -1 : 1));
  return `ollama/${model}?${JSON.stringify([think, sorted])}`;
}
