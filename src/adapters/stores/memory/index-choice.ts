import type { Index } from '../../../core/contracts.js';
import type { VectorIndexOptions } from './vectors/options.js';

/** Which vector index, by name or with parameters; or one of one's own. */
export type IndexChoice =
  | 'auto'
  | 'flat'
  | 'hnsw'
  | {
      readonly type: 'hnsw';
      /** Near vectors that are looked at to choose a new one's links from. @default 128 */
      readonly efConstruction?: number | undefined;
      /** Near vectors that a search keeps in view. @default 80 */
      readonly ef?: number | undefined;
    }
  | Index<Float32Array>;

/** Told by its three methods. */
export function isOwnIndex(choice: unknown): choice is Index<Float32Array> {
  if (typeof choice !== 'object' || choice === null) return false;
  return ['update', 'remove', 'query'].every((name) => typeof Reflect.get(choice, name) === 'function');
}

/** The options of the engine's own index. */
export function vectorOptionsOf(choice: Exclude<IndexChoice, Index<Float32Array>>): VectorIndexOptions {
  if (typeof choice === 'string') return { kind: choice };
  const { type, efConstruction, ef } = choice;
  return {
    kind: type,
    ...(efConstruction === undefined ? {} : { efConstruction }),
    ...(ef === undefined ? {} : { efSearch: ef }),
  };
}
