/**
 * Thrown through a tool by a hook of its context whose answer the client must give first. The protocol asks, then runs the call again
 * from its beginning, and the hook answers: so a tool calls such hooks before it changes anything.
 */
export class RoundTrip extends Error {
  override readonly name = 'RoundTrip';
  readonly ask: 'roots';

  constructor(ask: 'roots') {
    super(`the client is asked for its ${ask}`);
    this.ask = ask;
  }
}
