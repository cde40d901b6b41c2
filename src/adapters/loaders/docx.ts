import type { Loader } from '../../core/contracts.js';
import { messageOf, RagError } from '../../core/errors.js';
import { kindOf } from './binary.js';
import { emptyWarnings } from './decode.js';
import type { LoaderLimits } from './limits.js';
import { extensionOf } from './names.js';

/** Word documents as Markdown: headings, lists, tables, footnotes; pictures by their description. Takes time: run it in a thread. */
export function createDocxLoader({ maxUnpackedBytes }: Pick<LoaderLimits, 'maxUnpackedBytes'>): Loader {
  return {
    id: 'docx@1',
    accepts: (uri) => ['docx', 'docm'].includes(extensionOf(uri)),
    async load({ uri, bytes }) {
      const { checkArchive } = await import('./zip.js');
      if (bytes.length === 0) return { text: '', format: 'markdown', metadata: {}, warnings: emptyWarnings('') };
      if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
        throw new RagError('INPUT_INVALID', `${uri} is not a Word document: it looks like ${kindOf(bytes)}`);
      }
      checkArchive(uri, bytes, maxUnpackedBytes);
      const { default: mammoth } = await import('mammoth');
      const { toMarkdown } = await import('./html-markdown.js');
      const { bodyOf, parseTree } = await import('./html-tree.js');
      try {
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        const convertImage = mammoth.images.imgElement(async () => ({ src: '' })); // else their bytes would stand in the HTML
        const { value: html } = await mammoth.convertToHtml({ buffer }, { convertImage });
        const text = toMarkdown(bodyOf(parseTree(html)));
        return { text, format: 'markdown', metadata: {}, warnings: emptyWarnings(text) };
      } catch (cause) {
        throw new RagError('INPUT_INVALID', `${uri} can't be read as a Word document: ${messageOf(cause)}`, { cause });
      }
    },
  };
}
