/** The part of a uri after its last slash. */
export function fileName(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}

/**
 * What follows the last dot of the file's name, in lower case; '' where there is none. A leading dot starts a name, not an extension.
 * @example extensionOf('docs/Guide.MD') // 'md'
 */
export function extensionOf(uri: string): string {
  const name = fileName(uri);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
}
