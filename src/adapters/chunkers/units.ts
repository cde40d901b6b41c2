import type { Cut } from '../../core/contracts.js';
import { type PieceOptions, piecesOf, type Span } from './pieces.js';

/** A part of a document that means something by itself: a section, a record. Units stand side by side, in document order. */
export interface Unit {
  readonly span: Span;
  /** The headings above it, outermost first. */
  readonly headings: readonly string[];
  /** Stretches in it that are not cut where that can be had. */
  readonly kept: readonly Span[];
}

/** Units shorter than this share of `maxChars` are joined with what follows: a heading and a line make no chunk. */
const MIN_SHARE = 1 / 4;

/** Cuts of a document: a unit each, where they are neither too short (joined) nor too long (cut into pieces). */
export function cutsOf(text: string, units: Iterable<Unit>, options: PieceOptions): Iterable<Cut> {
  return cutsApart(text, joined(units, options.maxChars), options);
}

/** The same without joining: short units stay as they are. */
export function* cutsApart(text: string, units: Iterable<Unit>, options: PieceOptions): Iterable<Cut> {
  for (const { span, headings, kept } of units) {
    for (const piece of piecesOf(text, span, options, kept)) yield { span: piece, headings };
  }
}

function* joined(units: Iterable<Unit>, maxChars: number): Iterable<Unit> {
  let pending: Unit | undefined;
  for (const unit of units) {
    if (pending === undefined) {
      pending = unit;
    } else if (length(pending) < maxChars * MIN_SHARE && length(pending) + length(unit) <= maxChars) {
      pending = join(pending, unit, commonHeadings(pending, unit));
    } else if (length(pending) < maxChars * MIN_SHARE && isAbove(pending, unit)) {
      // A title, and what little stands under it, goes before the first piece of a long section.
      pending = join(pending, unit, unit.headings);
    } else {
      yield pending;
      pending = unit;
    }
  }
  if (pending !== undefined) yield pending;
}

function length({ span: [start, end] }: Unit): number {
  return end - start;
}

function join(left: Unit, right: Unit, headings: readonly string[]): Unit {
  return { span: [left.span[0], right.span[1]], headings, kept: [...left.kept, ...right.kept] };
}

function commonHeadings(left: Unit, right: Unit): readonly string[] {
  const differing = left.headings.findIndex((heading, depth) => heading !== right.headings[depth]);
  return differing === -1 ? left.headings : left.headings.slice(0, differing);
}

function isAbove(upper: Unit, lower: Unit): boolean {
  return upper.headings.length < lower.headings.length && commonHeadings(upper, lower) === upper.headings;
}
