/**
 * The address under which a server has its calls, from what people write: with or without `/v1`, with a slash at the end, with a
 * path before it, or copied from an example together with the call itself.
 */
export function openAiBase(
  text: string,
): { readonly base: string; readonly headers: Readonly<Record<string, string>> } | { readonly problem: string } {
  let url: URL;
  let login: string;
  try {
    url = new URL(text.trim());
    login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    return { problem: 'is not an address; write it like http://gpu:8000/v1' };
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { problem: `${url.protocol}// is not spoken; http:// and https:// are` };
  }
  if (url.search !== '' || url.hash !== '') return { problem: 'must end with the path; leave out what follows ? or #' };
  const path = url.pathname
    .replace(/\/+$/, '')
    .replace(/\/(chat\/completions|completions|embeddings|rerank|score|models|health)$/, '');
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  // User and password become a header, so that no message shows them.
  return {
    base: `${url.protocol}//${url.host}${path === '' ? '/v1' : path}`,
    headers: url.username === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  };
}
