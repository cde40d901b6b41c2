import type { Loader } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { extensionOf } from './names.js';

/** Formats that are known and not read. A format that gets a loader of its own leaves this list. */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['doc', 'Word'],
  ['odt', 'OpenDocument'],
  ['rtf', 'RTF'],
  ['epub', 'EPUB'],
  ['xls', 'Excel'],
  ['xlsx', 'Excel'],
  ['ppt', 'PowerPoint'],
  ['pptx', 'PowerPoint'],
]);

/** Refuses, in clear words, the formats whose raw content would only be noise in a search. */
export function createUnsupportedLoader(): Loader {
  return {
    id: 'unsupported@1',
    accepts: (uri) => FORMATS.has(extensionOf(uri)),
    async load({ uri }) {
      throw new RagError(
        'UNSUPPORTED',
        `${uri}: ${FORMATS.get(extensionOf(uri))} files of this kind can't be read; convert it to .docx, PDF, HTML or text.`,
      );
    },
  };
}
