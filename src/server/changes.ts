/** Documents that came, changed or went. */
export interface Change {
  readonly collection: string;
  /** Ids of the documents, as far as they are known; there may be more. */
  readonly documents: readonly string[];
}

/** Tells of changes to whoever has clients that want to know. */
export interface Changes {
  publish(change: Change): void;
  /** Returns the way to stop. */
  subscribe(listener: (change: Change) => void): () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    publish(change) {
      for (const listener of listeners) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
