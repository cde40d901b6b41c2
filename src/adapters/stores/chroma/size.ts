import type { Filter } from '../../../core/contracts.js';
import type { FilterLeaf } from '../../../core/filter.js';

/** Chroma's SQL engine refuses expressions from 1,000 deep on (a list of n is n deep), and its process dies of several thousand. */
const MOST_CONDITIONS = 200;
/** 32,766 values are the SQL engine's limit. */
const MOST_VALUES = 5000;
/** The server's JSON reader stops at 128 levels; one of ours is up to four of its. */
const MOST_DEPTH = 20;

/** True for a filter that Chroma can take: a larger one is refused, or ends the server for everybody. */
export function fitsChroma(filter: Filter): boolean {
  const { conditions, values, depth } = sizeOf(filter);
  return conditions <= MOST_CONDITIONS && values <= MOST_VALUES && depth <= MOST_DEPTH;
}

interface Size {
  readonly conditions: number;
  readonly values: number;
  readonly depth: number;
}

/** How large a filter is once compiled, at most. */
function sizeOf(filter: Filter): Size {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.filters.map(sizeOf).reduce(
        (sum, part) => ({
          conditions: sum.conditions + part.conditions,
          values: sum.values + part.values,
          depth: Math.max(sum.depth, part.depth + 1),
        }),
        { conditions: 0, values: 0, depth: 1 },
      );
    case 'not':
      return sizeOf(filter.filter);
    case 'in':
    case 'nin':
      return leafSize(
        3 * filter.values.filter((value) => !Number.isInteger(value) && typeof value === 'number').length + 6,
        filter,
      );
    case 'containsAny':
      return leafSize(filter.values.length, filter);
    case 'eq':
    case 'ne':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'contains':
    case 'startsWith':
    case 'exists':
      return leafSize(3, filter);
  }
}

function leafSize(conditions: number, leaf: FilterLeaf): Size {
  return { conditions, values: 'values' in leaf ? 2 * leaf.values.length : 1, depth: 3 };
}
