import { abortable } from './flow.js';

/**
 * Work under way by key, shared by all who ask for the same at the same time. It is aborted only when everyone who waits for it has
 * gone: one caller's abort never ends what others wait for.
 */
export interface Flights<Value> {
  /** Whether there is work to join; one that was aborted will only fail, and is none. */
  has(key: string): boolean;
  /** Starts one piece of work for all of `keys`; it returns their values in that order. */
  start(keys: readonly string[], work: (signal: AbortSignal) => Promise<readonly Value[]>): void;
  /** Waits for the work of every key, as one of its waiters. */
  join(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly Value[]>;
}

interface Flight {
  waiters: number;
  isOver: boolean;
  readonly controller: AbortController;
}

export function createFlights<Value>(): Flights<Value> {
  const underWay = new Map<string, { readonly flight: Flight; readonly value: Promise<Value> }>();

  return {
    has: (key) => underWay.get(key)?.flight.controller.signal.aborted === false,

    start(keys, work) {
      const flight: Flight = { waiters: 0, isOver: false, controller: new AbortController() };
      const values = work(flight.controller.signal).then((done) => {
        flight.isOver = true;
        if (done.length !== keys.length) throw new TypeError(`${done.length} values computed for ${keys.length} keys`);
        return done;
      });
      keys.forEach((key, index) => {
        const value = values.then((done) => done[index] as Value); // as many as keys, see above
        underWay.set(key, { flight, value });
        value
          .catch(() => {}) // told to whoever waits
          .finally(() => {
            if (underWay.get(key)?.flight === flight) underWay.delete(key);
          });
      });
    },

    async join(keys, signal) {
      const waited = keys.map((key) => {
        const running = underWay.get(key);
        if (running === undefined) throw new TypeError('nothing is under way that could be joined');
        return running;
      });
      const flights = new Set(waited.map(({ flight }) => flight));
      for (const flight of flights) flight.waiters++;
      try {
        return await abortable(Promise.all(waited.map(({ value }) => value)), signal);
      } finally {
        for (const flight of flights) {
          // An abort makes an error with a stack, 20 µs: not for work that is done.
          if (--flight.waiters === 0 && !flight.isOver) flight.controller.abort(signal?.reason);
        }
      }
    },
  };
}
