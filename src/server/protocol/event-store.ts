import type { JSONRPCMessage } from '@modelcontextprotocol/server';

/** What the library's transport asks to keep and to tell again. */
export interface EventStore {
  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string>;
  getStreamIdForEventId(eventId: string): Promise<string | undefined>;
  replayEventsAfter(
    lastEventId: string,
    options: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string>;
}

/** Of one session: what a client misses while its connection is broken for a moment. */
const MOST_EVENTS = 128;
const MOST_CHARACTERS = 1_048_576;

interface StoredEvent {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly characters: number;
}

/** The last messages of a session, so that a client whose connection broke gets what it missed. */
export function createEventStore(): EventStore {
  const events: StoredEvent[] = [];
  let characters = 0;
  let next = 0;

  return {
    async storeEvent(streamId, message) {
      const id = String(next++);
      const size = JSON.stringify(message).length;
      events.push({ id, streamId, message, characters: size });
      characters += size;
      while (events.length > MOST_EVENTS || (characters > MOST_CHARACTERS && events.length > 1))
        characters -= events.shift()?.characters ?? 0;
      return id;
    },
    getStreamIdForEventId: async (eventId) => events.find(({ id }) => id === eventId)?.streamId,
    async replayEventsAfter(lastEventId, { send }) {
      const position = events.findIndex(({ id }) => id === lastEventId);
      const streamId = events[position]?.streamId ?? '';
      for (const event of events.slice(position + 1)) {
        // A stream's first event is empty: it only tells the client an id to come back with.
        if (event.streamId === streamId && 'jsonrpc' in event.message) await send(event.id, event.message);
      }
      return streamId;
    },
  };
}
