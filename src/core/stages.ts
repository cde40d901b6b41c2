import type { ExplainStage } from './types.js';

/** The named, timed stages of one search, for `explain`. */
export interface Stages {
  readonly list: readonly ExplainStage[];
  time<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
}

/** Times named stages; those that run side by side overlap. */
export function createStages(clock: () => number): Stages {
  const list: ExplainStage[] = [];
  return {
    list,
    async time(name, work) {
      const startedAt = clock();
      const value = await work();
      list.push({ name, ms: clock() - startedAt, detail: detailOf(value) });
      return value;
    },
  };
}

function detailOf(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} items`;
  if (typeof value === 'object' && value !== null && 'matches' in value && 'index' in value && Array.isArray(value.matches)) {
    return `${value.matches.length} matches by ${String(value.index)}`;
  }
  return '';
}
