/** A text in two: cut at the last space before its middle, else at the middle, but never inside a character. */
export function halves(text: string): readonly [string, string] {
  const middle = text.length >> 1;
  const before = text.lastIndexOf(' ', middle);
  const cut = before > text.length / 4 ? before : middle;
  const at = /[\uDC00-\uDFFF]/.test(text.charAt(cut)) ? cut + 1 : cut;
  return [text.slice(0, at), text.slice(at)];
}
