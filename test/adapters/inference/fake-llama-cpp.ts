import type {
  LlamaChatWrapper,
  LlamaCppModule,
  LlamaHistoryItem,
  LlamaMeter,
  LlamaModel,
} from '../../../src/adapters/inference/llama-cpp-module.js';

/** What a test sees of the stand-in, and how it behaves. */
export interface FakeLlama {
  readonly module: LlamaCppModule;
  readonly metadata: Record<string, unknown>;
  readonly seen: { loads: number; disposed: number; running: number; options: Record<string, unknown>[] };
  /** What loading a model does. */
  load: () => Promise<void>;
}

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '');
const textOf = (item: LlamaHistoryItem) => (item.type === 'model' ? item.response.join('') : item.text);

/** Of `node-llama-cpp`, what is used: a token is a word, and an answer says "word" until it is told to stop. */
export function createFakeLlama(metadata: Record<string, unknown>, answerTokens = 5): FakeLlama {
  const seen: FakeLlama['seen'] = { loads: 0, disposed: 0, running: 0, options: [] };

  class FakeWrapper implements LlamaChatWrapper {
    generateContextState({ chatHistory }: { readonly chatHistory: readonly LlamaHistoryItem[] }) {
      return { contextText: { tokenize: () => chatHistory.flatMap((item) => wordsOf(textOf(item))) } };
    }
  }

  const model: LlamaModel = {
    tokenizer: {},
    async createContext() {
      return {
        getSequence: () => {
          const meter = { usedInputTokens: 0, usedOutputTokens: 0 };
          return {
            meter,
            tokenMeter: {
              getState: () => ({ ...meter }),
              diff: (before: LlamaMeter) => ({
                usedInputTokens: meter.usedInputTokens - before.usedInputTokens,
                usedOutputTokens: meter.usedOutputTokens - before.usedOutputTokens,
              }),
            },
          };
        },
      };
    },
    createEmbeddingContext: async ({ contextSize }) => ({
      calculateInputLength: (text) => wordsOf(text).length,
      async getEmbeddingFor(text) {
        if (wordsOf(text).length > contextSize) throw new Error('too long');
        return { vector: [1, text.includes('railway') ? 10 : 0, text.includes('pan') ? 10 : 0, 1] };
      },
    }),
    createRankingContext: async () => ({
      rankAll: async (query, documents) =>
        documents.map((document) => wordsOf(query).filter((word) => document.includes(word)).length / 10),
    }),
    async dispose() {
      if (seen.running > 0) throw new Error('freed under a computation');
      seen.disposed++;
    },
  };

  const fake: FakeLlama = {
    metadata,
    seen,
    load: async () => {},
    module: {
      GgufFileType: { 15: 'MOSTLY_Q4_K_M' },
      JinjaTemplateChatWrapper: FakeWrapper,
      readGgufFileInfo: async () => ({ metadata: fake.metadata }),
      getLlama: async () => ({
        async loadModel() {
          seen.loads++;
          await fake.load();
          return model;
        },
      }),
      LlamaChat: class {
        readonly chatWrapper = new FakeWrapper();
        private readonly meter: { usedInputTokens: number; usedOutputTokens: number };

        constructor({ contextSequence }: { contextSequence: unknown }) {
          this.meter = (contextSequence as { meter: { usedInputTokens: number; usedOutputTokens: number } }).meter; // made above
        }

        async generateResponse(
          history: LlamaHistoryItem[],
          options: { maxTokens: number; signal: AbortSignal; onTextChunk: (text: string) => void; temperature?: number },
        ) {
          seen.options.push({ ...options, history });
          seen.running++;
          try {
            const length = Math.min(options.maxTokens, answerTokens);
            this.meter.usedInputTokens += history.flatMap((item) => wordsOf(textOf(item))).length - 1;
            for (let token = 0; token < length; token++) {
              await new Promise((resolve) => setImmediate(resolve));
              options.signal.throwIfAborted();
              this.meter.usedOutputTokens++;
              options.onTextChunk('word ');
            }
            return { metadata: { stopReason: length === options.maxTokens ? 'maxTokens' : 'eogToken' } };
          } finally {
            seen.running--;
          }
        }
      },
    },
  };
  return fake;
}

/** Headers of the three kinds of model. */
export const HEADERS = {
  chat: {
    general: { architecture: 'qwen3', file_type: 15, size_label: '4B' },
    qwen3: { context_length: 200, embedding_length: 64 },
    tokenizer: { chat_template: '{{ messages }}' },
  },
  embed: {
    general: { architecture: 'bert', file_type: 1 },
    bert: { context_length: 50, embedding_length: 4, pooling_type: 1, attention: { causal: false } },
  },
  rank: {
    general: { architecture: 'bert', file_type: 1 },
    bert: { context_length: 50, embedding_length: 4, pooling_type: 4, attention: { causal: false } },
  },
} as const;
