import type { Hit } from '../core/types.js';

/** A hit whose text may have been shortened. */
export type CutHit = Hit & { readonly cut?: true };

const MARK = '…';

/**
 * Shortens the hits' texts so that they hold at most `maxChars` UTF-16 units in all. Every hit keeps the same allowance, and what short
 * ones leave over goes to the longer ones, so that there is something to judge each by. A shortened text ends in `…` and is marked.
 */
export function cutHits(hits: readonly Hit[], maxChars: number | undefined): readonly CutHit[] {
  if (maxChars === undefined) return hits;
  const allowance = allowanceOf(
    hits.map(({ text }) => text.length),
    maxChars,
  );
  return hits.map((hit) => (hit.text.length <= allowance ? hit : { ...hit, text: cutText(hit.text, allowance), cut: true }));
}

/** The most that each may have: the shortest are served first, and the rest share what they leave. */
function allowanceOf(lengths: readonly number[], budget: number): number {
  let left = budget;
  const ascending = [...lengths].sort((a, b) => a - b);
  for (const [index, length] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    if (length > share) return share;
    left -= length;
  }
  return budget;
}

function cutText(text: string, length: number): string {
  if (length < MARK.length) return '';
  const kept = text.slice(0, length - MARK.length);
  // Half of a surrogate pair at the end would be no text any more.
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}${MARK}`;
}
