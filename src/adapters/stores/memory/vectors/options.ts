/** How vectors are searched. */
export interface VectorIndexOptions {
  /**
   * `flat` compares all; `hnsw` follows a graph; `auto` compares all until there are `graphFrom` rows, and follows a graph from then on.
   * @default 'auto'
   */
  readonly kind?: 'auto' | 'flat' | 'hnsw';
  /** Rows from which `auto` builds a graph. @default 10000 */
  readonly graphFrom?: number;
  /** Near rows that are looked at to choose a new row's links from: more make a better graph, slower. @default 128 */
  readonly efConstruction?: number;
  /** Near rows that a search of the graph keeps in view: more find better, slower. @default 80 */
  readonly efSearch?: number;
}

/** The same, complete. */
export type VectorIndexSettings = Required<VectorIndexOptions>;

export function vectorIndexSettings(options: VectorIndexOptions = {}): VectorIndexSettings {
  return { kind: 'auto', graphFrom: 10_000, efConstruction: 128, efSearch: 80, ...options };
}
