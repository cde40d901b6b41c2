/**
 * The id of a chunk. It holds the document's hash, so that the chunks of a replaced document have ids of their own and old and
 * new ones never meet in a store. Positions are padded: ascending ids are document order.
 * @example chunkId('a.md', '1f3a9c2b77d0…', 'default', 3) // 'a.md#1f3a9c2b77d0/default/000003'
 */
export function chunkId(documentId: string, hash: string, group: string, position: number): string {
  return `${documentId}#${hash.slice(0, 12)}/${group}/${String(position).padStart(6, '0')}`;
}

/** Ascending by Unicode code point, the one order of strings everywhere (JavaScript's `<` orders by UTF-16 unit). */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** UTF-16 units sort like code points once the surrogates stand above U+E000–FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
