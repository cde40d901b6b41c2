import type { ChatMessage } from '../core/contracts.js';

/** A text that the client's own model is asked to write. */
export interface SampleRequest {
  readonly messages: readonly ChatMessage[];
  /** undefined: as many as a short answer needs. */
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
}

export interface SampleResult {
  readonly text: string;
  readonly model: string;
  readonly finish: 'stop' | 'length';
}

/** What the client is asked for. `key` tells its answer from that to another question. */
export type Question =
  | { readonly kind: 'roots'; readonly key: string }
  | { readonly kind: 'sample'; readonly key: string; readonly request: SampleRequest };

/**
 * Thrown through a tool by a hook of its context whose answer the client must give first. The protocol asks, then runs the call again
 * from its beginning, and the hook answers: so a tool calls such hooks before it changes anything.
 */
export class RoundTrip extends Error {
  override readonly name = 'RoundTrip';
  readonly question: Question;

  constructor(question: Question) {
    super(`the client is asked: ${question.kind}`);
    this.question = question;
  }
}
