import { basename } from 'node:path';
import { DEFAULT_CONTEXT_TOKENS } from '../../core/budget.js';
import type { CallOptions, ChatMessage, TextEvent, TextRequest } from '../../core/contracts.js';
import { invalidInput, isRagError, messageOf, RagError } from '../../core/errors.js';
import { abortable } from '../../core/flow.js';
import { createDeadline, type Deadline } from './deadline.js';
import type { EngineGenerator } from './engine.js';
import { openGguf } from './llama-cpp-file.js';
import { holdModel } from './llama-cpp-model.js';
import type { LlamaChat, LlamaCppModule, LlamaHistoryItem, LlamaModel, LlamaSequence } from './llama-cpp-module.js';
import type { LlamaCppOptions } from './llama-cpp-options.js';
import { createSlots } from './slots.js';
import { createTextQueue } from './text-queue.js';

/** Requests that may wait for a place; more are refused at once rather than answered minutes late. */
const MAX_WAITING = 256;
/** The engine would make room by forgetting the beginning once the context is full: an answer ends this many tokens before. */
const SPARE_TOKENS = 2;

export interface LlamaCppGeneratorOptions extends Omit<LlamaCppOptions, 'type'> {
  /** @default imports `node-llama-cpp` */
  readonly load?: (() => Promise<LlamaCppModule>) | undefined;
  /** Milliseconds, monotonic. @default performance.now */
  readonly clock?: (() => number) | undefined;
}

/** Where one answer at a time is written, with its own prefix cache. */
interface Place {
  readonly chat: LlamaChat;
  readonly sequence: LlamaSequence;
}

/**
 * A generator that runs a GGUF file in this process, with the chat template of the file. Its header is read at once, the model is loaded at
 * the first answer or by `warm`. A prompt that doesn't fit is refused: the engine itself would leave out a part of the conversation.
 * @throws RagError CONFIG_INVALID (no such file, not a GGUF, not a model that writes) · DEPENDENCY_MISSING
 */
export async function openLlamaCppGenerator(
  options: LlamaCppGeneratorOptions,
): Promise<EngineGenerator & { close(): Promise<void> }> {
  const { path, concurrency, think, clock = () => performance.now() } = options;
  const file = await openGguf({ path, role: 'chat', part: 'generator', load: options.load });
  const contextTokens = Math.min(file.contextTokens, options.contextTokens ?? DEFAULT_CONTEXT_TOKENS);
  const model = basename(path).replace(/\.gguf$/i, '');
  const slots = createSlots({ engine: `llama-cpp ${model}`, concurrency, maxWaiting: MAX_WAITING });
  const running = new Set<Promise<unknown>>();
  const waiting = new Set<Deadline>();
  const closed = () => invalidInput('rag', 'it was closed during the answer');

  async function prepare(loaded: LlamaModel, threads: number): Promise<{ readonly free: Place[]; readonly tokenizer: unknown }> {
    const context = await loaded.createContext({ contextSize: contextTokens, sequences: concurrency, threads });
    const { tokenizer } = loaded;
    // The package could look for a wrapper that it knows by itself: that holds the event loop for a second.
    const additionalRenderParameters = { enable_thinking: think };
    const chatWrapper =
      file.chatTemplate === undefined
        ? 'auto'
        : new file.module.JinjaTemplateChatWrapper({ template: file.chatTemplate, tokenizer, additionalRenderParameters });
    const free = Array.from({ length: concurrency }, () => {
      const sequence = context.getSequence();
      return { sequence, chat: new file.module.LlamaChat({ contextSequence: sequence, chatWrapper }) };
    });
    return { free, tokenizer };
  }
  const held = holdModel({ ...options, module: file.module, prepare, settled: () => Promise.all(running) });

  /** Tokens of the prompt. @throws RagError UPSTREAM_FAILED when the answer would have no room */
  function measure({ chat }: Place, tokenizer: unknown, history: readonly LlamaHistoryItem[]): number {
    const tokens = chat.chatWrapper.generateContextState({ chatHistory: history }).contextText.tokenize(tokenizer).length;
    if (tokens + SPARE_TOKENS < contextTokens) return tokens;
    const problem = `a prompt of ${tokens} tokens does not fit into its context of ${contextTokens}`;
    const advice = 'ask for fewer hits (topK), or raise `generator.contextTokens`';
    throw new RagError('UPSTREAM_FAILED', `llama-cpp ${model}: ${problem}: ${advice}`, {
      adapter: 'llama-cpp',
      retryable: false,
    });
  }

  async function* generate(request: TextRequest, { signal }: CallOptions = {}): AsyncGenerator<TextEvent, void, undefined> {
    const deadline = createDeadline(signal);
    waiting.add(deadline);
    let done = () => {};
    try {
      const askedAt = clock();
      const release = await slots.acquire(deadline.signal);
      done = release;
      const queueMs = clock() - askedAt;
      const { value, loadMs, waited } = await readyIn(deadline.signal);
      const place = value.free.pop();
      if (place === undefined) throw new RagError('UPSTREAM_FAILED', 'llama-cpp: there are fewer places than answers'); // slots are as many
      done = () => {
        value.free.push(place);
        release();
      };
      const history = historyOf(request.messages);
      const inputTokens = measure(place, value.tokenizer, history);
      const room = contextTokens - inputTokens - SPARE_TOKENS;
      const before = place.sequence.tokenMeter.getState();
      const text = createTextQueue();
      const run = place.chat.generateResponse(history, {
        ...given(options.options),
        ...(request.temperature !== undefined && { temperature: request.temperature }),
        maxTokens: Math.min(request.maxTokens ?? room, room),
        signal: deadline.signal,
        onTextChunk: text.push,
      });
      // The place is free when the engine has really stopped: an abort ends a batch of prompt tokens first.
      const free = done;
      done = () => {};
      const settled = run
        .catch(() => {})
        .finally(() => {
          running.delete(settled);
          free();
        });
      running.add(settled);
      run.then(text.end, text.fail);

      for (;;) {
        const next = await abortable(text.next(), deadline.signal);
        if (next === undefined) break;
        yield { type: 'text-delta', text: next };
      }
      const { metadata } = await run;
      const { usedInputTokens, usedOutputTokens } = place.sequence.tokenMeter.diff(before);
      yield {
        type: 'finish',
        reason: metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
        // The last token of a prompt is counted with the first one that is written.
        usage: { inputTokens, outputTokens: usedOutputTokens, cachedTokens: Math.max(0, inputTokens - 1 - usedInputTokens) },
        timings: { ttftMs: null, tpotMs: null, queueMs, loadMs: waited ? loadMs : null },
      };
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      if (isRagError(error)) throw error;
      throw new RagError('UPSTREAM_FAILED', `llama-cpp ${model}: ${messageOf(error)}`, { adapter: 'llama-cpp', cause: error });
    } finally {
      deadline.close(); // which stops the engine
      waiting.delete(deadline);
      done();
    }
  }

  let isLoaded = false;
  async function readyIn(signal: AbortSignal) {
    const waited = !isLoaded;
    const ready = await held.ready({ signal });
    isLoaded = true;
    return { ...ready, waited };
  }

  return {
    id: `llama-cpp/${model}@${file.digest}?${JSON.stringify([think, contextTokens, Object.entries(options.options).sort()])}`,
    engine: 'llama-cpp',
    model,
    contextTokens,
    info: file.info,
    generate,
    async health() {}, // it is in this process: whoever asks would have noticed
    async warm({ signal = new AbortController().signal } = {}) {
      signal.throwIfAborted();
      await readyIn(signal);
    },
    async close() {
      const freed = held.close(); // from now on, nothing starts
      for (const deadline of waiting) deadline.arm(0, closed);
      await freed;
    },
  };
}

/** Ends with the answer that is to be written. */
function historyOf(messages: readonly ChatMessage[]): LlamaHistoryItem[] {
  return [...messages.map(itemOf), { type: 'model', response: [] }];
}

function itemOf({ role, content }: ChatMessage): LlamaHistoryItem {
  return role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content };
}

/** Without those that are undefined: the engine tells these from absent ones. */
function given(options: LlamaCppOptions['options']): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
