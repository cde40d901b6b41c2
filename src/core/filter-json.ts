import type { Filter } from './contracts.js';
import { type FilterLeaf, isLeaf } from './filter-tree.js';
import type { FilterJson } from './types.js';

/** The JSON form of a filter, as short as it gets: parsed again it means the same, and nests no deeper than the JSON it came from. */
export function filterToJson(filter: Filter): FilterJson {
  return conjunctionToJson(filter.op === 'and' ? filter.filters : [filter]);
}

/** One object, with the operators of a field together, unless something would stand twice under one key. */
function conjunctionToJson(filters: readonly Filter[]): FilterJson {
  const joiners = new Map<string, unknown>();
  const fields = new Map<string, Record<string, unknown>>();
  for (const part of filters) {
    const operator = `$${part.op}`;
    const operators = isLeaf(part) ? (fields.get(part.field) ?? {}) : undefined;
    if (joiners.has(operator) || (operators && operator in operators)) return { $and: filters.map(filterToJson) };
    if (!isLeaf(part)) joiners.set(operator, part.op === 'not' ? filterToJson(part.filter) : part.filters.map(filterToJson));
    else fields.set(part.field, { ...operators, [operator]: operandOf(part) });
  }
  return Object.fromEntries([...[...fields].map(([name, operators]) => [name, shortest(operators)] as const), ...joiners]);
}

/** `{"$eq": v}` alone is written v. */
function shortest(operators: Readonly<Record<string, unknown>>): unknown {
  return '$eq' in operators && Object.keys(operators).length === 1 ? operators.$eq : operators;
}

function operandOf(leaf: FilterLeaf): unknown {
  switch (leaf.op) {
    case 'in':
    case 'nin':
    case 'containsAny':
      return leaf.values;
    case 'eq':
    case 'ne':
    case 'contains':
    case 'startsWith':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'exists':
      return leaf.value;
  }
}
