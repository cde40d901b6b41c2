import type { Loader } from '../../core/contracts.js';
import { RagError } from '../../core/errors.js';
import { kindOf } from './binary.js';
import { emptyWarnings } from './decode.js';
import type { LoaderLimits } from './limits.js';
import { extensionOf } from './names.js';

/** The mark of a PDF stands at the start, or after some bytes that viewers pass over. */
const MARK = '%PDF-';
const MARK_WITHIN = 1024;

/** PDF as text, with the place where each page starts; pages without text are told. Takes time: run it in a thread. */
export function createPdfLoader(limits: LoaderLimits): Loader {
  return {
    id: 'pdf@1',
    accepts: (uri) => extensionOf(uri) === 'pdf',
    async load({ uri, bytes }) {
      if (bytes.length === 0) return { text: '', format: 'text', metadata: {}, warnings: emptyWarnings('') };
      const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MARK_WITHIN));
      if (!head.includes(MARK)) throw new RagError('INPUT_INVALID', `${uri} is not a PDF: it looks like ${kindOf(bytes)}`);
      const { readPdf } = await import('./pdf-pages.js');
      const { pages, title } = await readPdf(uri, bytes, limits);
      return { ...join(pages), format: 'text', metadata: title === '' ? {} : { title } };
    },
  };
}

/** One text of all pages, a blank line between two, and a warning for those without text. */
function join(pages: readonly string[]): {
  readonly text: string;
  readonly pages: readonly number[];
  readonly warnings: readonly string[];
} {
  const starts: number[] = [];
  const empty: number[] = [];
  let length = 0;
  for (const [index, page] of pages.entries()) {
    starts.push(length);
    length += page.length + 2;
    if (page === '') empty.push(index + 1);
  }
  const text = pages.join('\n\n');
  if (empty.length === pages.length) {
    return {
      text: '',
      pages: [],
      warnings: [`is empty: none of its ${pages.length} pages has text; scanned pages are pictures, which aren't read`],
    };
  }
  const warnings = empty.length === 0 ? [] : [`pages without text (pictures aren't read): ${listed(empty)}`];
  return { text, pages: starts, warnings };
}

/** Ascending numbers in short. @example listed([1, 2, 3, 7]) // '1-3, 7' */
function listed(numbers: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run?.last === number - 1) run.last = number;
    else runs.push({ first: number, last: number });
  }
  const shown = runs.slice(0, 20).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return shown.join(', ') + (runs.length > 20 ? ', …' : '');
}
