import type { Loader } from '../../core/contracts.js';
import { createCodeLoader } from './code.js';
import { createCsvLoader } from './csv.js';
import { createDocxLoader } from './docx.js';
import { createHtmlLoader } from './html.js';
import { createJsonLinesLoader, createJsonLoader } from './json.js';
import type { LoaderLimits } from './limits.js';
import { createMarkdownLoader } from './markdown.js';
import { createNotebookLoader } from './notebook.js';
import { createPdfLoader } from './pdf.js';
import { createTextLoader } from './text.js';
import { createUnsupportedLoader } from './unsupported.js';

/** All loaders in the order they are asked, each doing its work where it is called: the first that accepts a file reads it, and the last takes any text. */
export function createPlainLoaders(limits: LoaderLimits): readonly Loader[] {
  return [
    createMarkdownLoader(),
    createHtmlLoader(),
    createPdfLoader(limits),
    createDocxLoader(limits),
    createNotebookLoader(),
    createCsvLoader(),
    createCodeLoader(),
    createJsonLoader(),
    createJsonLinesLoader(),
    createUnsupportedLoader(),
    createTextLoader(),
  ];
}
