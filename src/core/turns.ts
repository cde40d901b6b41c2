/**
 * Keeps long work from holding the event loop. All work of a thread shares one clock, because the loop is one: ten callers
 * with four milliseconds each would hold it for forty.
 * @example for (const part of parts) { work(part); if (turnIsOver()) await nextTurn(signal); }
 */

/** How long the work of one turn of the event loop may take, ms. Far under 20, since a search that comes waits for the end of one. */
const TURN_MS = 4;
/** Turns of a pacer that go before other work: a search is over within them, an ingest and the making of an index are not. */
const SHORT_WORK_TURNS = 4;
/** Of so many turns one goes to other work, however many short ones wait. */
const OTHERS_TURN = 4;

let startedAt: number | undefined;
let turn = 0;
const shortWork: (() => void)[] = [];
const longWork: (() => void)[] = [];

/** True when this turn of the event loop has worked long enough. Cheap: call it after every unit of work of up to a millisecond. */
export function turnIsOver(): boolean {
  const now = performance.now();
  if (startedAt === undefined) {
    startedAt = now;
    setImmediate(endTurn);
  }
  return now - startedAt >= TURN_MS;
}

/**
 * Resolves in a later turn; callers that wait take turns, one each, after those whose work is short.
 * @throws the signal's reason when it was aborted meanwhile
 */
export function nextTurn(signal?: AbortSignal): Promise<void> {
  return takeTurn(longWork, signal);
}

async function takeTurn(waiting: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    if (startedAt === undefined) {
      startedAt = performance.now();
      setImmediate(endTurn);
    }
  });
  signal?.throwIfAborted();
}

/** `await pace()` after each unit of work: free until the turn is over, then as `nextTurn`. */
export type Pace = () => Promise<void> | undefined;

/**
 * A pace for work that is handed on from one loop to the next; `turnIsOver` and `nextTurn` do for a single one. Its first turns go before
 * other work, so that a search isn't held up by an ingest.
 */
export function createPacer(signal?: AbortSignal): Pace {
  let turns = 0;
  return () => (turnIsOver() ? takeTurn(turns++ < SHORT_WORK_TURNS ? shortWork : longWork, signal) : undefined);
}

/** Starts the next turn with one waiter only: the others' work would add up before the loop sees its timers and sockets. */
function endTurn(): void {
  const first = ++turn % OTHERS_TURN === 0 ? longWork : shortWork;
  const next = first.shift() ?? shortWork.shift() ?? longWork.shift();
  if (next === undefined) {
    startedAt = undefined;
    return;
  }
  startedAt = performance.now();
  setImmediate(endTurn);
  next();
}
