import { once } from '../../core/once.js';
import type { Unit } from './units.js';

/** What is shorter is no sentence but the number of a list, an initial, a heading's mark: it goes with what follows. UTF-16 units. */
const SHORTEST = 12;

const sentences = once(() => new Intl.Segmenter(undefined, { granularity: 'sentence' }));

/**
 * The sentences of each unit, by the rules of Unicode (UAX #29), which end one at every line end too. Lazy, a unit at a time.
 */
export function* sentencesOf(text: string, units: Iterable<Unit>): Iterable<Unit> {
  for (const { span, headings } of units) {
    const [offset, end] = span;
    let start = offset;
    for (const { index, segment } of sentences().segment(text.slice(offset, end))) {
      const next = offset + index + segment.length;
      if (text.slice(start, next).trim().length < SHORTEST && next < end) continue;
      yield { span: [start, next], headings, kept: [] };
      start = next;
    }
  }
}
