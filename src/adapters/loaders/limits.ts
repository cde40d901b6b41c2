/** What one document may cost at most; past any of these it is ended and reported. */
export interface LoaderLimits {
  /** Pages of a PDF. */
  readonly maxPages: number;
  /** Bytes that a document unfolds to: the parts of a Word document together, the text of a PDF. */
  readonly maxUnpackedBytes: number;
}
