import type { Loader } from '../../core/contracts.js';
import { declaredEncoding } from './declared.js';
import { decodeText, emptyWarnings } from './decode.js';
import { extensionOf } from './names.js';

const EXTENSIONS = new Set(['html', 'htm', 'xhtml', 'xht']);

/** The main content of a page as Markdown, tables kept; its title becomes metadata. Loads a document tree: run it in a thread. */
export function createHtmlLoader(): Loader {
  return {
    id: 'html@1',
    accepts: (uri) => EXTENSIONS.has(extensionOf(uri)),
    async load(source, { signal } = {}) {
      const { text: html, warnings } = await decodeText(source, { signal, declared: declaredEncoding(source.bytes) });
      const [empty] = emptyWarnings(html);
      if (empty !== undefined) return { text: '', format: 'markdown', metadata: {}, warnings: [empty] };
      const { readPage } = await import('./html-page.js');
      const { text, title } = readPage(html);
      const metadata = title === '' ? {} : { title };
      return { text, format: 'markdown', metadata, warnings: [...warnings, ...emptyWarnings(text)] };
    },
  };
}
