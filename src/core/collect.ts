import { RagError } from './errors.js';

type StreamEvent =
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'finish' }
  | { readonly type: 'hits' };

/**
 * A stream of text all at once: the joined deltas and the finish event. For a generator's stream and for an answer's.
 * @throws RagError UPSTREAM_FAILED when the stream ends without a finish event · whatever the stream throws
 * @example const { finish } = await collect(rag.stream('how long is the line?')); // finish.answer
 */
export async function collect<Event extends StreamEvent>(
  events: AsyncIterable<Event>,
): Promise<{ readonly text: string; readonly finish: Extract<Event, { type: 'finish' }> }> {
  const deltas: string[] = [];
  for await (const event of events) {
    if (event.type === 'text-delta') deltas.push(event.text);
    if (isFinish(event)) return { text: deltas.join(''), finish: event };
  }
  throw new RagError('UPSTREAM_FAILED', 'The stream of the answer ended without its finish event');
}

function isFinish<Event extends StreamEvent>(event: Event): event is Extract<Event, { type: 'finish' }> {
  return event.type === 'finish';
}
