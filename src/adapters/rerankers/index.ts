import type { Reranker, TextGenerator } from '../../core/contracts.js';
import type { LlamaCppRerankerOptions, OnnxRerankerOptions } from './in-process-options.js';
import type { GeneratorRerankerOptions, OpenAiRerankerOptions } from './options.js';

/** What `reranker` may hold, objects of one's own aside. */
export type RerankerConfig = OpenAiRerankerOptions | GeneratorRerankerOptions | LlamaCppRerankerOptions | OnnxRerankerOptions;

/** The configured reranker. @param generator opens the configured generator, for reranking by it */
export async function createReranker(config: RerankerConfig, generator: () => Promise<TextGenerator>): Promise<Reranker> {
  switch (config.type) {
    case 'openai-compatible': {
      const { createOpenAiReranker } = await import('./openai-compatible.js');
      return createOpenAiReranker(config);
    }
    case 'generator': {
      const { createGeneratorReranker } = await import('./generator.js');
      return createGeneratorReranker(generator, config);
    }
    case 'llama-cpp': {
      const { openLlamaCppReranker } = await import('./llama-cpp.js');
      return openLlamaCppReranker(config);
    }
    case 'onnx': {
      const { openOnnxReranker } = await import('./onnx.js');
      return openOnnxReranker(config);
    }
  }
}
