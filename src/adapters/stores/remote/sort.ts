import { compareText } from '../../../core/ids.js';
import { nextTurn, turnIsOver } from '../../../core/turns.js';

/** Sorted in one go: a few milliseconds. */
const RUN = 1000;
/** Steps of a merge between two looks at the clock. */
const STEPS = 256;

/** Ascending by code point, like `compareText`, without holding the event loop: a hundred thousand ids take half a second in all. */
export async function sortTexts(texts: readonly string[]): Promise<readonly string[]> {
  let runs: (readonly string[])[] = [];
  for (let start = 0; start < texts.length; start += RUN) {
    runs.push(texts.slice(start, start + RUN).sort(compareText));
    if (turnIsOver()) await nextTurn();
  }
  while (runs.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let index = 0; index < runs.length; index += 2) merged.push(await merge(runs[index] ?? [], runs[index + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

/** The place of the first text after this one in a sorted list. */
export function placeAfter(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(sorted[middle] ?? '', text) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function merge(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const merged: string[] = [];
  let fromLeft = 0;
  let fromRight = 0;
  while (fromLeft < left.length || fromRight < right.length) {
    const one = left[fromLeft];
    const other = right[fromRight];
    if (one !== undefined && (other === undefined || compareText(one, other) <= 0)) {
      merged.push(one);
      fromLeft++;
    } else if (other !== undefined) {
      merged.push(other);
      fromRight++;
    }
    if (merged.length % STEPS === 0 && turnIsOver()) await nextTurn();
  }
  return merged;
}
