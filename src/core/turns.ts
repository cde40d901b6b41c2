/**
 * Keeps long work from holding the event loop. All work of a thread shares one clock, because the loop is one: ten callers
 * with eight milliseconds each would hold it for eighty.
 * @example for (const part of parts) { work(part); if (turnIsOver()) await nextTurn(signal); }
 */

/** How long the work of one turn of the event loop may take, ms. Far enough under 20 for one more unit of work. */
const TURN_MS = 8;

let startedAt: number | undefined;
const waiting: (() => void)[] = [];

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
 * Resolves in a later turn; callers that wait take turns, one each.
 * @throws the signal's reason when it was aborted meanwhile
 */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
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

/** A pace for work that is handed on from one loop to the next; `turnIsOver` and `nextTurn` do for a single one. */
export function createPacer(signal?: AbortSignal): Pace {
  return () => (turnIsOver() ? nextTurn(signal) : undefined);
}

/** Starts the next turn with one waiter only: the others' work would add up before the loop sees its timers and sockets. */
function endTurn(): void {
  const next = waiting.shift();
  if (next === undefined) {
    startedAt = undefined;
    return;
  }
  startedAt = performance.now();
  setImmediate(endTurn);
  next();
}
