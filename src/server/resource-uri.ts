/** How collections and documents are named as resources: `hotrag://{collection}` and `hotrag://{collection}/{document}`. */

export function collectionUri(collection: string): string {
  return `hotrag://${encodeURIComponent(collection)}`;
}

export function documentUri(collection: string, document: string): string {
  return `${collectionUri(collection)}/${encodeURIComponent(document)}`;
}

/** undefined: names no resource of ours. The document may be written with its slashes as they are, or encoded. */
export function parseResourceUri(
  uri: string,
): { readonly collection: string; readonly document: string | undefined } | undefined {
  const [, collection, document] = /^hotrag:\/\/([^/?#]+)(?:\/(.*))?$/s.exec(uri) ?? [];
  if (collection === undefined) return undefined;
  try {
    const id = document === undefined || document === '' ? undefined : decodeURIComponent(document);
    return { collection: decodeURIComponent(collection), document: id };
  } catch {
    return undefined; // broken escapes
  }
}
