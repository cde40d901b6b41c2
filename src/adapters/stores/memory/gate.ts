/** Lets any number of readers in, or one writer alone. A waiting writer goes before later readers, so neither waits for ever. */
export interface Gate {
  /** Enters at once when no writer is in or waiting. */
  tryRead(): boolean;
  leave(): void;
  /** Runs `work` alone, and is in as a reader when it resolves; a failed one is not. */
  writeThenRead(work: () => Promise<void>): Promise<void>;
}

export function createGate(): Gate {
  let readers = 0;
  let writers = 0;
  let turn: Promise<void> = Promise.resolve();
  let onEmpty: (() => void) | undefined;

  return {
    tryRead() {
      if (writers > 0) return false;
      readers++;
      return true;
    },
    leave() {
      readers--;
      if (readers === 0) onEmpty?.();
    },
    writeThenRead(work) {
      writers++;
      const done = turn.then(async () => {
        if (readers > 0) {
          await new Promise<void>((resolve) => {
            onEmpty = resolve;
          });
          onEmpty = undefined;
        }
        try {
          await work();
          readers++;
        } finally {
          writers--;
        }
      });
      turn = done.catch(() => {});
      return done;
    },
  };
}
