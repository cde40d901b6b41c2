import type { Loader } from '../../core/contracts.js';
import { decodeText, emptyWarnings } from './decode.js';
import { takeFrontMatter } from './front-matter.js';
import { extensionOf } from './names.js';

const EXTENSIONS = new Set(['md', 'markdown', 'mdown', 'mkd', 'mdx']);

/** Markdown as it stands; YAML front matter becomes metadata. */
export function createMarkdownLoader(): Loader {
  return {
    id: 'markdown@1',
    accepts: (uri) => EXTENSIONS.has(extensionOf(uri)),
    async load(source, { signal } = {}) {
      const decoded = await decodeText(source, { signal });
      const { text, metadata, warnings } = await takeFrontMatter(decoded.text);
      return { text, format: 'markdown', metadata, warnings: [...decoded.warnings, ...warnings, ...emptyWarnings(text)] };
    },
  };
}
