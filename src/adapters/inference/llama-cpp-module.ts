import { importOptional } from '../optional-package.js';

/** Of the package `node-llama-cpp`, what is used here. Written down because the package is the user's to install, or not. */
export interface LlamaCppModule {
  getLlama(options: {
    readonly gpu: 'auto' | false;
    readonly build: 'never';
    readonly skipDownload: true;
    /** 0 = no limit. */
    readonly maxThreads: number;
    readonly logLevel: 'error';
    readonly logger: (level: string, message: string) => void;
    readonly progressLogs: false;
  }): Promise<Llama>;
  readGgufFileInfo(
    path: string,
    options: { readonly readTensorInfo: false; readonly sourceType: 'filesystem'; readonly logWarnings: false },
  ): Promise<{ readonly metadata: unknown }>;
  /** Names of quantisations by number, as TypeScript's enums have them. */
  readonly GgufFileType: Readonly<Record<number, string | number>>;
  readonly LlamaChat: new (options: {
    readonly contextSequence: LlamaSequence;
    readonly chatWrapper: 'auto' | LlamaChatWrapper;
  }) => LlamaChat;
  readonly JinjaTemplateChatWrapper: new (options: {
    readonly template: string;
    readonly tokenizer: unknown;
    readonly additionalRenderParameters: Readonly<Record<string, unknown>>;
  }) => LlamaChatWrapper;
}

export interface Llama {
  loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>;
}

export interface LlamaModel {
  readonly tokenizer: unknown;
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: number;
    readonly threads: number;
  }): Promise<{ getSequence(): LlamaSequence }>;
  createEmbeddingContext(options: LlamaBatchContext): Promise<LlamaEmbeddingContext>;
  createRankingContext(options: LlamaBatchContext): Promise<LlamaRankingContext>;
  /** Frees it and the contexts made of it. */
  dispose(): Promise<void>;
}

/** The batch is the context: encoders read a text in one go. */
interface LlamaBatchContext {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly threads: number;
}

export interface LlamaEmbeddingContext {
  calculateInputLength(text: string): number;
  /** Not normalised. */
  getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>;
}

export interface LlamaRankingContext {
  /** Probabilities, in the documents' order; `maxChunk`: a long document counts as its best part. */
  rankAll(query: string, documents: string[], options: { readonly onOverflow: 'maxChunk' }): Promise<number[]>;
}

/** A place in a context, with its own prefix cache. */
export interface LlamaSequence {
  readonly tokenMeter: { getState(): LlamaMeter; diff(before: LlamaMeter): LlamaMeter };
}

export interface LlamaMeter {
  readonly usedInputTokens: number;
  readonly usedOutputTokens: number;
}

export type LlamaHistoryItem =
  | { readonly type: 'system' | 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: readonly string[] };

export interface LlamaChatWrapper {
  generateContextState(options: { readonly chatHistory: readonly LlamaHistoryItem[] }): {
    readonly contextText: { tokenize(tokenizer: unknown): readonly unknown[] };
  };
}

export interface LlamaChat {
  readonly chatWrapper: LlamaChatWrapper;
  generateResponse(
    history: LlamaHistoryItem[],
    options: LlamaSampling & {
      readonly maxTokens: number;
      readonly signal: AbortSignal;
      readonly onTextChunk: (text: string) => void;
    },
  ): Promise<{ readonly metadata: { readonly stopReason: string } }>;
}

export interface LlamaSampling {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed?: number;
}

/** @throws RagError DEPENDENCY_MISSING */
export async function importLlamaCpp(): Promise<LlamaCppModule> {
  const module = await importOptional({
    name: 'node-llama-cpp',
    install: 'npm install node-llama-cpp@3.22.1',
    adapter: 'llama-cpp',
  });
  return module as LlamaCppModule; // that version's documented form
}
