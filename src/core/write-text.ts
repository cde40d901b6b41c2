import { DEFAULT_CONTEXT_TOKENS, estimatePrompt, promptBudget } from './budget.js';
import { collect } from './collect.js';
import type { CallOptions, ChatMessage, TextGenerator } from './contracts.js';
import { invalidInput } from './errors.js';

/**
 * One text from an engine, all at once and as steady as it can be (temperature 0): for what is written at ingest or before a search.
 * @throws RagError INPUT_INVALID when the messages don't fit into the engine's context · what the engine throws
 */
export async function writeText(
  generator: TextGenerator,
  messages: readonly ChatMessage[],
  options: CallOptions & { readonly maxTokens?: number } = {},
): Promise<string> {
  const { contextTokens = DEFAULT_CONTEXT_TOKENS } = generator;
  const { maxTokens, signal } = options;
  const needed = estimatePrompt(messages);
  const budget = promptBudget(contextTokens, maxTokens);
  if (needed > budget) {
    throw invalidInput(
      'text',
      `takes about ${needed} tokens, ${generator.engine} ${generator.model} has room for ${budget}; give it less at once`,
    );
  }
  const { text } = await collect(generator.generate({ messages, temperature: 0, maxTokens }, { signal }));
  return text;
}
