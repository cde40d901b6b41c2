import type { Loader } from '../../core/contracts.js';
import { createCodeLoader } from './code.js';
import { createCsvLoader } from './csv.js';
import { createJsonLinesLoader, createJsonLoader } from './json.js';
import { createMarkdownLoader } from './markdown.js';
import { createTextLoader } from './text.js';
import { createUnsupportedLoader } from './unsupported.js';

/** The loaders that hotrag has, in the order they are asked: the first that accepts a file reads it, and the last takes any text. */
export function createLoaders(): readonly Loader[] {
  return [
    createMarkdownLoader(),
    createCsvLoader(),
    createCodeLoader(),
    createJsonLoader(),
    createJsonLinesLoader(),
    createUnsupportedLoader(),
    createTextLoader(),
  ];
}
