import { abortable } from './flow.js';

/** Events of one piece of work, for any number of watchers: who comes late gets all from the start. */
export interface Live<Event> {
  push(event: Event): void;
  /** No more events; watchers' loops end. */
  end(): void;
  /** @throws the signal's reason, once aborted */
  watch(signal: AbortSignal | undefined): AsyncIterable<Event>;
}

export function createLive<Event>(): Live<Event> {
  const events: Event[] = [];
  let ended = false;
  let wake: () => void = () => {};
  let news = new Promise<void>((resolve) => {
    wake = resolve;
  });

  function announce(): void {
    wake();
    news = new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  return {
    push(event) {
      events.push(event);
      announce();
    },
    end() {
      ended = true;
      announce();
    },
    async *watch(signal) {
      for (let next = 0; ; next++) {
        while (next >= events.length) {
          if (ended) return;
          await abortable(news, signal);
        }
        const event = events[next];
        if (event !== undefined) yield event;
      }
    },
  };
}
