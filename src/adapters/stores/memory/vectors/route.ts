import type { GraphExtent } from './graph.js';

/** The way of a search through the rows of the graph. */
export type Route =
  /** Every allowed row is compared. */
  | { readonly way: 'scan' }
  /** Over the graph, all of whose rows may be found. */
  | { readonly way: 'graph' }
  /** Over the graph, keeping only allowed rows; when it has looked at more than `budget` rows, comparing every allowed row is cheaper. */
  | { readonly way: 'masked'; readonly budget: number };

/** Nanoseconds a row at 384 dimensions, measured: one of many that are compared in order, and one that is reached over a link. */
const SCAN_NS = 18;
const STEP_NS = 60;
/** Rows that a search looks at for each that it keeps in view. */
const STEPS_PER_KEPT = 14;

/**
 * The cheaper way. A filter that lets one row of ten through makes a search of the graph ten times as long, because it needs as many
 * allowed rows as ever; comparing the allowed ones takes as long as they are many.
 * @param allowed rows of the graph that may be found
 * @param ef rows to keep in view
 */
export function chooseRoute({ rows, linked, dead }: GraphExtent, allowed: number, ef: number): Route {
  if (allowed <= 2 * ef) return { way: 'scan' };
  const steps = (STEPS_PER_KEPT * ef * (linked + 1)) / allowed;
  if (allowed * SCAN_NS <= steps * STEP_NS) return { way: 'scan' };
  if (allowed === linked) return { way: 'graph' };
  // A filter whose rows lie far from the query needs more steps than one that lets the same number through at random. Without a filter
  // it is the dead that are passed over, and they lie everywhere.
  return { way: 'masked', budget: allowed === linked - dead ? rows : Math.ceil(3 * steps) };
}
