import type { Loader } from '../../core/contracts.js';
import { decodeText, emptyWarnings } from './decode.js';

/** Any text: `.txt`, `.rst`, `.log`, names without extension such as LICENSE, and extensions that nobody else claims. Last in the list. */
export function createTextLoader(): Loader {
  return {
    id: 'text@1',
    accepts: () => true,
    async load(source, { signal } = {}) {
      const { text, warnings } = await decodeText(source, { signal });
      return { text, format: 'text', metadata: {}, warnings: [...warnings, ...emptyWarnings(text)] };
    },
  };
}
