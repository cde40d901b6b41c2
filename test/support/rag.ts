import { onTestFinished } from 'vitest';
import type { Embedder, TextGenerator } from '../../src/core/contracts.js';
import { type OpenRagOptions, openRag } from '../../src/sdk/index.js';

/** An engine that is closed when the test is over. */
export async function openTestRag(options: OpenRagOptions = {}) {
  const rag = await openRag({ generator: createEchoGenerator(), ...options });
  onTestFinished(() => rag.close());
  return rag;
}

/** Counts letters: similar texts get similar vectors, at once and the same everywhere. */
export function createLetterEmbedder(id = 'letters'): Embedder & { readonly embedded: string[] } {
  const embedded: string[] = [];
  return {
    id,
    dimensions: 27,
    maxBatch: 4,
    embedded,
    async embed(texts) {
      embedded.push(...texts);
      return texts.map((text) => {
        const vector = new Float32Array(27);
        for (const letter of text.toLowerCase()) {
          const index = letter.charCodeAt(0) - 97;
          if (index >= 0 && index < 26) vector[index] = (vector[index] ?? 0) + 1;
        }
        return vector;
      });
    },
  };
}

/** Answers with the question's last words and a citation; counts its calls. */
export function createEchoGenerator(): TextGenerator & { readonly requests: { readonly signal: AbortSignal | undefined }[] } {
  const requests: { readonly signal: AbortSignal | undefined }[] = [];
  return {
    id: 'echo:1',
    engine: 'echo',
    model: 'one',
    requests,
    async *generate({ messages }, { signal } = {}) {
      requests.push({ signal });
      const words = (messages.at(-1)?.content ?? '').split(/\s+/).slice(-3);
      for (const word of words) {
        await Promise.resolve();
        yield { type: 'text-delta', text: `${word} ` };
      }
      yield { type: 'text-delta', text: '[1]' };
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 10, outputTokens: 4 } };
    },
  };
}
