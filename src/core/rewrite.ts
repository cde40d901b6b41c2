import type { CallOptions, ChatMessage, TextGenerator } from './contracts.js';
import type { Rewrite } from './types.js';
import { writeText } from './write-text.js';

/** Other wordings of a question. */
const WORDINGS = 3;
/** For a question, and for a few of them. */
const MAX_TOKENS = { standalone: 96, multi: 256 } as const;
/** A line that is longer than this is no question. UTF-16 units. */
const LONGEST_LINE = 1_000;
/** Of the turns before: what a question can refer to stands in the last ones. */
const LAST_MESSAGES = 6;
/** Of each of them, UTF-16 units: enough to tell what it was about. */
const MESSAGE_CHARS = 1_500;

const STANDALONE = `You rewrite the last question of a conversation so that it can be understood without the conversation.
- Put names and things in the place of words like "it", "they", "there" or "the second one".
- Keep the language of the question. Do not answer it.
- Reply with the question alone, in one line.`;

const MULTI = `You word a question in ${WORDINGS} other ways, to find more of the documents that answer it.
- Use other words for the same things; each way must be understood without the conversation before it.
- Keep the language of the question. Do not answer it.
- Reply with ${WORDINGS} lines, one question each, and nothing else.`;

export interface RewriteRequest extends CallOptions {
  readonly rewrite: Rewrite;
  readonly question: string;
  /** Earlier turns, oldest first. */
  readonly history: readonly ChatMessage[];
}

/**
 * What to search for in a question's place; undefined: the question as it is. One call of the engine, none where there is nothing to do. What
 * it writes is searched for and nothing else, so that a bad wording costs hits and no more.
 * @throws what the engine throws
 */
export async function rewriteQuestion(generator: TextGenerator, request: RewriteRequest): Promise<readonly string[] | undefined> {
  const { rewrite, question, history, signal } = request;
  switch (rewrite) {
    case 'off':
      return undefined;
    case 'standalone': {
      if (history.length === 0) return undefined;
      const messages = promptOf(STANDALONE, question, history);
      const [line] = linesOf(await writeText(generator, messages, { maxTokens: MAX_TOKENS.standalone, signal }));
      return line === undefined || line === question ? undefined : [line];
    }
    case 'multi': {
      const text = await writeText(generator, promptOf(MULTI, question, history), { maxTokens: MAX_TOKENS.multi, signal });
      const queries = [...new Set([question, ...linesOf(text).slice(0, WORDINGS)])];
      return queries.length === 1 ? undefined : queries;
    }
  }
}

/** One message, so that a model doesn't go on with the conversation instead. */
function promptOf(instructions: string, question: string, history: readonly ChatMessage[]): readonly ChatMessage[] {
  const turns = history.slice(-LAST_MESSAGES).map(({ role, content }) => `${role}: ${content.slice(0, MESSAGE_CHARS)}`);
  const before = turns.length === 0 ? '' : `The conversation:\n${turns.join('\n')}\n\n`;
  return [
    { role: 'system', content: instructions },
    { role: 'user', content: `${before}The question: ${question}` },
  ];
}

/** Without the numbers, dots and quotes that models put before and around lines. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\d{1,2}[.):]|[-*•])?\s*["“„]?/u, '').replace(/["”“]?\s*$/u, ''))
    .filter((line) => line !== '' && line.length <= LONGEST_LINE);
}
