/** Who is calling, and what they may do. */
export interface Principal {
  /** Keeps callers' sessions apart; tells nothing of the token. */
  readonly id: string;
  readonly name: string;
  readonly access: 'read' | 'write';
  /** undefined: all. */
  readonly collections: readonly string[] | undefined;
}

/** Who calls where no token is asked for: the one user of this machine. */
export const LOCAL_USER: Principal = { id: 'local', name: 'local', access: 'write', collections: undefined };

/** Whether a caller may know of a collection at all. */
export function mayOpen({ collections }: Principal, collection: string): boolean {
  return collections === undefined || collections.includes(collection);
}
